/**
 * What --untrusted sets: for a program that may be hostile, all that a launch can take from it. Its assignments hold over
 * those of a unit file, and what is typed with --property= and --setenv= holds over them. Pure data.
 */
import type { Assignment } from '../syntax/unit-file.ts';

/** Where these assignments are from, in messages. */
const ORIGIN = '--untrusted';

const PRESET: readonly (readonly [name: string, value: string])[] = [
  ['DynamicUser', 'yes'],
  ['NoNewPrivileges', 'yes'],
  ['RestrictSUIDSGID', 'yes'],
  ['CapabilityBoundingSet', ''],
  ['AmbientCapabilities', ''],
  ['PrivateUsers', 'yes'],
  ['PrivateNetwork', 'yes'],
  ['PrivateIPC', 'yes'],
  ['RemoveIPC', 'yes'],
  ['ProtectProc', 'invisible'],
  ['ProcSubset', 'pid'],
  ['ProtectSystem', 'strict'],
  ['ProtectHome', 'yes'],
  ['PrivateTmp', 'yes'],
  ['PrivateDevices', 'yes'],
  // Sockets in /run are reached without a network; what is in /dev/shm is seen by all, and stays.
  ['TemporaryFileSystem', '/run:ro,size=4m /dev/shm:mode=1777'],
  // The links by which the NSS module finds names: without them the user would be a number to itself.
  ['BindReadOnlyPaths', '-/run/dynuser/by-uid -/run/dynuser/by-name'],
];

/** Variables of the launcher's own environment that the program has; with "*" at its end, a beginning of names. */
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
