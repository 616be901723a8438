/**
 * From the values of a request to the directories that it asks for: each once, in order of their paths, with all its
 * aliases. Pure.
 */
import {
  DIRECTORY_KINDS,
  type DirectoryKind,
  type DirectoryRequest,
  type DirectorySettings,
  type RequestedDirectory,
} from '../../core/directory.ts';
import { DEFAULT_MODE, DIRECTORY_CLASSES, MODE_MAX } from '../../core/directory-classes.ts';
import { DynuserError } from '../../core/errors.ts';
import { DIRECTORIES_MAX } from '../../core/limits.ts';
import { parseDirectoryValue } from './value.ts';

/**
 * @returns the directories in order: by class, then by path, each one after those that it is below
 * @throws DynuserError DirectoryFailed if a value or a mode is invalid, or two directories are in each other's way
 */
export function requestedDirectories(request: DirectoryRequest, settings: DirectorySettings): RequestedDirectory[] {
  const all = DIRECTORY_KINDS.flatMap(kind => ofOneClass(kind, request[kind], settings));
  if (all.length > DIRECTORIES_MAX) {
    throw new DynuserError('DirectoryFailed', `a request may name ${DIRECTORIES_MAX} directories at most`, {
      field: 'stateDirectory',
    });
  }
  return all;
}

function ofOneClass(kind: DirectoryKind, values: readonly string[], settings: DirectorySettings): RequestedDirectory[] {
  const { field } = DIRECTORY_CLASSES[kind];
  const mode = settings.modes[kind] ?? DEFAULT_MODE;
  if (!Number.isInteger(mode) || mode < 0 || mode > MODE_MAX) {
    throw new DynuserError('DirectoryFailed', `a mode is 0 to 07777 in octal`, { field: `${field}Mode` });
  }
  const merged = new Map<string, { aliases: Set<string>; readOnly: boolean }>();
  for (const text of values) {
    const value = parseDirectoryValue(text);
    if (typeof value === 'string') {
      throw new DynuserError('DirectoryFailed', value, { field });
    }
    const entry = merged.get(value.source) ?? { aliases: new Set<string>(), readOnly: false };
    entry.readOnly ||= value.readOnly;
    if (value.destination !== undefined) {
      entry.aliases.add(value.destination);
    }
    merged.set(value.source, entry);
  }
  const sources = [...merged.keys()].sort(comparePaths);
  checkAliases(field, sources, merged);
  const preserved = kind !== 'runtime' || settings.preserveRuntime;
  return sources.map(source => {
    const below = sources.find(other => isBelow(source, other));
    return {
      kind,
      source,
      aliases: [...(merged.get(source)?.aliases ?? [])].sort(comparePaths),
      readOnly: merged.get(source)?.readOnly === true,
      ...(below === undefined ? {} : { below }),
      mode,
      preserved,
      // What goes with the user is at its public path anyway.
      exposed: preserved && settings.expose === true,
    };
  });
}

/** An alias in a directory of the request would be a link in a tree that is somebody's, or one in the way of it. */
function checkAliases(
  field: string,
  sources: readonly string[],
  merged: ReadonlyMap<string, { readonly aliases: ReadonlySet<string> }>,
): void {
  const taken = new Map<string, string>();
  for (const source of sources) {
    for (const alias of merged.get(source)?.aliases ?? []) {
      const rival = sources.find(other => other === alias || isBelow(alias, other) || isBelow(other, alias));
      const other = rival ?? taken.get(alias);
      if (other !== undefined) {
        throw new DynuserError('DirectoryFailed', `the alias ${alias} of ${source} is in the way of ${other}`, {
          field,
        });
      }
      taken.set(alias, source);
    }
  }
}

/** @returns whether a path is truly below another */
export function isBelow(path: string, other: string): boolean {
  return path.startsWith(`${other}/`);
}

/** Component by component, so that what is below a directory follows it at once; bytes decide, not a language. */
function comparePaths(one: string, other: string): number {
  const [a, b] = [one.split('/'), other.split('/')];
  for (let index = 0; index < Math.min(a.length, b.length); index++) {
    const order = Buffer.compare(Buffer.from(a[index] ?? ''), Buffer.from(b[index] ?? ''));
    if (order !== 0) {
      return order;
    }
  }
  return a.length - b.length;
}
