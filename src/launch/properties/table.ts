/** The properties that are carried out, by their names. */

import { failFor, quote } from '../errors.ts';
import { COMMAND_PROPERTIES } from '../syntax/command-line.ts';
import type { Specifiers } from '../syntax/specifiers.ts';
import { type Assignment, fieldOf } from '../syntax/unit-file.ts';
import { DIRECTORY_PROPERTIES } from './directories.ts';
import { ENVIRONMENT_PROPERTIES } from './environment.ts';
import type { ParsedProperties } from './parsed-properties.ts';
import { PATH_PROPERTIES } from './paths.ts';
import { type PropertyReader, single } from './property.ts';
import { USER_PROPERTIES } from './user.ts';

const TYPES = ['simple', 'exec', 'forking', 'oneshot', 'dbus', 'notify', 'notify-reload', 'idle'] as const;

const READERS: ReadonlyMap<string, PropertyReader> = new Map<string, PropertyReader>([
  ...USER_PROPERTIES,
  ...DIRECTORY_PROPERTIES,
  ...PATH_PROPERTIES,
  ...ENVIRONMENT_PROPERTIES,
  ...COMMAND_PROPERTIES,
  [
    'Type',
    single('type', (value, { fail }) => TYPES.find(type => type === value) ?? fail(`there is no ${quote(value)}`)),
  ],
]);

/** The properties that are carried out. */
export const PROPERTY_NAMES: readonly string[] = [...READERS.keys()];

/** @returns whether a launch carries the property out */
export function isCarriedOut(name: string): boolean {
  return READERS.has(name);
}

/**
 * Applies an assignment of a property that is carried out; any other is for unsupported.ts.
 * @throws DynuserError LaunchFailed, LimitReached
 */
export function applyAssignment(parsed: ParsedProperties, assignment: Assignment, specifiers: Specifiers): void {
  const { name, value } = assignment;
  const field = fieldOf(assignment);
  const fail = failFor(field);
  parsed.fields.set(name, field);
  READERS.get(name)?.(parsed, value, {
    fail,
    field,
    expand: (text, quote) => specifiers.expand(text, fail, field, quote),
  });
}
