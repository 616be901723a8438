/** Tells the assignments that a launch carries out from the others, which are passed over, a warning, or refused. */
import { nearest } from '../../core/nearest.ts';
import { failFor, quote } from '../errors.ts';
import { REFUSED_SHOWN_MAX } from '../limits.ts';
import { type Assignment, fieldOf } from '../syntax/unit-file.ts';
import { asBoolean } from '../syntax/values.ts';
import { isCarriedOut, PROPERTY_NAMES } from './table.ts';
import { classify, fixedValue, isOff, unsupportedNames } from './unsupported-properties.ts';

export interface UnsupportedOptions {
  /** --ignore-unknown: what would be refused is a warning */
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
    const kind = classify(name);
    const field = fieldOf(assignment);
    if (kind === 'manager' || name.startsWith('X-') || (kind === 'protection' && isOff(value))) {
      return false;
    }
    if (kind === 'difference') {
      warnOfDifference(name, value, field, options.warn);
    } else if (options.ignoreUnknown) {
      options.warn(`${field}= is ignored: it is ${REASONS[kind ?? 'unknown']}`);
    } else {
      refused.push(assignment);
    }
    return false;
  });
  return refused.length === 0 ? carriedOut : refuse(refused);
}

const REASONS = {
  protection: 'not supported',
  section: 'a setting of [Unit] or [Install]',
  unknown: 'unknown',
} as const;

function warnOfDifference(name: string, value: string, field: string, warn: (text: string) => void): void {
  const fixed = fixedValue(name);
  const isAlready = value === '' || value === fixed || (fixed === 'no' && asBoolean(value) === false);
  if (!isAlready) {
    const instead = fixed === undefined ? 'left to what starts the launcher' : `always "${fixed}"`;
    warn(`${field}= is ignored: it is ${instead}`);
  }
}

/** One sentence for all of them, each by the place of its first assignment. */
function refuse(refused: readonly Assignment[]): never {
  const once = refused.filter((one, index) => refused.findIndex(({ name }) => name === one.name) === index);
  const ofKind = (kind: 'protection' | 'section' | undefined) => once.filter(({ name }) => classify(name) === kind);
  const unsupported = ofKind('protection');
  const parts = [
    ...listWords('unsupported', unsupported, unsupportedWords),
    ...listWords('unknown', ofKind(undefined), unknownWords),
    ...listWords('[Unit] or [Install]', ofKind('section'), unsupportedWords),
  ];
  const it = once.length === 1 ? 'it' : 'them';
  const way =
    unsupported.length === 0
      ? `use --ignore-unknown to skip ${it}`
      : `use --ignore-unknown to run without ${it}, less protected than the service is meant to be`;
  return failFor('properties')(`${parts.join(', ')}; ${way}`);
}

function listWords(adjective: string, list: readonly Assignment[], words: (one: Assignment) => string): string[] {
  if (list.length === 0) {
    return [];
  }
  const more = list.length > REFUSED_SHOWN_MAX ? ` and ${list.length - REFUSED_SHOWN_MAX} more` : '';
  const names = list.slice(0, REFUSED_SHOWN_MAX).map(words).join(', ');
  return [`${adjective} ${list.length === 1 ? 'property' : 'properties'} ${names}${more}`];
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
