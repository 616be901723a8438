/** Every property by its name: which are carried out, which are not, and which are none. */
import { nearest } from '../core/nearest.ts';
import { COMMAND_PROPERTIES } from './command-line.ts';
import { failing, show } from './complaint.ts';
import { DIRECTORY_PROPERTIES } from './directory-properties.ts';
import type { Draft } from './draft.ts';
import { ENVIRONMENT_PROPERTIES } from './environment-properties.ts';
import { fixedValue, foreignNames, foreignSort, isOff } from './foreign-properties.ts';
import { PATH_PROPERTIES } from './path-properties.ts';
import { type PropertyReader, single } from './property.ts';
import type { Specifiers } from './specifiers.ts';
import { type Assignment, fieldOf } from './unit-file.ts';
import { USER_PROPERTIES } from './user-properties.ts';
import { asBoolean } from './values.ts';

const TYPES = ['simple', 'exec', 'forking', 'oneshot', 'dbus', 'notify', 'notify-reload', 'idle'] as const;

const READERS: ReadonlyMap<string, PropertyReader> = new Map<string, PropertyReader>([
  ...USER_PROPERTIES,
  ...DIRECTORY_PROPERTIES,
  ...PATH_PROPERTIES,
  ...ENVIRONMENT_PROPERTIES,
  ...COMMAND_PROPERTIES,
  [
    'Type',
    single('type', (value, { fail }) => TYPES.find(type => type === value) ?? fail(`there is no ${show(value)}`)),
  ],
]);

/** The properties that are carried out. */
export const PROPERTY_NAMES: readonly string[] = [...READERS.keys()];

export interface Reading {
  readonly specifiers: Specifiers;
  readonly ignoreUnknown: boolean;
  readonly warn: (text: string) => void;
}

/** @throws DynuserError LaunchFailed, LimitReached */
export function applyAssignment(draft: Draft, assignment: Assignment, reading: Reading): void {
  const { name, value } = assignment;
  const field = fieldOf(assignment);
  const read = READERS.get(name);
  if (read === undefined) {
    leaveOut(name, value, field, reading);
    return;
  }
  const fail = failing(field);
  read(draft, value, {
    fail,
    field,
    expand: (text, quote) => reading.specifiers.expand(text, fail, field, quote),
  });
}

function leaveOut(name: string, value: string, field: string, { ignoreUnknown, warn }: Reading): void {
  const sort = foreignSort(name);
  if (sort === 'manager' || name.startsWith('X-') || (sort === 'protection' && isOff(value))) {
    return;
  }
  if (sort === 'difference') {
    const fixed = fixedValue(name);
    const isSo = value === '' || value === fixed || (fixed === 'no' && asBoolean(value) === false);
    if (!isSo) {
      const instead = fixed === undefined ? 'left to what starts the launcher' : `always "${fixed}"`;
      warn(`${field}= is not carried out: it is ${instead}`);
    }
    return;
  }
  if (ignoreUnknown) {
    warn(`${field}= is ${sort === undefined ? 'unknown' : 'not supported'}, and left out`);
    return;
  }
  const way = '--ignore-unknown goes on without it';
  if (sort === 'protection') {
    failing(field)(`${name}= is not supported, and the service would not be protected as it says; ${way}`);
  }
  const meant = nearest(name, PROPERTY_NAMES) ?? nearest(name, foreignNames());
  failing(field)(`there is no property ${show(name)}${meant === undefined ? '' : `; ${meant}= is near it`}; ${way}`);
}
