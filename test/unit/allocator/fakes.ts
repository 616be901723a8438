/** Stand-ins for the ports of the use cases, each as simple as its contract allows. */
import assert from 'node:assert/strict';
import type {
  Directories,
  DirectorySnapshot,
  DirectoryUser,
  ExpectedHandover,
  PreparedDirectories,
  PrepareOptions,
} from '../../../src/allocator/directory-ports.ts';
import { LeaseEvents } from '../../../src/allocator/events.ts';
import type {
  NameAndUidCheck,
  PacketFilter,
  PacketHold,
  Probe,
  Probes,
  Reaper,
  Registry,
  RegistryContents,
  RegistryRecovery,
} from '../../../src/allocator/ports.ts';
import type { AccountAnswer } from '../../../src/core/account.ts';
import type {
  DirectoriesInUse,
  DirectoryKind,
  LeasedDirectory,
  RequestedDirectory,
} from '../../../src/core/directory.ts';
import type { DynuserError } from '../../../src/core/errors.ts';
import type { Evidence } from '../../../src/core/evidence.ts';
import type { Gid, Uid, UnitName, UserName } from '../../../src/core/ids.ts';
import type { DynamicUser } from '../../../src/core/lease.ts';
import { membershipsAmong } from '../../../src/core/memberships.ts';
import { parseUnitName, parseUserName } from '../../../src/core/name.ts';
import type { PacketRules } from '../../../src/core/packet-rules.ts';

export const uid = (number: number) => number as Uid;

/** A stream of events whose listeners must not fail. */
export function leaseEvents(): LeaseEvents {
  return new LeaseEvents((what, cause) => assert.fail(`${what}: ${cause}`));
}

export function unitName(text: string): UnitName {
  const parsed = parseUnitName(text);
  if (!('unit' in parsed)) {
    throw new TypeError(parsed.reason);
  }
  return parsed.unit;
}

export function userName(text: string): UserName {
  const parsed = parseUserName(text);
  if (!('name' in parsed)) {
    throw new TypeError(parsed.reason);
  }
  return parsed.name;
}

export class FakeProbe implements Probe, Probes {
  readonly accounts = new Map<string, AccountAnswer>();
  readonly against = new Map<number, Evidence>();
  /** awaited before each answer about a number, so that a test can hold requests in the middle */
  gate: () => Promise<void> = async () => undefined;

  for(): Probe {
    return this;
  }

  async account(name: UserName): Promise<AccountAnswer> {
    return this.accounts.get(name) ?? {};
  }

  async evidence(number: Uid): Promise<Evidence | undefined> {
    await this.gate();
    return this.against.get(number);
  }

  take(number: Uid): Promise<Evidence | undefined> {
    return this.evidence(number);
  }

  /** As the real one: what fails for the number is nothing to a name that the host has. */
  async check(name: UserName, number: Uid): Promise<NameAndUidCheck> {
    const account = await this.account(name);
    const isKnown = account.user !== undefined || account.group !== undefined;
    return { account, evidence: isKnown ? undefined : await this.evidence(number) };
  }
}

export class FakeRegistry implements Registry, RegistryRecovery {
  readonly intents = new Map<string, DynamicUser>();
  readonly leases = new Map<string, DynamicUser>();
  readonly ending = new Map<string, DynamicUser>();
  readonly byUid = new Map<Uid, UserName>();
  readonly byName = new Map<UserName, Uid>();
  readonly members = new Map<Gid, readonly UserName[]>();
  readonly groups = new Map<UserName, readonly Gid[]>();
  /** thrown by the step of that name, once */
  failure: { step: keyof Registry; error: Error } | undefined;

  intend(user: DynamicUser): void {
    this.#step('intend');
    this.intents.set(user.name, user);
  }

  publish(user: DynamicUser): void {
    this.#step('publish');
    if (user.dynamic) {
      this.byUid.set(user.uid, user.name);
      this.byName.set(user.name, user.uid);
    }
  }

  commit(user: DynamicUser): void {
    this.#step('commit');
    this.intents.delete(user.name);
    this.leases.set(user.name, user);
  }

  revoke(user: DynamicUser): void {
    this.#step('revoke');
    this.leases.delete(user.name);
    this.ending.set(user.name, user);
  }

  unpublish(user: DynamicUser): void {
    this.#step('unpublish');
    this.byName.delete(user.name);
    this.byUid.delete(user.uid);
  }

  tellMembers(group: Gid, names: readonly UserName[]): void {
    this.#step('tellMembers');
    if (names.length === 0) {
      this.members.delete(group);
    } else {
      this.members.set(group, names);
    }
  }

  tellGroups(user: UserName, gids: readonly Gid[]): void {
    this.#step('tellGroups');
    if (gids.length === 0) {
      this.groups.delete(user);
    } else {
      this.groups.set(user, gids);
    }
  }

  forget(user: DynamicUser): void {
    this.#step('forget');
    this.intents.delete(user.name);
  }

  erase(user: DynamicUser): void {
    this.#step('erase');
    this.ending.delete(user.name);
  }

  load(): RegistryContents {
    return {
      users: [...this.leases.values()],
      ending: [...this.ending.values()],
      intended: [...this.intents.values()].map(user => user.uid),
    };
  }

  compareLinks(users: readonly DynamicUser[]): void {
    for (const user of users) {
      this.publish(user);
    }
  }

  reconcile(users: readonly DynamicUser[]): void {
    this.intents.clear();
    this.byUid.clear();
    this.byName.clear();
    for (const user of users.filter(({ lost }) => lost === undefined)) {
      this.publish(user);
    }
    const { members, groups } = membershipsAmong(users);
    this.members.clear();
    this.groups.clear();
    for (const [group, names] of members) {
      this.members.set(group, names);
    }
    for (const [user, gids] of groups) {
      this.groups.set(user, gids);
    }
  }

  #step(step: keyof Registry): void {
    if (this.failure?.step === step) {
      const { error } = this.failure;
      this.failure = undefined;
      throw error;
    }
  }
}

export class FakeReaper implements Reaper {
  readonly processes = new Map<number, Evidence>();
  readonly ipc = new Map<number, Evidence>();
  readonly asked: string[] = [];
  readonly cleared: number[] = [];

  async endProcesses(number: Uid, graceMs: number): Promise<Evidence | undefined> {
    this.asked.push(`processes ${number} ${graceMs}`);
    return this.processes.get(number);
  }

  async endAll(number: Uid, graceMs: number): Promise<Evidence | undefined> {
    return (await this.endProcesses(number, graceMs)) ?? this.removeIpc(number);
  }

  async removeIpc(number: Uid): Promise<Evidence | undefined> {
    this.asked.push(`ipc ${number}`);
    this.cleared.push(number);
    return this.ipc.get(number);
  }

  async removeAccountIpc(number: Uid, group: Gid): Promise<void> {
    this.asked.push(`account ipc ${number} ${group}`);
  }

  async clearKeyrings(number: Uid): Promise<void> {
    this.cleared.push(number);
  }
}

/** Directories that are always ready, with a gate before they are. */
export class FakeDirectories implements Directories {
  found: readonly Uid[] = [];
  foundGroups: readonly Gid[] = [];
  /** those that have not ended */
  snapshots = 0;
  readonly removed: string[] = [];
  readonly unpublished: string[] = [];
  /** what prepare() and explain() refuse */
  refusal: DynuserError | undefined;
  /** those that were prepared and are not disposed of */
  preparing = 0;
  /** called in the tick in which a lease is written */
  committing: () => void = () => undefined;
  /** called when directories are to be exposed */
  exposing: () => void = () => undefined;
  gate: () => Promise<void> = async () => undefined;

  requested(): readonly RequestedDirectory[] {
    return [];
  }

  environment(): Readonly<Record<string, string>> {
    return {};
  }

  async inspect(): Promise<DirectorySnapshot> {
    this.snapshots++;
    return { owners: this.found, groups: this.foundGroups, [Symbol.dispose]: () => void this.snapshots-- };
  }

  async prepare(
    directories: readonly RequestedDirectory[],
    user: DirectoryUser,
    _options: PrepareOptions,
  ): Promise<PreparedDirectories> {
    await this.gate();
    if (this.refusal !== undefined) {
      throw this.refusal;
    }
    const prepared = directories.map(({ kind, source, preserved, exposed, aliases, readOnly }) => ({
      ...{
        kind,
        source,
        preserved,
        exposed,
        aliases,
        readOnly,
        handover: 'chown' as const,
        publicPath: `/${kind}/${source}`,
      },
      ...{ realPath: `/${kind}/private/${source}`, diskUid: user.uid, diskGid: user.gid, changed: 1 },
      ...{ device: '1', inode: '2', leftPaths: [], mountPaths: [] },
    }));
    this.preparing++;
    return {
      directories: prepared,
      environment: {},
      commit: () => this.committing(),
      publish: async () => this.exposing(),
      [Symbol.asyncDispose]: async () => void this.preparing--,
    };
  }

  async explain(): Promise<readonly ExpectedHandover[]> {
    if (this.refusal !== undefined) {
      throw this.refusal;
    }
    return [];
  }

  async cleanUp(directories: readonly LeasedDirectory[], live: () => readonly DirectoriesInUse[]): Promise<void> {
    await this.gate();
    const held = live().flatMap(lease => lease.directories);
    for (const { exposed, source } of directories) {
      if (exposed && !held.some(other => other.source === source)) {
        this.unpublished.push(source);
      }
    }
    this.removed.push(...directories.filter(directory => !directory.preserved).map(({ publicPath }) => publicPath));
  }
}

/** A request's directory, as the directories module makes it. */
export function directory(kind: DirectoryKind, source: string): RequestedDirectory {
  return { kind, source, aliases: [], readOnly: false, mode: 0o755, preserved: kind !== 'runtime', exposed: false };
}

export const gid = (number: number) => number as Gid;

/** Rules for packets by UID, as a kernel has them that outlives the daemon. */
export class FakePacketFilter implements PacketFilter {
  readonly rules = new Map<Uid, PacketRules>();
  /** what is in the way of a change */
  failure: Error | undefined;
  /** waited for before a change */
  gate: () => Promise<void> = async () => undefined;

  problem(): string | undefined {
    return undefined;
  }

  async hold(uid: Uid, rules: PacketRules): Promise<PacketHold> {
    await this.gate();
    this.#check();
    this.rules.set(uid, rules);
    return { undo: async () => void (this.rules.get(uid) === rules && this.rules.delete(uid)) };
  }

  async drop(uid: Uid): Promise<void> {
    this.#check();
    this.rules.delete(uid);
  }

  #check(): void {
    if (this.failure !== undefined) {
      throw this.failure;
    }
  }
}
