/** dynuserctl orphans [PATH...]: files of former users that nobody explains, and whose they were. Deletes nothing. */
import { lstatSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Lease } from '../../api/generated/io-dynuser-allocator.ts';
import { BASE_DIRECTORIES, PRIVATE } from '../../core/directory-classes.ts';
import type { History } from '../../history/read.ts';
import { attempt } from '../attempt.ts';
import type { Handler } from '../command.ts';
import { lastValue } from '../command-line.ts';
import { CommandFailure, readOrFail } from '../failure.ts';
import { leasesOf, listLeases } from '../leases.ts';
import { ORPHAN_OWNERS_ASKED_MAX } from '../limits.ts';
import { type Explanations, isExplained, type Orphan, type OwnedPath, topmost } from '../orphans/judge.ts';
import { adoptPaths, type Search, searchTree } from '../orphans/search.ts';
import { print } from '../print.ts';
import type { ProcessIo } from '../process-io.ts';
import { progressLine } from '../progress-line.ts';
import { type FormerOrphan, renderOrphans } from '../render/orphans.ts';
import { countOf, printable } from '../render/text.ts';
import { withClient } from '../with-client.ts';
import { intervalsOfRange, openHistory } from './history.ts';

/** Where services leave files; each mount point is a separate tree. */
const USUAL_ROOTS = [
  '/',
  '/home',
  '/opt',
  '/srv',
  '/tmp',
  '/usr',
  '/var',
  '/var/cache',
  '/var/lib',
  '/var/log',
  '/var/tmp',
  '/run',
  '/dev/shm',
];
/** File systems without files of users. */
const WITHOUT_FILES = new Set([
  ...['autofs', 'binfmt_misc', 'bpf', 'cgroup', 'cgroup2', 'configfs', 'debugfs', 'devpts', 'efivarfs', 'fusectl'],
  ...['mqueue', 'nsfs', 'proc', 'pstore', 'rpc_pipefs', 'securityfs', 'selinuxfs', 'sysfs', 'tracefs'],
]);

export const orphans: Handler = async (invocation, io) => {
  if (process.geteuid?.() !== 0) {
    throw new CommandFailure('only root can see all files; use sudo');
  }
  const { operands, options } = invocation;
  const leases = await withClient(io, listLeases);
  const adopter = adopterOf(lastValue(options, 'adopt'), leases);
  const explanations = { live: new Set(leases.map(({ uid }) => uid)), directories: keptDirectories() };
  const roots = rootsOf(operands, options.has('all-file-systems'));
  using interruption = io.listenForInterruption();
  const line = progressLine(io.errors, io.environment);
  let found = 0;
  const search: Search = {
    helper: fileURLToPath(new URL('./dynuser-helper', import.meta.url)),
    ranges: intervalsOfRange()
      .map(interval => interval.join('-'))
      .join(','),
    onProgress: ({ root, inodes }) => void line.show(root, `${inodes} inodes inspected, ${found} of former users`),
    signal: interruption.signal,
  };
  const byRoot = new Map<string, OwnedPath[]>();
  try {
    for (const root of roots) {
      const owned = new Map<string, OwnedPath>();
      await searchTree(root, search, each => {
        if (!isExplained(each, explanations)) {
          owned.set(each.path, each);
          found = owned.size;
        }
      });
      byRoot.set(root, [...owned.values()]);
    }
  } catch (error) {
    throw interruption.signal.aborted
      ? new CommandFailure('interrupted: nothing was changed', { cause: error })
      : error;
  } finally {
    await line.clear();
  }
  const all = topmost([...byRoot.values()].flat());
  const former = await formerUsers(all, io);
  if (adopter !== undefined) {
    return await adopt(adopter, byRoot, former, search, io);
  }
  await print(
    // Latin-1 characters are bytes here: names of files need not be UTF-8.
    former.map(each => ({ ...each, path: Buffer.from(each.path, 'latin1').toString('utf8') })),
    invocation,
    io,
    renderOrphans,
  );
  return 0;
};

/** @throws CommandFailure if the user does not live */
function adopterOf(name: string | undefined, leases: readonly Lease[]): Lease | undefined {
  if (name === undefined) {
    return undefined;
  }
  const [lease] = leasesOf(leases, name).filter(
    ({ ending, lost, dynamic }) => ending !== true && lost === undefined && dynamic,
  );
  if (lease === undefined) {
    throw new CommandFailure(`--adopt=: no dynamic user ${printable(name)} lives; acquire it first`);
  }
  return lease;
}

/** @returns the private directories with their owners */
function keptDirectories(): Explanations['directories'] {
  const kept = new Map<string, number>();
  for (const base of Object.values(BASE_DIRECTORIES)) {
    const above = `${base}/${PRIVATE}`;
    for (const name of attempt(() => readdirSync(above)) ?? []) {
      const status = lstatSync(`${above}/${name}`, { throwIfNoEntry: false });
      if (status?.isDirectory() === true) {
        kept.set(Buffer.from(`${above}/${name}`).toString('latin1'), status.uid);
      }
    }
  }
  return kept;
}

/** @returns the tops of the trees to walk: none is a part of another */
function rootsOf(operands: readonly string[], allFileSystems: boolean): string[] {
  const given = operands.length > 0 ? operands.map(resolveRoot) : USUAL_ROOTS.filter(isDirectory);
  const mounted = allFileSystems ? mountPoints().filter(path => given.some(root => isBelow(path, root))) : [];
  const devices = new Map<string, number>();
  for (const root of [...new Set([...given, ...mounted])].sort((one, other) => one.length - other.length)) {
    const device = lstatSync(root).dev;
    const isCovered = [...devices].some(
      ([above, of]) => of === device && isBelow(root, above) && !mountBetween(root, above, device),
    );
    if (!isCovered) {
      devices.set(root, device);
    }
  }
  return [...devices.keys()];
}

function isDirectory(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

function isBelow(path: string, root: string): boolean {
  return path === root || path.startsWith(root === '/' ? '/' : `${root}/`);
}

/** Whether a walk from above would not come to a path, since a mount point is in between. */
function mountBetween(path: string, above: string, device: number): boolean {
  for (let at = path; at !== above && at !== ''; at = at.slice(0, at.lastIndexOf('/'))) {
    if (lstatSync(at).dev !== device) {
      return true;
    }
  }
  return false;
}

function resolveRoot(path: string): string {
  const real = readOrFail(path, () => realpathSync(path));
  if (!isDirectory(real)) {
    throw new CommandFailure(`${printable(path)}: it is not a directory; name the one that it is in`);
  }
  return real;
}

/** Of proc_pid_mountinfo(5): the fifth field, and after " - " the type. */
function mountPoints(): string[] {
  const lines = readFileSync('/proc/self/mountinfo', 'latin1').split('\n');
  return lines.flatMap(line => {
    const path = line
      .split(' ')[4]
      ?.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
    const type = line.split(' - ')[1]?.split(' ')[0];
    const isUsable = path !== undefined && type !== undefined && !WITHOUT_FILES.has(type);
    return isUsable && isDirectory(path) ? [path] : [];
  });
}

/** Asks the history whose each tree was when its top was changed last. */
async function formerUsers(all: readonly Orphan[], io: ProcessIo): Promise<FormerOrphan[]> {
  let records: History | undefined;
  try {
    records = openHistory(io);
  } catch (error) {
    if (all.length > 0 && error instanceof CommandFailure) {
      await io.errors.write(`dynuserctl: who the former users were is not known: ${error.message}\n`);
    }
  }
  return all.map((orphan, index) => {
    const status = lstatSync(Buffer.from(orphan.path, 'latin1'), { throwIfNoEntry: false });
    const isAsked = records !== undefined && status !== undefined && index < ORPHAN_OWNERS_ASKED_MAX;
    const spans = isAsked ? records?.at(status.ctimeMs, orphan.uid).flatMap(each => each.spans) : [];
    const name = spans?.at(-1)?.name;
    return name === undefined ? orphan : { ...orphan, formerUser: name };
  });
}

/** Gives what was the user's before to it. */
async function adopt(
  { userName, uid, gid }: Lease,
  byRoot: ReadonlyMap<string, readonly OwnedPath[]>,
  former: readonly FormerOrphan[],
  search: Search,
  io: ProcessIo,
): Promise<0 | 1> {
  const own = former.filter(({ formerUser: name }) => name === userName);
  let given = 0;
  let wanted = 0;
  for (const [root, owned] of byRoot) {
    const paths = owned.filter(each => own.some(top => top.uid === each.uid && isBelow(each.path, top.path)));
    wanted += paths.length;
    given += paths.length === 0 ? 0 : await adoptPaths(root, search, paths, { uid, gid });
  }
  const others = former.length - own.length;
  const rest = others === 0 ? '' : `; ${countOf(others, 'tree')} of others or of nobody known stayed as they are`;
  await io.output.write(`Gave ${countOf(given, 'file')} to ${userName} (UID ${uid})${rest}.\n`);
  if (given < wanted) {
    await io.errors.write(`dynuserctl: ${countOf(wanted - given, 'file')} changed meanwhile, and stayed as they are\n`);
  }
  return given < wanted ? 1 : 0;
}
