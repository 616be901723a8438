/** What a fleet is on one host: which names are its, and which UIDs it gives out. Pure. */

import type { RequestedDirectory } from './directory.ts';
import { DIRECTORY_CLASSES, PRIVATE } from './directory-classes.ts';
import type { Uid, UserName } from './ids.ts';
import { COMPANION_USER } from './paths.ts';
import { patternOf } from './pattern.ts';
import { mergeIntervals, parseRange, type UidRange } from './range.ts';

/** off: nothing is asked. preferred: a name that the fleet cannot give a UID now gets one of this host. required: it is refused. */
export const FLEET_MODES = ['off', 'preferred', 'required'] as const;
export type FleetMode = (typeof FLEET_MODES)[number];

/**
 * What a fleet gives out unless it is configured: systemd has 65536–524287 as unused (systemd, docs/UIDS-GIDS.md), /etc/subuid begins at
 * 100000, and Nomad has 80000–89999. They touch no host's own range, so that what one host gives out alone is never a user of the fleet
 * elsewhere.
 */
export const FLEET_RANGE = parseRange('65536-79999 90000-99999') as UidRange;

/** The id of a host in a fleet, and an incarnation of it. */
export const HOST_ID = /^[0-9a-f]{16}$/;
export const INCARNATION = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

/** The unit of a launch that was given none: it is not started again, here or elsewhere. */
const TRANSIENT_NAME = /^run-r[0-9a-f]{16}$/;

/** @returns whether the fleet may have the name: what lives once, and what the fleet needs itself, stays local */
function mayBeFleetName(name: UserName): boolean {
  return name !== COMPANION_USER && !TRANSIENT_NAME.test(name);
}

/** @param patterns of FleetNames= @param asked what the request says; undefined: nothing */
export function isFleetName(name: UserName, patterns: readonly string[], asked: boolean | undefined): boolean {
  return mayBeFleetName(name) && (asked ?? patterns.some(pattern => patternOf(pattern)(name)));
}

/** @returns a range as the store has it: the same text for the same UIDs, however they were written */
export function canonicalRange(range: UidRange): string {
  return mergeIntervals([range])
    .map(({ first, last }) => `${first}-${last}`)
    .join(' ');
}

/** A file system that hosts share: where this host has it, and what all of them call it. */
export interface SharedStorage {
  /** absolute, without a slash at the end unless it is the root */
  readonly path: string;
  readonly id: string;
}

/** A directory on shared storage. */
export interface SharedPlace {
  readonly storage: string;
  /** below the root of the storage */
  readonly path: string;
  /** the parameter that names it */
  readonly field: string;
}

/** @returns where the directories of a request are on shared storage, by their paths alone */
export function sharedPlaces(
  directories: readonly Pick<RequestedDirectory, 'kind' | 'source' | 'below'>[],
  storages: readonly SharedStorage[],
): readonly SharedPlace[] {
  return directories.flatMap(({ kind, source, below }) => {
    const { base, field } = DIRECTORY_CLASSES[kind];
    const paths = [`${base}/${PRIVATE}/${source}`, `${base}/${source}`];
    const places = below === undefined ? paths.flatMap(path => placeOf(path, storages)) : [];
    return places.slice(0, 1).map(place => ({ ...place, field }));
  });
}

function placeOf(path: string, storages: readonly SharedStorage[]): Omit<SharedPlace, 'field'>[] {
  const holding = storages
    .filter(storage => path === storage.path || path.startsWith(storage.path === '/' ? '/' : `${storage.path}/`))
    .toSorted((a, b) => b.path.length - a.path.length)[0];
  if (holding === undefined) {
    return [];
  }
  const below = path.slice(holding.path === '/' ? 0 : holding.path.length);
  return [{ storage: holding.id, path: below === '' ? '/' : below }];
}

/** A name and its UID, on every host of the fleet. */
export interface FleetUser {
  readonly name: UserName;
  readonly uid: Uid;
}
