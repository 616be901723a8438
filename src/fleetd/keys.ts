/**
 * The keys of a fleet, and their values. No UID is ever freed because time passed: a binding (name/, uid/) stays until no host
 * holds the name and no shared directory belongs to it, and a hold stays until its host takes it back, or an operator says that the host is
 * powered off.
 *
 * | key                    | value                                     | written by                          |
 * | ---------------------- | ----------------------------------------- | ----------------------------------- |
 * | meta                   | {"schema":1,"ranges":"65536-79999"}       | create                              |
 * | confirmed              | the cluster whose bindings are all there  | create, resume                      |
 * | suspended              | a nonce, after the store went back        | whoever sees a lower revision       |
 * | uid/suspended          | the same; for who watches                 | the same, resume                    |
 * | inc/HOST               | an incarnation, or "fenced." and that     | join, forgetHost                    |
 * | host/HOST              | JSON; goes when the host is not heard of  | the companion of the host           |
 * | host-name/HOST         | what the host is called; for people       | join, leave                         |
 * | name/NAME              | UID                                       | hold, collect, restore              |
 * | uid/UID                | NAME, or -NAME while it cools down        | hold, collect, restore              |
 * | uid/fenced.HOST        | the incarnation; goes after a minute      | forgetHost                          |
 * | hold/NAME/HOST         | the incarnation                           | hold, forget, forgetHost, restore   |
 * | by-host/HOST/NAME      | UID                                       | the same                            |
 * | dir/DIGEST             | JSON: storage, path, name                 | takeDirectory                       |
 * | dir-of/NAME/DIGEST     | the same                                  | the same                            |
 * | put-again/HOST         | the cluster and the nonce                 | restore                             |
 * | conflict/HOST/NAME     | UID                                       | restore, forget                     |
 */
import { createHash } from 'node:crypto';

export const META = 'meta';
export const CONFIRMED = 'confirmed';
export const SUSPENDED = 'suspended';
export const INCARNATIONS = 'inc/';
export const PRESENT = 'host/';
export const HOST_NAMES = 'host-name/';
export const NAMES = 'name/';
export const UIDS = 'uid/';
export const HOLDS = 'hold/';
export const BY_HOST = 'by-host/';
export const DIRECTORIES = 'dir/';
export const DIRECTORIES_OF = 'dir-of/';
export const PUT_AGAIN = 'put-again/';
export const CONFLICTS = 'conflict/';

const FENCED = 'fenced.';
const COOLING = '-';

export const incarnationKey = (host: string): string => INCARNATIONS + host;
export const presentKey = (host: string): string => PRESENT + host;
export const hostNameKey = (host: string): string => HOST_NAMES + host;
export const nameKey = (name: string): string => NAMES + name;
export const uidKey = (uid: number): string => `${UIDS}${uid}`;
/** Below UIDS, so that the one watch of each host has it: a host that is there hears at once that it was given up. */
export const fenceNoticeKey = (host: string): string => `${UIDS}${FENCED}${host}`;
/** For the same reason: a host that is there hears at once that it has to put its bindings again. */
export const SUSPENSION_NOTICE = `${UIDS}suspended`;
export const holdsOfName = (name: string): string => `${HOLDS}${name}/`;
export const holdKey = (name: string, host: string): string => holdsOfName(name) + host;
export const heldByHost = (host: string): string => `${BY_HOST}${host}/`;
export const byHostKey = (host: string, name: string): string => heldByHost(host) + name;
export const directoriesOfName = (name: string): string => `${DIRECTORIES_OF}${name}/`;
export const putAgainKey = (host: string): string => PUT_AGAIN + host;
export const conflictsOfHost = (host: string): string => `${CONFLICTS}${host}/`;

/** @returns the incarnation of a host that an operator has forgotten */
export function fencedFrom(incarnation: string): string {
  return FENCED + incarnation;
}

export function isFenced(incarnation: string): boolean {
  return incarnation.startsWith(FENCED);
}

/** @returns the host that a notice of fenceNoticeKey() is for */
export function noticedHost(key: string): string | undefined {
  return key.startsWith(UIDS + FENCED) ? key.slice((UIDS + FENCED).length) : undefined;
}

/** @returns the value of a UID that a name has given back */
export function coolingOf(name: string): string {
  return COOLING + name;
}

export function isCooling(holder: string): boolean {
  return holder.startsWith(COOLING);
}

/** Paths are longer than a name in a directory may be, and have slashes. */
export function directoryDigest(storage: string, path: string): string {
  return createHash('sha256').update(`${storage}\0${path}`).digest('hex').slice(0, 32);
}

/** @returns the last part of a key */
export function lastPart(key: string): string {
  return key.slice(key.lastIndexOf('/') + 1);
}

/** @returns the UID that a key's value says; undefined for what nobody of a fleet has written */
export function uidOf(value: string): number | undefined {
  return /^\d{1,10}$/.test(value) ? Number(value) : undefined;
}

/** @throws Error for a store that somebody else has written to */
export function uidIn(value: string, key: string): number {
  const uid = uidOf(value);
  if (uid === undefined) {
    throw new Error(`${key}: "${value.slice(0, 32)}" is not a UID; somebody has written to the store by hand`);
  }
  return uid;
}

/** @returns a text of a JSON object that somebody of the fleet has written */
export function textField(json: string, field: string): string | undefined {
  try {
    const value: unknown = JSON.parse(json);
    const text: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, field) : undefined;
    return typeof text === 'string' ? text : undefined;
  } catch {
    return undefined;
  }
}
