/** The allocator as the D-Bus interface needs it: the same Acquire and Release, and the live dynamic users by name and number. */

import type { UserTable } from '../allocator/user-table.ts';
import type { Standing } from '../core/access.ts';
import { asUid, type Gid, type Pid } from '../core/ids.ts';
import type { DynamicUser } from '../core/lease.ts';
import { parseUserName } from '../core/name.ts';
import type { JsonObject } from '../varlink/json.ts';
import type { Acquisition } from './acquire.ts';
import type { Peer } from './peer.ts';
import { type DirectoryReader, readAcquire } from './request.ts';

/** A caller on the bus, as the bus daemon says. */
export interface BusPeer extends Omit<Peer, 'pin' | 'groups' | 'standing' | 'sharesRoot'> {
  readonly groups: readonly Gid[];
  /** whether nobody is there any more to take the answer */
  readonly closed: boolean;
  onClose(listener: () => void): () => void;
}

export interface UserChange {
  readonly kind: 'allocated' | 'released';
  readonly uid: number;
  readonly name: string;
}

export class BusAllocator {
  readonly #users: UserTable;
  readonly #acquisition: Acquisition;
  readonly #directories: DirectoryReader;
  readonly #standingOf: (pid: Pid | undefined) => Standing;

  /** @param standingOf what a process with the UID 0 is to this host */
  constructor(
    users: UserTable,
    acquisition: Acquisition,
    directories: DirectoryReader,
    standingOf: (pid: Pid | undefined) => Standing,
  ) {
    this.#users = users;
    this.#acquisition = acquisition;
    this.#directories = directories;
    this.#standingOf = standingOf;
  }

  /** @throws DynuserError any */
  async acquire(parameters: JsonObject, caller: BusPeer) {
    const peer = this.#peerOf(caller);
    const connection = {
      get closed() {
        return caller.closed;
      },
      onClose: (listener: () => void) => caller.onClose(listener),
      hold: () => () => undefined,
    };
    const asking = { peer, connection, answered: true, mayClaim: false, pin: unpinned };
    const { user, lease } = await this.#acquisition.acquire(readAcquire(parameters, this.#directories), asking);
    const { uid, gid, name, dynamic } = user;
    return { uid, gid, userName: name, dynamic, lease: lease.id };
  }

  /** @throws DynuserError NoSuchLease, NotPermitted, DirectoryFailed, LimitReached */
  async release(lease: string, caller: BusPeer): Promise<void> {
    await this.#acquisition.release(lease, this.#peerOf(caller));
  }

  #peerOf({ uid, gid, groups, pid }: BusPeer): Peer {
    return {
      uid,
      gid,
      pid,
      groups: () => groups,
      pin: unpinned,
      standing: () => this.#standingOf(pid),
      sharesRoot: () => true,
    };
  }

  uidOf(name: string): number | undefined {
    const parsed = parseUserName(name);
    return 'name' in parsed ? this.#users.dynamicByName(parsed.name)?.uid : undefined;
  }

  nameOf(number: number): string | undefined {
    const uid = asUid(number);
    return uid === undefined ? undefined : this.#users.dynamicByUid(uid)?.name;
  }

  *users(): Generator<{ readonly uid: number; readonly name: string }, void, undefined> {
    for (const { uid, name } of this.#users.dynamic()) {
      yield { uid, name };
    }
  }

  /** @param listener told of each dynamic user that came with its first lease, or went with its last. @returns ends that */
  onChange(listener: (change: UserChange) => void): () => void {
    return this.#users.watch(({ kind, user, lease }) => {
      // A lost user went when it was lost.
      const isTold = kind === 'lost' ? lease === user.leases[0] : user.lost === undefined && isWhole(user, lease.id);
      if (user.dynamic && isTold) {
        listener({ kind: kind === 'allocated' ? kind : 'released', uid: user.uid, name: user.name });
      }
    });
  }
}

/** Whether the user came or went with this lease: the table tells of it with the user that has no other. */
function isWhole({ leases }: DynamicUser, lease: string): boolean {
  return leases.length === 1 && leases[0]?.id === lease;
}

/** The bus tells the process by its number alone; who needs more names it with `pid`. */
function unpinned(): { readonly kind: 'unsupported' } {
  return { kind: 'unsupported' };
}
