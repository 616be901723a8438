/**
 * From the values of a request to the directories that it asks for: each once, in order of their paths, with all its
 * aliases; and to the variables that tell a service of them. Pure.
 */
import {
  DIRECTORY_KINDS,
  type DirectoryKind,
  type DirectoryRequest,
  type DirectorySettings,
  type InnerAlias,
  type RequestedDirectory,
} from '../../core/directory.ts';
import { type BaseDirectories, DEFAULT_MODE, DIRECTORY_CLASSES, MODE_MAX } from '../../core/directory-classes.ts';
import { parseDirectoryValue } from '../../core/directory-value.ts';
import { DIRECTORIES_MAX } from '../../core/limits.ts';
import { directoryFailed } from '../errors.ts';

/**
 * @returns the directories in order: by class, then by path, each one after those that it is below
 * @throws DynuserError DirectoryFailed if a value or a mode is invalid, or two directories are in each other's way
 */
export function requestedDirectories(request: DirectoryRequest, settings: DirectorySettings): RequestedDirectory[] {
  const all = DIRECTORY_KINDS.flatMap(kind => ofOneClass(kind, request[kind], settings));
  if (all.length > DIRECTORIES_MAX) {
    throw directoryFailed('stateDirectory', `a request may name ${DIRECTORIES_MAX} directories at most`);
  }
  return all;
}

function ofOneClass(kind: DirectoryKind, values: readonly string[], settings: DirectorySettings): RequestedDirectory[] {
  const { base, field } = DIRECTORY_CLASSES[kind];
  const mode = settings.modes[kind] ?? DEFAULT_MODE;
  if (!Number.isInteger(mode) || mode < 0 || mode > MODE_MAX) {
    throw directoryFailed(`${field}Mode`, 'a mode is 0 to 07777 in octal');
  }
  const merged = new Map<string, { aliases: Set<string>; readOnly: boolean }>();
  for (const text of values) {
    const value = parseDirectoryValue(text);
    if (typeof value === 'string') {
      throw directoryFailed(field, value);
    }
    const entry = merged.get(value.source) ?? { aliases: new Set<string>(), readOnly: false };
    entry.readOnly ||= value.readOnly;
    if (value.destination !== undefined) {
      entry.aliases.add(value.destination);
    }
    merged.set(value.source, entry);
  }
  const sorted = [...merged].sort(([one], [other]) => comparePaths(one, other));
  const sources = sorted.map(([source]) => source);
  checkAliases(field, sources, sorted);
  const quota = settings.quotas?.[kind];
  const preserved = kind !== 'runtime' || settings.preserveRuntime;
  return sorted.map(([source, { aliases, readOnly }]) => {
    const below = sources.find(other => isBelow(source, other));
    return {
      kind,
      source,
      ...sortAliases([...aliases].sort(comparePaths), sources, base, settings.covered ?? []),
      readOnly,
      ...(below === undefined ? {} : { below }),
      // What is below another directory counts as that does.
      ...(quota === undefined || below !== undefined ? {} : { quota }),
      mode,
      preserved,
      // What goes with the user is at its public path anyway.
      exposed: preserved && settings.expose === true,
    };
  });
}

/** By where they are: next to the directories, in the tree of one of them, or where the caller has something else. */
function sortAliases(
  all: readonly string[],
  sources: readonly string[],
  base: string,
  covered: readonly string[],
): Pick<RequestedDirectory, 'aliases' | 'innerAliases' | 'coveredAliases'> {
  const aliases: string[] = [];
  const innerAliases: InnerAlias[] = [];
  const coveredAliases: string[] = [];
  for (const alias of all) {
    // Of nested ones the outermost is first.
    const within = sources.find(source => isBelow(alias, source));
    const innermost = sources.findLast(source => isBelow(alias, source));
    if (isCovered(`${base}/${alias}`, innermost === undefined ? undefined : `${base}/${innermost}`, covered)) {
      coveredAliases.push(alias);
    } else if (within === undefined) {
      aliases.push(alias);
    } else {
      innerAliases.push({ path: alias, within });
    }
  }
  return {
    aliases,
    ...(innerAliases.length === 0 ? {} : { innerAliases }),
    ...(coveredAliases.length === 0 ? {} : { coveredAliases }),
  };
}

/** @param tree the innermost directory of the request that the path is in, which the caller has there */
function isCovered(path: string, tree: string | undefined, covered: readonly string[]): boolean {
  return covered.some(
    cover => (cover === '/' || path === cover || isBelow(path, cover)) && (tree === undefined || isBelow(cover, tree)),
  );
}

/** An alias at the place of a directory of the request, or above one, would be in its way. */
function checkAliases(
  field: string,
  sources: readonly string[],
  sorted: readonly (readonly [source: string, { readonly aliases: ReadonlySet<string> }])[],
): void {
  const taken = new Map<string, string>();
  for (const [source, { aliases }] of sorted) {
    for (const alias of aliases) {
      const rival = sources.find(other => other === alias || isBelow(other, alias));
      const other = rival ?? taken.get(alias);
      if (other !== undefined) {
        throw directoryFailed(field, `the alias ${alias} of ${source} is in the way of ${other}`);
      }
      taken.set(alias, source);
    }
  }
}

/** @returns whether a path is truly below another */
function isBelow(path: string, other: string): boolean {
  return path.startsWith(`${other}/`);
}

/** Component by component, so that what is below a directory follows it at once; bytes decide, not a language. */
function comparePaths(one: string, other: string): number {
  // No path has a NUL, which comes before any other byte.
  const [a, b] = [one, other].map(path => Buffer.from(path.replaceAll('/', '\0'))) as [Buffer, Buffer];
  return Buffer.compare(a, b);
}

/**
 * The variables that tell a service its directories: STATE_DIRECTORY and its siblings (systemd.exec(5)).
 * @returns the public paths of each class that has any, joined by colons. A colon within a path stays as it is, as with
 * systemd: a service that has one directory finds it, and one that has several must not have colons in their names.
 */
export function directoryEnvironment(
  directories: readonly RequestedDirectory[],
  bases: BaseDirectories,
): Readonly<Record<string, string>> {
  const environment: Record<string, string> = {};
  for (const kind of DIRECTORY_KINDS) {
    const paths = directories
      .filter(directory => directory.kind === kind)
      .map(directory => `${bases[kind]}/${directory.source}`);
    if (paths.length > 0) {
      environment[DIRECTORY_CLASSES[kind].variable] = paths.join(':');
    }
  }
  return environment;
}
