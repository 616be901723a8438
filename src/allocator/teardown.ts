/**
 * The teardown of a user, in the steps that ARCHITECTURE.md numbers: it stops resolving at once, and its UID is free only when
 * nothing of it is left. What cannot be removed keeps the UID reserved, and is tried again, also by the next daemon. This file
 * alone ends or removes anything of a user, and before each attempt it checks that the UID is still locked by us.
 */
import { isTransient } from '../core/directory.ts';
import { DynuserError } from '../core/errors.ts';
import { describeEvidence, type Evidence } from '../core/evidence.ts';
import type { UserName } from '../core/ids.ts';
import type { DynamicUser } from '../core/lease.ts';
import { restrictsPackets } from '../core/packet-rules.ts';
import type { CoolDown } from './cool-down.ts';
import type { Directories } from './directory-ports.ts';
import type { LeaseEvents } from './events.ts';
import { lossOf } from './losses.ts';
import { untellMemberships } from './memberships.ts';
import type { NameCache, PacketFilter, Reaper, Registry, UidLocks } from './ports.ts';
import type { UserTable } from './user-table.ts';

/** When what was left is tried again, in milliseconds: doubled each time, up to the greatest. */
const RETRY_FIRST_MS = 1_000;
const RETRY_MAX_MS = 60_000;

export interface TeardownDeps {
  readonly users: UserTable;
  readonly registry: Registry;
  readonly locks: UidLocks;
  readonly reaper: Reaper;
  readonly nameCache: NameCache;
  readonly packetFilter: Pick<PacketFilter, 'drop'>;
  /** how long processes may take to end by themselves, in milliseconds */
  readonly graceMs: number;
  readonly directories: Pick<Directories, 'cleanUp'>;
  readonly coolDown: CoolDown;
  readonly events: LeaseEvents;
}

/** A user that ends. */
export interface UserTeardown {
  readonly user: DynamicUser;
  /** what keeps its UID reserved, in words; undefined while that is being found out */
  readonly leftovers: string | undefined;
}

export class Teardown {
  readonly #deps: TeardownDeps;
  readonly #leftovers = new Map<DynamicUser, string | undefined>();
  readonly #attempts = new Map<UserName, Promise<string | undefined>>();
  readonly #retries = new Set<NodeJS.Timeout>();

  constructor(deps: TeardownDeps) {
    this.#deps = deps;
  }

  /**
   * Ends a live user: steps 1 and 2 before this returns, the others after.
   * @returns what is left after the first attempt, in words, or undefined if the UID is free
   * @throws DynuserError the registry's, with the user as it was
   */
  begin(user: DynamicUser): Promise<string | undefined> {
    const { users, registry } = this.#deps;
    registry.revoke(user);
    users.remove(user);
    untellMemberships({ users, registry }, user);
    registry.unpublish(user);
    return this.resume(user);
  }

  /** Continues with a user that reached step 1 before. */
  resume(user: DynamicUser): Promise<string | undefined> {
    if (user.dynamic) {
      this.#deps.users.reserve(user);
    }
    return this.#attempt(user, RETRY_FIRST_MS);
  }

  /** Waits for the first attempt to end the former user of a name, if one is under way. */
  async waitFor(name: UserName): Promise<void> {
    await this.#attempts.get(name);
  }

  /** What keeps the UID of a user that is ending reserved, in words; undefined while that is being found out. */
  leftoversOf(user: DynamicUser): string | undefined {
    return this.#leftovers.get(user);
  }

  /** The users whose UID is still reserved. */
  *underWay(): Generator<UserTeardown, void, undefined> {
    for (const [user, left] of this.#leftovers) {
      yield { user, leftovers: left };
    }
  }

  /** Ends the retries; an attempt that is under way ends by itself. */
  stop(): void {
    for (const timer of this.#retries) {
      clearTimeout(timer);
    }
    this.#retries.clear();
  }

  async #attempt(user: DynamicUser, retryMs: number): Promise<string | undefined> {
    this.#leftovers.set(user, undefined);
    const attempt = this.#cleanUp(user);
    this.#attempts.set(user.name, attempt);
    const left = await attempt;
    if (this.#attempts.get(user.name) === attempt) {
      this.#attempts.delete(user.name);
    }
    if (left === undefined) {
      this.#leftovers.delete(user);
      return undefined;
    }
    this.#leftovers.set(user, left);
    this.#deps.events.tell({ kind: 'leftovers', user, left });
    const timer = setTimeout(() => {
      this.#retries.delete(timer);
      void this.#attempt(user, Math.min(retryMs * 2, RETRY_MAX_MS));
    }, retryMs);
    // Leftovers are in the registry: the daemon may stop meanwhile.
    timer.unref();
    this.#retries.add(timer);
    return left;
  }

  /** Steps 3 to 5; of a lost user without 3: what has its UID now is somebody else's. @returns what is left, in words */
  async #cleanUp(user: DynamicUser): Promise<string | undefined> {
    const { users, registry, locks, packetFilter, coolDown, events } = this.#deps;
    let lost: string | undefined;
    let isFree = user.dynamic;
    try {
      lost = user.lost ?? (user.dynamic ? lossOf(locks.confirm(user.uid)) : undefined);
      if (lost === undefined) {
        const left = await this.#removeLeftovers(user);
        if (left !== undefined) {
          return left;
        }
      } else {
        // A daemon that died between releasing the lock and removing its files leaves a UID that is nobody's.
        isFree = locks.peek(user.uid).kind === 'free';
      }
      if (restrictsPackets(user.packetRules)) {
        // Also those of a lost user, whose UID somebody else may have: they are ours.
        await packetFilter.drop(user.uid);
      }
      if (user.dynamic) {
        locks.release(user.uid);
      }
      registry.erase(user);
    } catch (error) {
      return error instanceof DynuserError ? error.message : String(error);
    }
    if (user.dynamic) {
      users.free(user);
    }
    if (isFree) {
      coolDown.freed(user.uid, user.name);
    }
    events.tell({ kind: 'ended', user: lost === undefined ? user : { ...user, lost } });
    return undefined;
  }

  async #removeLeftovers(user: DynamicUser): Promise<string | undefined> {
    const { users, directories, nameCache } = this.#deps;
    const left = await this.#reap(user);
    if (left !== undefined) {
      return describeEvidence(left);
    }
    const transient = user.leases.flatMap(lease => lease.directories).filter(isTransient);
    if (transient.length > 0) {
      await directories.cleanUp(transient, () => users.directoriesThatStay());
    }
    if (user.dynamic && nameCache.present()) {
      await nameCache.flush();
    }
    return undefined;
  }

  async #reap({ dynamic, uid, leases }: DynamicUser): Promise<Evidence | undefined> {
    const { reaper, graceMs } = this.#deps;
    if (!dynamic) {
      // A static user's processes and objects are the host's own: it had them before, and has them after. Its objects go
      // only if each lease that ends now asked for that by name.
      const groups = leases.flatMap(({ cleanup }) => (cleanup.accountIpc === undefined ? [] : [cleanup.accountIpc]));
      for (const gid of groups.length === leases.length ? new Set(groups) : []) {
        await reaper.removeAccountIpc(uid, gid);
      }
      return undefined;
    }
    const ends = leases.every(lease => lease.cleanup.processes);
    const removes = leases.every(lease => lease.cleanup.ipc);
    if (ends && removes) {
      return reaper.endAll(uid, graceMs);
    }
    const running = ends ? await reaper.endProcesses(uid, graceMs) : undefined;
    if (running !== undefined) {
      return running;
    }
    if (removes) {
      return reaper.removeIpc(uid);
    }
    // Always: no caller can do it instead, and the next user of the UID would have the keys.
    await reaper.clearKeyrings(uid);
    return undefined;
  }
}
