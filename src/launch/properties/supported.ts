/** The assignments that a launch does not carry out: which mean nothing here, which are worth a warning, which are refused. */
import { nearest } from '../../core/nearest.ts';
import { failFor, quote } from '../errors.ts';
import { REFUSED_SHOWN_MAX } from '../limits.ts';
import { type Assignment, fieldOf } from '../syntax/unit-file.ts';
import { asBoolean } from '../syntax/values.ts';
import { isCarriedOut, PROPERTY_NAMES } from './table.ts';
import { classify, fixedValue, isOff, unsupportedNames } from './unsupported-properties.ts';

export interface UnsupportedOptions {
  /** --ignore-unknown: what would be refused is left out with a warning */
  readonly ignoreUnknown: boolean;
  readonly warn: (text: string) => void;
}

/**
 * @returns the assignments that are carried out, in their order
 * @throws DynuserError LaunchFailed that names all properties that are not supported or not known
 */
export function selectSupported(assignments: readonly Assignment[], options: UnsupportedOptions): Assignment[] {
  const refused: Assignment[] = [];
  const carriedOut = assignments.filter(assignment => {
    const { name, value } = assignment;
    if (isCarriedOut(name)) {
      return true;
    }
    const sort = classify(name);
    const field = fieldOf(assignment);
    if (sort === 'manager' || name.startsWith('X-') || (sort === 'protection' && isOff(value))) {
      return false;
    }
    if (sort === 'difference') {
      warnOfDifference(name, value, field, options.warn);
    } else if (options.ignoreUnknown) {
      options.warn(`${field}= is ${sort === undefined ? 'unknown' : 'not supported'}, and left out`);
    } else {
      refused.push(assignment);
    }
    return false;
  });
  return refused.length === 0 ? carriedOut : refuse(refused);
}

function warnOfDifference(name: string, value: string, field: string, warn: (text: string) => void): void {
  const fixed = fixedValue(name);
  const isSo = value === '' || value === fixed || (fixed === 'no' && asBoolean(value) === false);
  if (!isSo) {
    const instead = fixed === undefined ? 'left to what starts the launcher' : `always "${fixed}"`;
    warn(`${field}= is not carried out: it is ${instead}`);
  }
}

/** One sentence for all of them, each by the place of its first assignment. */
function refuse(refused: readonly Assignment[]): never {
  const once = refused.filter((one, index) => refused.findIndex(({ name }) => name === one.name) === index);
  const unsupported = once.filter(({ name }) => classify(name) !== undefined);
  const unknown = once.filter(({ name }) => classify(name) === undefined);
  const parts = [
    ...listWords('unsupported', unsupported, unsupportedWords),
    ...listWords('unknown', unknown, unknownWords),
  ];
  const it = once.length === 1 ? 'it' : 'them';
  const way =
    unsupported.length === 0
      ? `use --ignore-unknown to skip ${it}`
      : `use --ignore-unknown to run without ${it}, less protected than the service is meant to be`;
  return failFor('properties')(`${parts.join(', ')}; ${way}`);
}

function listWords(sort: string, list: readonly Assignment[], words: (one: Assignment) => string): string[] {
  if (list.length === 0) {
    return [];
  }
  const more = list.length > REFUSED_SHOWN_MAX ? ` and ${list.length - REFUSED_SHOWN_MAX} more` : '';
  const names = list.slice(0, REFUSED_SHOWN_MAX).map(words).join(', ');
  return [`${sort} ${list.length === 1 ? 'property' : 'properties'} ${names}${more}`];
}

function unsupportedWords({ name, origin }: Assignment): string {
  return origin === undefined ? `${name}=` : `${name}= (${origin})`;
}

function unknownWords({ name, origin }: Assignment): string {
  const meant = nearest(name, PROPERTY_NAMES) ?? nearest(name, unsupportedNames());
  const notes = [
    ...(origin === undefined ? [] : [origin]),
    ...(meant === undefined ? [] : [`did you mean ${meant}=?`]),
  ];
  return notes.length === 0 ? quote(name) : `${quote(name)} (${notes.join('; ')})`;
}
