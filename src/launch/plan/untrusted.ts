/**
 * What --untrusted sets: for a program that may be hostile, all that a launch can take from it. Its assignments override
 * those of a unit file, and --property= and --setenv= override them. Pure data.
 */
import { untrustedValues } from '../properties/table.ts';
import type { Assignment } from '../syntax/unit-file.ts';

/** The origin of these assignments, in messages. */
const ORIGIN = '--untrusted';

const PRESET: readonly (readonly [name: string, value: string])[] = [
  ...untrustedValues(),
  // The links by which the NSS module finds names: without them the user would be a number to itself.
  ['BindReadOnlyPaths', '-/run/dynuser/by-uid -/run/dynuser/by-name'],
];

/** Variables of the launcher's own environment that the program gets; with "*" at its end, a beginning of names. */
export const UNTRUSTED_VARIABLES: readonly string[] = ['PATH', 'TERM', 'LANG', 'LC_*'];

export const UNTRUSTED_ASSIGNMENTS: readonly Assignment[] = PRESET.map(([name, value]) => ({
  name,
  value,
  origin: ORIGIN,
}));

/**
 * @param fields of each property that was given, the field of an error about its last assignment
 * @returns what the preset sets, in words, and what was changed in it
 */
export function untrustedWords(fields: ReadonlyMap<string, string>): string[] {
  return PRESET.map(([name, value]) =>
    fields.get(name) === `${ORIGIN}: ${name}` ? `${name}=${value}` : `${name}=${value}, changed by ${name}=`,
  );
}
