/**
 * What a service may do with files, by Landlock (landlock(7)), which also works if mounts cannot be made. Its rules only allow, and hold for
 * everything below a path: a path that is less protected than its surroundings gets a rule; for one that is more protected, each of
 * its surroundings gets one. Pure.
 */
import type { AccessRight, AccessRule } from '../../api/generated/io-dynuser-allocator.ts';
import { defined } from '../defined.ts';
import { failFor, quote } from '../errors.ts';
import { escapeGlob } from '../images/trees.ts';
import { isRootReadOnly } from '../namespace/layout.ts';
import type { AccessPath } from '../properties/paths.ts';
import { HOMES, KERNEL_TREES, systemPaths } from '../properties/sandbox.ts';
import type { ExecSettings, PropertyName } from '../properties/table.ts';
import { isWithin } from '../syntax/values.ts';
import type { Questions } from './questions.ts';
import type { Access, AccessMark, Acquired, FileAccess, LaunchRequest } from './request.ts';

/** The first version that keeps files from being cut (Linux 6.2). Before, what is read-only would not be. */
const VERSION_MIN = 3;
/** The properties that Landlock carries out in place of mounts. */
const CARRIED_OUT: readonly PropertyName[] = [
  ...(['ProtectSystem', 'ProtectHome', 'ReadOnlyPaths', 'ReadWritePaths', 'InaccessiblePaths'] as const),
];

/** From the least to the most. */
const ACCESS: readonly Access[] = ['none', 'read', 'write'];
const RIGHTS: Readonly<Record<Access, readonly AccessRight[]>> = { none: [], read: ['read'], write: ['read', 'write'] };

/**
 * @returns undefined if the launcher does not need it, or the kernel does not have it
 * @throws DynuserError LaunchFailed if a path does not exist, and may not be missing
 */
export function decideAccess(
  settings: ExecSettings,
  { mayMount, isolation, untrusted = false, landlock = 0 }: LaunchRequest,
  questions: Questions,
): FileAccess | undefined {
  // Without CAP_SYS_ADMIN, landlock_restrict_self(2) asks for NoNewPrivileges=.
  if (mayMount || isolation !== 'bestEffort' || untrusted || landlock < VERSION_MIN || !settings.NoNewPrivileges) {
    return undefined;
  }
  const marks = strongest(marksOf(settings, questions));
  const isProtected = marks.some(({ access }) => access !== 'write');
  const listings = new Map<string, readonly string[]>();
  if (isProtected) {
    rulesOf(marks, path => {
      listings.set(path, listed(path, questions));
      return [];
    });
  }
  return { carriesOut: CARRIED_OUT, marks: isProtected ? marks : [], listings };
}

/** @returns undefined if the service may do with files what their modes allow */
export function planAccess(access: FileAccess | undefined, { directories }: Acquired): AccessRule[] | undefined {
  if (access === undefined || access.marks.length === 0) {
    return undefined;
  }
  const own = directories.map(
    ({ publicPath, readOnly, device, inode }): AccessMark => ({
      ...{ path: publicPath, access: readOnly ? 'read' : 'write', device, inode },
    }),
  );
  return rulesOf(strongest([...access.marks, ...own]), path => access.listings.get(path) ?? []);
}

function marksOf(settings: ExecSettings, questions: Questions): AccessMark[] {
  const { ProtectSystem, ProtectHome, PrivateTmp, ReadOnlyPaths, ReadWritePaths, InaccessiblePaths } = settings;
  const isStrict = ProtectSystem === 'strict';
  const homes: Access = ProtectHome === 'no' ? 'write' : ProtectHome === 'read-only' ? 'read' : 'none';
  // Most programs need a directory that everybody may write to, and there is no other.
  const shared = PrivateTmp ? ['/tmp', '/var/tmp'] : [];
  const usual: readonly (readonly [paths: readonly string[], access: Access])[] = [
    [isStrict ? [...KERNEL_TREES, ...shared] : [], 'write'],
    [isStrict ? [] : systemPaths(ProtectSystem), 'read'],
    [homes === 'write' && !isStrict ? [] : HOMES, homes],
  ];
  const named: readonly (readonly [field: string, paths: readonly AccessPath[], access: Access])[] = [
    ['ReadWritePaths', ReadWritePaths, 'write'],
    ['ReadOnlyPaths', ReadOnlyPaths, 'read'],
    ['InaccessiblePaths', InaccessiblePaths, 'none'],
  ];
  const realOf = (path: string, field?: string): readonly string[] => {
    const real = questions.real(path);
    return real !== undefined ? [real] : field === undefined ? [] : failFor(field)(`${quote(path)} does not exist`);
  };
  return [
    { path: '/', access: isRootReadOnly(settings) ? 'read' : 'write' },
    ...usual.flatMap(([paths, access]) => paths.flatMap(path => realOf(path).map(real => ({ path: real, access })))),
    ...named.flatMap(([field, paths, access]) =>
      paths
        .filter(({ path }) => path !== '/')
        .flatMap(({ path, optional }) => realOf(path, optional ? undefined : field))
        .map(path => ({ path, access })),
    ),
  ];
}

function listed(path: string, questions: Questions): readonly string[] {
  const pattern = path === '/' ? '' : escapeGlob(path);
  return ['*', '.*']
    .flatMap(names => questions.glob(`${pattern}/${names}`) ?? [])
    .filter(name => !/\/\.\.?$/.test(name));
}

/** @returns the strongest mark of each path, sorted; as with mounts, none below a path that is closed */
function strongest(marks: readonly AccessMark[]): AccessMark[] {
  const byPath = new Map<string, AccessMark>();
  for (const mark of marks) {
    const other = byPath.get(mark.path);
    if (other === undefined || rank(mark.access) < rank(other.access)) {
      byPath.set(mark.path, mark);
    }
  }
  const all = [...byPath.values()].sort((one, other) => (one.path < other.path ? -1 : 1));
  const closed = all.filter(({ access }) => access === 'none');
  return all.filter(({ path }) => !closed.some(above => above.path !== path && isWithin(path, above.path)));
}

/** @param list what is in a directory */
function rulesOf(marks: readonly AccessMark[], list: (path: string) => readonly string[]): AccessRule[] {
  const rules: AccessRule[] = [];
  const allow = ({ path, access, device, inode }: AccessMark, allowed: Access): Access => {
    if (rank(access) <= rank(allowed)) {
      return allowed;
    }
    rules.push({ path, rights: [...RIGHTS[access]], ...defined({ device, inode }) });
    return access;
  };
  const visit = (at: AccessMark, allowed: Access): void => {
    const below = marks.filter(mark => mark.path !== at.path && isWithin(mark.path, at.path));
    const least = below.reduce((found, { access }) => (rank(access) < rank(found) ? access : found), at.access);
    const given = allow({ ...at, access: least }, allowed);
    if (least === at.access) {
      for (const mark of below.filter(one => !below.some(other => other !== one && isWithin(one.path, other.path)))) {
        visit(mark, given);
      }
      return;
    }
    const prefix = at.path === '/' ? '/' : `${at.path}/`;
    const leading = below.map(({ path }) => prefix + (path.slice(prefix.length).split('/')[0] ?? ''));
    for (const path of new Set([...list(at.path), ...leading])) {
      const mark = marks.find(one => one.path === path) ?? { path, access: at.access };
      leading.includes(path) ? visit(mark, given) : allow(mark, given);
    }
  };
  visit(marks.find(({ path }) => path === '/') ?? { path: '/', access: 'write' }, 'none');
  return rules;
}

function rank(access: Access): number {
  return ACCESS.indexOf(access);
}
