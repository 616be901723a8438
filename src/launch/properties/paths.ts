/** Properties that are lists of paths: what may be written, read or seen, and what is mounted where (systemd.exec(5)). */
import { checkLimit, quote } from '../errors.ts';
import { LIST_MAX } from '../limits.ts';
import { readPath } from '../syntax/values.ts';
import { skipWhitespace, takeWord } from '../syntax/words.ts';
import type { AccessPath, BindPath, TemporaryFileSystem } from './exec-settings.ts';
import { list, type PropertyContext, type PropertyReader, plainWords } from './property.ts';

export const PATH_PROPERTIES: ReadonlyMap<string, PropertyReader> = new Map([
  ['ReadWritePaths', list(parsed => parsed.readWrite, readAccessPaths)],
  ['ReadOnlyPaths', list(parsed => parsed.readOnly, readAccessPaths)],
  ['InaccessiblePaths', list(parsed => parsed.inaccessible, readAccessPaths)],
  // Their names before systemd 231, which it still takes.
  ['ReadWriteDirectories', list(parsed => parsed.readWrite, readAccessPaths)],
  ['ReadOnlyDirectories', list(parsed => parsed.readOnly, readAccessPaths)],
  ['InaccessibleDirectories', list(parsed => parsed.inaccessible, readAccessPaths)],
  ['TemporaryFileSystem', list(parsed => parsed.temporary, readTemporary)],
  ['BindPaths', bindsOf(false)],
  ['BindReadOnlyPaths', bindsOf(true)],
]);

/** "-" before a path: it may be missing. "+": below the root directory of the service. In this order. */
function readAccessPaths(value: string, context: PropertyContext): AccessPath[] {
  return plainWords(value, context).map(word => {
    const [, optional, inRoot, path] = /^(-?)(\+?)(.*)$/s.exec(word) ?? [];
    return {
      path: readPath(context.expand(path ?? ''), context.fail),
      optional: optional === '-',
      inRoot: inRoot === '+',
    };
  });
}

function readTemporary(value: string, context: PropertyContext): TemporaryFileSystem[] {
  return plainWords(value, context).map(word => {
    const colon = word.indexOf(':');
    const path = readPath(context.expand(colon < 0 ? word : word.slice(0, colon)), context.fail);
    if (path === '/') {
      context.fail('an empty file system cannot be at "/"; a root of its own is given with RootDirectory=');
    }
    const options = colon < 0 ? '' : context.expand(word.slice(colon + 1));
    return { path, options: options === '' ? [] : options.split(',').map(option => checkOption(option, context)) };
  });
}

/** tmpfs(5) and the flags of mount(8) that concern a file system in memory. */
function checkOption(option: string, { fail }: PropertyContext): string {
  const flag = /^(?:ro|rw|suid|nosuid|dev|nodev|exec|noexec|noatime|relatime|strictatime|nodiratime|noswap)$/;
  const sized = /^(?:size|nr_blocks|nr_inodes)=\d{1,18}[kmgtpeKMGTPE%]?$/;
  const other =
    /^(?:mode=[0-7]{1,5}|[ug]id=\d{1,10}|huge=(?:never|always|within_size|advise)|mpol=[a-z:=0-9,-]{1,64})$/;
  return [flag, sized, other].some(pattern => pattern.test(option))
    ? option
    : fail(`${quote(option)} is no option of a tmpfs; tmpfs(5) lists them`);
}

/** Reads `source[:destination[:options]]`; "-" before the source: it may be missing. */
function bindsOf(readOnly: boolean): PropertyReader {
  return (parsed, value, context) => {
    if (value === '') {
      // Both properties fill one list, and each empties it (systemd.exec(5)).
      parsed.binds.length = 0;
      return;
    }
    for (const bind of readBinds(value, readOnly, context)) {
      parsed.binds.push(bind);
    }
    checkLimit(parsed.binds.length, LIST_MAX, 'entries in its list', context.field);
  };
}

function readBinds(value: string, readOnly: boolean, context: PropertyContext): BindPath[] {
  const { fail, field, expand } = context;
  const found: BindPath[] = [];
  for (let from = 0; ; ) {
    const parts: string[] = [];
    let end = ':';
    while (end === ':') {
      const word = takeWord(value, from, 'plain', fail, ':');
      if (word === undefined) {
        break;
      }
      parts.push(word.text);
      from = word.next;
      end = word.end;
      if (end === ':' && (from === value.length || skipWhitespace(value, from) > from)) {
        fail(`${quote(word.text)} has a colon with nothing behind it`);
      }
      checkLimit(parts.length, 3, 'parts of a path', field);
    }
    const [source = '', destination, options = ''] = parts;
    if (parts.length === 0) {
      return found;
    }
    checkLimit(found.length + 1, LIST_MAX, 'entries in its list', field);
    found.push(
      toBind(expand(source), destination === undefined ? undefined : expand(destination), options, readOnly, context),
    );
  }
}

function toBind(
  source: string,
  destination: string | undefined,
  options: string,
  readOnly: boolean,
  { fail }: PropertyContext,
): BindPath {
  const optional = source.startsWith('-');
  const from = readPath(optional ? source.slice(1) : source, fail);
  const to = destination === undefined ? from : readPath(destination, fail);
  if (to === '/') {
    fail('nothing can be mounted at "/"; a root of its own is given with RootDirectory=');
  }
  if (!['', 'rbind', 'norbind'].includes(options)) {
    fail(`${quote(options)} is no option of a bind mount; there are "rbind" and "norbind"`);
  }
  return { source: from, destination: to, readOnly, optional, recursive: options !== 'norbind' };
}
