/** Lists of paths: what may be written, read or seen, and what is mounted where (systemd.exec(5), "Paths"). */
import { defined } from '../defined.ts';
import { checkLimit, quote } from '../errors.ts';
import { LIST_MAX } from '../limits.ts';
import type { MountEntry } from '../namespace/mount-entry.ts';
import { isMountOption, mountFlags } from '../syntax/mount-options.ts';
import { isWithin, readPath, type ValueContext } from '../syntax/values.ts';
import { skipWhitespace, takeWord } from '../syntax/words.ts';
import { boolean, entriesOf, type LayoutContext, list, listReader, type Property, value } from './property.ts';

/** A path of ReadWritePaths= and its siblings. */
export interface AccessPath {
  readonly path: string;
  /** "-": it may be missing */
  readonly optional: boolean;
  /** "+": below RootDirectory=, not below the host's root */
  readonly inRoot: boolean;
}

export interface BindPath {
  readonly source: string;
  readonly destination: string;
  readonly readOnly: boolean;
  readonly optional: boolean;
  /** with what is mounted below */
  readonly recursive: boolean;
}

/** "~" is the home of the user. */
export interface WorkingDirectory {
  readonly path: string;
  readonly optional: boolean;
}

export interface Tmpfs {
  readonly path: string;
  /** as tmpfs(5) has them, and flags of mount(8) */
  readonly options: readonly string[];
}

const DEFAULTS = [
  { names: ['size', 'nr_blocks'], option: 'size=10%' },
  { names: ['nr_inodes'], option: 'nr_inodes=400k' },
] as const;

const readAccess = listReader(readAccessPaths);

export const PATHS = {
  RootDirectory: value(readRoot, {
    refuses: true,
    manual:
      "The directory that becomes the service's root. If its programs are of musl, dynuserd answers them about users, at /run/nscd.",
    needs: 'mounts',
    isVital: true,
    plan: root => defined({ root }),
  }),
  RootDirectoryStartOnly: boolean({
    manual: 'RootDirectory= is for ExecStart= alone. Refused if another command has no + before it.',
  }),
  WorkingDirectory: value(readWorkingDirectory, {
    manual: 'Where the service starts. - before it: it may be missing; ~ is the home of the user.',
  }),
  ReadWritePaths: access(
    'ReadWritePaths',
    'readWrite',
    {
      manual:
        'Paths that stay writable if others are read-only. - before a path: it may be missing; + before it: it is below RootDirectory=.',
      needs: 'mounts',
    },
    'ReadWriteDirectories',
  ),
  ReadOnlyPaths: access(
    'ReadOnlyPaths',
    'readOnly',
    { manual: 'Paths that are read-only.', needs: 'mounts', lost: 'these paths are not read-only' },
    'ReadOnlyDirectories',
  ),
  InaccessiblePaths: access(
    'InaccessiblePaths',
    'hide',
    { manual: 'Paths that the service cannot enter, read or write.', needs: 'mounts', isVital: true },
    'InaccessibleDirectories',
  ),
  // Carried out once all mounts are there: see mount-ops.ts.
  NoExecPaths: list(readAccessPaths, {
    manual: 'Paths where nothing can be executed, with all below them but ExecPaths=.',
    // An attacker who can only write can start nothing of what was written.
    untrusted: '-/tmp -/var/tmp -/dev/shm',
    needs: 'mounts',
    lost: 'what is in these paths can be executed',
  }),
  ExecPaths: list(readAccessPaths, {
    manual: 'Paths where programs can be executed, within those of NoExecPaths=.',
    needs: 'mounts',
  }),
  TemporaryFileSystem: list(readTmpfs, {
    manual: 'PATH or PATH:OPTIONS: an empty file system in memory at each path.',
    // Sockets in /run are reached without a network; what is in /dev/shm is seen by all, and stays.
    untrusted: '/run:ro,size=4m /dev/shm:mode=1777',
    needs: 'mounts',
    isVital: true,
    mounts: entries => entries.map(tmpfsEntry),
  }),
  // Both names fill one list, and each empties it (systemd.exec(5)).
  BindPaths: list(bindsReader(false), {
    manual: 'SOURCE or SOURCE:DESTINATION: shows a file or directory at another path; the second name, read-only.',
    otherNames: { BindReadOnlyPaths: listReader(bindsReader(true)) },
    needs: 'mounts',
    isVital: true,
    mounts: (binds, context) => binds.map(bind => bindEntry(bind, context)),
  }),
};

/** @param oldName the property's name before systemd 231, which it still takes */
function access(
  field: string,
  kind: 'readWrite' | 'readOnly' | 'hide',
  row: Pick<Property<never>, 'manual' | 'needs' | 'lost' | 'isVital'>,
  oldName: string,
): Property<readonly AccessPath[]> {
  return list(readAccessPaths, {
    ...row,
    otherNames: { [oldName]: readAccess },
    mounts: (paths, { root }) =>
      paths.flatMap(entry => {
        const path = pathInRoot(entry, root);
        return path === undefined || path === '/' ? [] : [{ kind, path, field, optional: entry.optional }];
      }),
  });
}

/** @returns the path as the service sees it; undefined for one of the host that is not in the service's root */
export function pathInRoot({ path, inRoot }: AccessPath, root: string | undefined): string | undefined {
  if (inRoot || root === undefined) {
    return path;
  }
  return isWithin(path, root) ? path.slice(root.length) || '/' : undefined;
}

function bindEntry(bind: BindPath, { isDirectory }: LayoutContext): MountEntry {
  return {
    kind: 'bind',
    path: bind.destination,
    field: bind.readOnly ? 'BindReadOnlyPaths' : 'BindPaths',
    optional: bind.optional,
    readOnly: bind.readOnly,
    source: bind.source,
    nonRecursive: !bind.recursive,
    create: isDirectory(bind.source) ? 'directory' : 'file',
  };
}

function readRoot(text: string, { expand, fail }: ValueContext): string | undefined {
  const path = readPath(expand(text), fail);
  return path === '/' ? undefined : path;
}

/** "-" before the path: it may be missing. */
function readWorkingDirectory(text: string, context: ValueContext): WorkingDirectory | undefined {
  const optional = text.startsWith('-');
  const path = optional ? text.slice(1) : text;
  // As with systemd, a bad path is ignored only if the directory may be missing.
  const { expand, fail } = optional ? context : context.strict;
  return path === '' ? undefined : { path: path === '~' ? path : readPath(expand(path), fail), optional };
}

/** "-" before a path: it may be missing. "+": below the root directory of the service. In this order. */
function readAccessPaths(text: string, context: ValueContext): AccessPath[] {
  return entriesOf(text, 'plain', context, word => {
    const [, optional, inRoot, path] = /^(-?)(\+?)(.*)$/s.exec(word) ?? [];
    return {
      path: readPath(context.expand(path ?? ''), context.fail),
      optional: optional === '-',
      inRoot: inRoot === '+',
    };
  });
}

function readTmpfs(text: string, context: ValueContext): Tmpfs[] {
  return entriesOf(text, 'plain', context, word => {
    const colon = word.indexOf(':');
    const path = readPath(context.expand(colon < 0 ? word : word.slice(0, colon)), context.fail);
    if (path === '/') {
      context.strict.fail('an empty file system at "/"; give the service another root with RootDirectory=');
    }
    const options = colon < 0 ? '' : context.expand(word.slice(colon + 1));
    return { path, options: options === '' ? [] : options.split(',').map(option => checkOption(option, context)) };
  });
}

/** tmpfs(5), and the flags of mount(8) that concern a file system in memory. */
function checkOption(option: string, { strict }: ValueContext): string {
  const sized = /^(?:size|nr_blocks|nr_inodes)=\d{1,18}[kmgtpeKMGTPE%]?$/;
  const other =
    /^(?:noswap|mode=[0-7]{1,5}|[ug]id=\d{1,10}|huge=(?:never|always|within_size|advise)|mpol=[a-z:=0-9,-]{1,64})$/;
  return isMountOption(option) || sized.test(option) || other.test(option)
    ? option
    : strict.fail(`unknown option of a tmpfs: ${quote(option)}; use those of tmpfs(5)`);
}

function tmpfsEntry({ path, options }: Tmpfs): MountEntry {
  const flags = mountFlags(['nodev', ...options]);
  const readOnly = flags.delete('readOnly');
  const mode = options.findLast(option => option.startsWith('mode='))?.slice('mode='.length) ?? '755';
  const rest = options.filter(option => !isMountOption(option) && !option.startsWith('mode='));
  const given = new Set(rest.map(option => option.replace(/=.*/s, '')));
  const defaults = DEFAULTS.filter(({ names }) => !names.some(name => given.has(name))).map(({ option }) => option);
  return {
    kind: 'temporary',
    path,
    field: 'TemporaryFileSystem',
    clears: true,
    readOnly,
    mode: Number.parseInt(mode, 8) & 0o7777,
    options: [...defaults, ...rest],
    flags: [...flags],
  };
}

/** Reads `source[:destination[:options]]`; "-" before the source: it may be missing. */
function bindsReader(readOnly: boolean): (text: string, context: ValueContext) => BindPath[] {
  return (text, context) => {
    const found: BindPath[] = [];
    for (let from = 0; ; ) {
      // What cannot be split ends the list, as with systemd: what is before it stays.
      const { parts, next } = context.entry(() => takeParts(text, from, context)) ?? { parts: [], next: from };
      if (parts.length === 0) {
        return found;
      }
      found.push(...(context.entry(() => [toBind(parts, readOnly, context)]) ?? []));
      checkLimit(found.length, LIST_MAX, 'list entries', context.field);
      from = next;
    }
  };
}

/** @returns the parts of one entry, none at the end of the text, and where the next entry may begin */
function takeParts(text: string, from: number, { fail, field }: ValueContext): { parts: string[]; next: number } {
  const parts: string[] = [];
  let [next, end] = [from, ':'];
  while (end === ':') {
    const isNothing = parts.length > 0 && (next === text.length || skipWhitespace(text, next) > next);
    const word = isNothing ? { text: '', next, end: '' } : takeWord(text, next, 'plain', fail, ':');
    if (word === undefined) {
      break;
    }
    parts.push(word.text);
    checkLimit(parts.length, LIST_MAX, 'parts of a path', field);
    ({ next, end } = word);
  }
  return { parts, next };
}

function toBind(parts: readonly string[], readOnly: boolean, { fail, strict, expand }: ValueContext): BindPath {
  const [source = '', destination] = parts.slice(0, 2).map(part => expand(part));
  const [, , options = '', more] = parts;
  const optional = source.startsWith('-');
  const from = readPath(optional ? source.slice(1) : source, fail);
  if (parts.slice(1).includes('')) {
    fail(`nothing after a colon: ${quote(parts.join(':'))}; use SOURCE:DESTINATION, or escape the colon as "\\:"`);
  }
  const to = destination === undefined ? from : readPath(destination, fail);
  if (to === '/') {
    strict.fail('a mount at "/"; give the service another root with RootDirectory=');
  }
  if (!['', 'rbind', 'norbind'].includes(options) || more !== undefined) {
    fail(`unknown option of a bind mount: ${quote(parts.slice(2).join(':'))}; use rbind or norbind`);
  }
  return { source: from, destination: to, readOnly, optional, recursive: options !== 'norbind' };
}
