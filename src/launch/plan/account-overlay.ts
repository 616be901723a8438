/**
 * Account files of a service with lines for its own user, for programs that use no NSS module: static ones, those of musl, and Go without
 * cgo, which is static. They find only what is in /etc/passwd, unless somebody answers nscd's protocol. Pure.
 */
import { HOME_DIRECTORY, PASSWORD, REAL_NAME, SHELL } from '../../core/records.ts';
import { hostTree, type Tree } from '../images/trees.ts';
import { DATA_ALONE, type MountEntry } from '../namespace/mount-entry.ts';
import type { ExecSettings } from '../properties/table.ts';
import type { CommandLine } from '../syntax/command-line.ts';
import type { Questions } from './questions.ts';
import type { AccountOverlay, Acquired, LaunchRequest } from './request.ts';

/** How many programs of a launch are looked at: the last ones, since the very last becomes the process. */
const PROGRAMS_MAX = 16;
const PASSWD = '/etc/passwd';
const GROUP = '/etc/group';

/**
 * @param image the root, if that is an image
 * @returns undefined if the service is shown the files as they are, or that is not known yet
 */
export function decideOverlay(
  { DynamicUser, RootDirectory, RootImage }: ExecSettings,
  image: Tree | undefined,
  commands: readonly CommandLine[] | undefined,
  { passwdOverlay, program, isJudged = false }: LaunchRequest,
  questions: Questions,
): AccountOverlay | undefined {
  const isUnknown = RootImage !== undefined && image === undefined;
  if (!DynamicUser || passwdOverlay === false || isJudged || isUnknown) {
    return undefined;
  }
  const root = image ?? hostTree(RootDirectory ?? '', questions);
  if (passwdOverlay === true) {
    const missing = [PASSWD, GROUP].filter(path => !root.has(path));
    return { missing, optional: false };
  }
  const own = program === undefined ? [] : [program];
  const programs = commands?.flatMap(({ path, as }) => (as === 'outside' ? [] : [path])) ?? own;
  const interpreters = [...new Set(programs)].slice(-PROGRAMS_MAX).map(path => root.program(path));
  return interpreters.some(asksNoModule) ? { missing: [], optional: true } : undefined;
}

function asksNoModule(interpreter: string | undefined): boolean {
  return interpreter !== undefined && (interpreter === '' || /\/ld-musl-[^/]*$/.test(interpreter));
}

/** @returns the files, if there is a dynamic user: they lack its lines */
export function overlayEntries(overlay: AccountOverlay | undefined, acquired: Acquired): MountEntry[] {
  const { dynamic, userName, uid, gid, dynamicGroups = [] } = acquired;
  if (overlay === undefined || !dynamic) {
    return [];
  }
  const groups = [{ name: userName, gid }, ...dynamicGroups];
  const files = [
    { path: PASSWD, text: `${userName}:${PASSWORD}:${uid}:${gid}:${REAL_NAME}:${HOME_DIRECTORY}:${SHELL}\n` },
    { path: GROUP, text: groups.map(group => `${group.name}:${PASSWORD}:${group.gid}:\n`).join('') },
  ];
  return files.map(file => ({
    ...file,
    kind: 'append',
    field: 'passwdOverlay',
    optional: overlay.optional,
    readOnly: true,
    flags: DATA_ALONE,
    ...(overlay.optional ? {} : { create: 'file' }),
    ...(overlay.missing.includes(file.path) ? { isMissing: true } : {}),
  }));
}
