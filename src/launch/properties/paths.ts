/** Lists of paths: what may be written, read or seen, and what is mounted where (systemd.exec(5), "Paths"). */
import { checkLimit, quote } from '../errors.ts';
import { LIST_MAX } from '../limits.ts';
import type { MountEntry } from '../namespace/mount-entry.ts';
import { type Tmpfs, tmpfsEntry } from '../namespace/tmpfs.ts';
import { isWithin, readPath, type ValueContext } from '../syntax/values.ts';
import { skipWhitespace, takeWord } from '../syntax/words.ts';
import { type LayoutContext, list, listReader, type Property, value, wordsOf } from './property.ts';

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

const readAccess = listReader(readAccessPaths);

export const PATHS = {
  RootDirectory: value(readRoot, {
    needs: 'mounts',
    isVital: true,
    plan: root => (root === undefined ? {} : { root }),
  }),
  WorkingDirectory: value(readWorkingDirectory),
  ReadWritePaths: access('ReadWritePaths', 'readWrite', { needs: 'mounts' }, 'ReadWriteDirectories'),
  ReadOnlyPaths: access(
    'ReadOnlyPaths',
    'readOnly',
    { needs: 'mounts', lost: 'these paths are not read-only' },
    'ReadOnlyDirectories',
  ),
  InaccessiblePaths: access('InaccessiblePaths', 'hide', { needs: 'mounts', isVital: true }, 'InaccessibleDirectories'),
  TemporaryFileSystem: list(readTmpfs, {
    // Sockets in /run are reached without a network; what is in /dev/shm is seen by all, and stays.
    untrusted: '/run:ro,size=4m /dev/shm:mode=1777',
    needs: 'mounts',
    isVital: true,
    mounts: entries => entries.map(tmpfsEntry),
  }),
  // Both names fill one list, and each empties it (systemd.exec(5)).
  BindPaths: list(bindsReader(false), {
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
  row: Pick<Property<never>, 'needs' | 'lost' | 'isVital'>,
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
function readWorkingDirectory(text: string, { expand, fail }: ValueContext): WorkingDirectory | undefined {
  const optional = text.startsWith('-');
  const path = optional ? text.slice(1) : text;
  return path === '' ? undefined : { path: path === '~' ? path : readPath(expand(path), fail), optional };
}

/** "-" before a path: it may be missing. "+": below the root directory of the service. In this order. */
function readAccessPaths(text: string, context: ValueContext): AccessPath[] {
  return wordsOf(text, 'plain', context).map(word => {
    const [, optional, inRoot, path] = /^(-?)(\+?)(.*)$/s.exec(word) ?? [];
    return {
      path: readPath(context.expand(path ?? ''), context.fail),
      optional: optional === '-',
      inRoot: inRoot === '+',
    };
  });
}

function readTmpfs(text: string, context: ValueContext): Tmpfs[] {
  return wordsOf(text, 'plain', context).map(word => {
    const colon = word.indexOf(':');
    const path = readPath(context.expand(colon < 0 ? word : word.slice(0, colon)), context.fail);
    if (path === '/') {
      context.fail('an empty file system at "/"; give the service another root with RootDirectory=');
    }
    const options = colon < 0 ? '' : context.expand(word.slice(colon + 1));
    return { path, options: options === '' ? [] : options.split(',').map(option => checkOption(option, context)) };
  });
}

/** tmpfs(5), and the flags of mount(8) that concern a file system in memory. */
function checkOption(option: string, { fail }: ValueContext): string {
  const flag = /^(?:ro|rw|suid|nosuid|dev|nodev|exec|noexec|noatime|relatime|strictatime|nodiratime|noswap)$/;
  const sized = /^(?:size|nr_blocks|nr_inodes)=\d{1,18}[kmgtpeKMGTPE%]?$/;
  const other =
    /^(?:mode=[0-7]{1,5}|[ug]id=\d{1,10}|huge=(?:never|always|within_size|advise)|mpol=[a-z:=0-9,-]{1,64})$/;
  return [flag, sized, other].some(pattern => pattern.test(option))
    ? option
    : fail(`unknown option of a tmpfs: ${quote(option)}; use those of tmpfs(5)`);
}

/** Reads `source[:destination[:options]]`; "-" before the source: it may be missing. */
function bindsReader(readOnly: boolean): (text: string, context: ValueContext) => BindPath[] {
  return (text, context) => {
    const { fail, field, expand } = context;
    const found: BindPath[] = [];
    for (let from = 0; ; ) {
      const parts: string[] = [];
      let end = ':';
      while (end === ':') {
        const word = takeWord(text, from, 'plain', fail, ':');
        if (word === undefined) {
          break;
        }
        parts.push(word.text);
        from = word.next;
        end = word.end;
        if (end === ':' && (from === text.length || skipWhitespace(text, from) > from)) {
          fail(`nothing behind a colon: ${quote(word.text)}; use SOURCE:DESTINATION, or escape the colon as "\\:"`);
        }
        checkLimit(parts.length, 3, 'parts of a path', field);
      }
      const [source = '', destination, options = ''] = parts;
      if (parts.length === 0) {
        return found;
      }
      checkLimit(found.length + 1, LIST_MAX, 'list entries', field);
      found.push(
        toBind(expand(source), destination === undefined ? undefined : expand(destination), options, readOnly, context),
      );
    }
  };
}

function toBind(
  source: string,
  destination: string | undefined,
  options: string,
  readOnly: boolean,
  { fail }: ValueContext,
): BindPath {
  const optional = source.startsWith('-');
  const from = readPath(optional ? source.slice(1) : source, fail);
  const to = destination === undefined ? from : readPath(destination, fail);
  if (to === '/') {
    fail('a mount at "/"; give the service another root with RootDirectory=');
  }
  if (!['', 'rbind', 'norbind'].includes(options)) {
    fail(`unknown option of a bind mount: ${quote(options)}; use rbind or norbind`);
  }
  return { source: from, destination: to, readOnly, optional, recursive: options !== 'norbind' };
}
