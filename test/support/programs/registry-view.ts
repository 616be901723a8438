/**
 * Runs inside a machine: what registry, links and lock files say to whoever reads the host, without a word from the daemon,
 * and whether they agree. Numbers and names are those of the files.
 */
import { strict as assert } from 'node:assert';
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';

const RUNTIME = '/run/dynuser';
const LOCKS = '/run/systemd/dynamic-uid';
/** All that the daemon ever keeps in its runtime directory. */
const ENTRIES = [
  ...[
    'by-name',
    'by-uid',
    'dynuserd.lock',
    'groups',
    'holders',
    'io.dynuser.Allocator',
    'io.dynuser.DynamicUser',
    'leases',
    'lock-keeper',
    'members',
    'nscd',
    'set-aside',
    'static',
  ],
];

export interface DiskUser {
  readonly uid: number;
  readonly name: string;
  /** the ids of its leases */
  readonly leases: readonly string[];
  /** the numbers of the shared groups that they hold */
  readonly groups: readonly number[];
}

export interface RegistryView {
  /** dynamic users that live, by UID */
  readonly dynamic: ReadonlyMap<number, DiskUser>;
  /** static users that are in use, by name */
  readonly static: ReadonlyMap<string, DiskUser>;
  /** names of intents, and of files of users that end */
  readonly incomplete: readonly string[];
  readonly byUid: ReadonlyMap<number, string>;
  readonly byName: ReadonlyMap<string, number>;
  /** lock files, each with its text and the process whose descriptor holds its lock */
  readonly locks: ReadonlyMap<number, { readonly text: string; readonly holder: number | undefined }>;
  /** locks by flock(2), whatever the file */
  readonly flocks: readonly { readonly pid: number; readonly inode: number }[];
}

/** How many users there are, those that end included, and how many files of intents and of users that end. */
export function countUsers(): { readonly users: number; readonly incomplete: number } {
  const names = [...readdirSync(`${RUNTIME}/leases`), ...readdirSync(`${RUNTIME}/static`)];
  return { users: names.length, incomplete: names.filter(name => !isComplete(name)).length };
}

/** @param holder the process whose locks are read: the daemon, or what keeps them after its death */
export function readRegistry(holder: number): RegistryView {
  const flocks = readFlocks(holder);
  const leases = readdirSync(`${RUNTIME}/leases`);
  const statics = readdirSync(`${RUNTIME}/static`);
  const users = leases.filter(isComplete).map(name => readUser(`${RUNTIME}/leases/${name}`));
  return {
    dynamic: new Map(users.map(user => [user.uid, user])),
    static: new Map(statics.filter(isComplete).map(name => [name, readUser(`${RUNTIME}/static/${name}`)])),
    incomplete: [...leases, ...statics].filter(name => !isComplete(name)),
    byUid: new Map(
      readdirSync(`${RUNTIME}/by-uid`).map(uid => [Number(uid), readlinkSync(`${RUNTIME}/by-uid/${uid}`)]),
    ),
    byName: new Map(
      readdirSync(`${RUNTIME}/by-name`).map(name => [name, Number(readlinkSync(`${RUNTIME}/by-name/${name}`))]),
    ),
    locks: new Map(readdirSync(LOCKS).map(uid => [Number(uid), readLock(`${LOCKS}/${uid}`, flocks)])),
    flocks,
  };
}

/** Who is in which shared group, by the links on both sides: "GID NAME,NAME", and "NAME GID,GID". */
function readMemberships(): { readonly members: readonly string[]; readonly groups: readonly string[] } {
  const read = (directory: string): string[] =>
    readdirSync(`${RUNTIME}/${directory}`)
      .map(name => `${name} ${readlinkSync(`${RUNTIME}/${directory}/${name}`)}`)
      .toSorted();
  return { members: read('members'), groups: read('groups') };
}

/** The same by the lease files. */
function membershipsOf(users: readonly DiskUser[]): ReturnType<typeof readMemberships> {
  const members = new Map<number, string[]>();
  for (const { name, groups } of users) {
    for (const gid of groups) {
      members.set(gid, [...(members.get(gid) ?? []), name]);
    }
  }
  return {
    members: Array.from(members, ([gid, names]) => `${gid} ${names.join()}`).toSorted(),
    groups: users.flatMap(({ name, groups }) => (groups.length > 0 ? [`${name} ${groups.join()}`] : [])).toSorted(),
  };
}

/** What has to be so while a daemon runs and does nothing. @param daemon its pid */
export function assertComplete(daemon: number): RegistryView {
  const view = readRegistry(daemon);
  assert.deepEqual(view.incomplete, [], 'intents, or users that end');
  assert.deepEqual(readdirSync(RUNTIME).toSorted(), ENTRIES);
  assert.deepEqual(readdirSync(`${RUNTIME}/set-aside`), []);
  const users = [...view.dynamic.values()];
  assert.deepEqual(sorted(view.byUid), sorted(new Map(users.map(user => [user.uid, user.name]))), 'links uid → name');
  assert.deepEqual(sorted(view.byName), sorted(new Map(users.map(user => [user.name, user.uid]))), 'links name → uid');
  assert.deepEqual(readMemberships(), membershipsOf(users), 'links of memberships');
  const locks = new Map(users.map(user => [user.uid, { text: `${user.name}\n`, holder: daemon }]));
  assert.deepEqual(sorted(view.locks), sorted(locks), 'lock files');
  assert.equal(view.flocks.length, users.length + 1, 'one lock for each UID, and that of the runtime directory');
  assert.equal(readFlocks(keeper()).length, users.length, 'the keeper has each, and no other');
  return view;
}

/** What has to be so in the moment in which the daemon was killed, in the middle of one thing. */
export function assertWhole(): void {
  const view = readRegistry(keeper());
  assert.ok(view.incomplete.length <= 1, view.incomplete.join());
  for (const { uid, name } of view.dynamic.values()) {
    assert.equal(view.byUid.get(uid), name, 'a user does not resolve by its number');
    assert.equal(view.byName.get(name), uid, 'a user does not resolve by its name');
    assert.ok(view.locks.get(uid)?.holder !== undefined, 'a user has no lock file, or it was not kept');
  }
  assert.equal(new Set(view.byUid.values()).size, view.byUid.size, 'two UIDs have one name');
  assert.equal(new Set(view.byName.values()).size, view.byName.size, 'two names have one UID');
  for (const [name, uid] of view.byName) {
    assert.equal(view.byUid.get(uid) ?? name, name, 'a UID has two names');
  }
}

function isComplete(name: string): boolean {
  return !name.endsWith('.new') && !name.endsWith('.end');
}

function readUser(path: string): DiskUser {
  const { uid, name, holders } = JSON.parse(readFileSync(path, 'utf8'));
  type Held = { readonly lease: string; readonly groups?: readonly { readonly gid: number }[] };
  const groups = new Set(holders.flatMap((held: Held) => held.groups?.map(({ gid }) => gid) ?? []));
  return { uid, name, leases: holders.map(({ lease }: Held) => lease), groups: [...groups] as number[] };
}

/** The lock keeper: it outlives the daemon. */
function keeper(): number {
  const found = readdirSync('/proc').find(pid => /^\d+$/.test(pid) && commandOf(pid).includes('\0keep-locks\0'));
  assert.ok(found, 'there is no lock keeper');
  return Number(found);
}

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1');
  } catch {
    // It has ended meanwhile.
    return '';
  }
}

/**
 * As in proc_locks(5), with each descriptor of a process: "lock: 1: FLOCK  ADVISORY  WRITE 123 00:2a:77 0 EOF". The number is
 * of the process that took the lock, which may be a former daemon.
 */
function readFlocks(pid: number): { pid: number; inode: number }[] {
  const lines = readDescriptors(pid).matchAll(/^lock:\t\d+: FLOCK +ADVISORY +WRITE -?\d+ \w+:\w+:(\d+) /gm);
  return Array.from(lines, ([, inode]) => ({ pid, inode: Number(inode) }));
}

function readDescriptors(pid: number): string {
  const read = (fd: string): string => {
    try {
      return readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'utf8');
    } catch {
      // It was closed meanwhile.
      return '';
    }
  };
  return readdirSync(`/proc/${pid}/fdinfo`).map(read).join('\n');
}

function readLock(path: string, flocks: readonly { readonly pid: number; readonly inode: number }[]) {
  const { ino } = statSync(path);
  return { text: readFileSync(path, 'utf8'), holder: flocks.find(({ inode }) => inode === ino)?.pid };
}

function sorted<Key extends string | number, Value>(map: ReadonlyMap<Key, Value>): [Key, Value][] {
  return [...map].toSorted(([a], [b]) => (a < b ? -1 : 1));
}
