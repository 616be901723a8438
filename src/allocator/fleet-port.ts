/**
 * What making a user needs of the fleet: the UID that a name has on all of its hosts. src/fleet/ implements it; a daemon without a fleet has
 * none. All methods that ask throw DynuserError FleetUnavailable if there is no answer within a bounded time.
 */

import type { RequestedDirectory } from '../core/directory.ts';
import { DynuserError } from '../core/errors.ts';
import type { FleetUser } from '../core/fleet.ts';
import type { Uid, UserName } from '../core/ids.ts';
import type { UidRange } from '../core/range.ts';

/**
 * held: this host has it recorded that it may run processes as the name's user. bound: the name has another UID, which is to be locked and
 * examined first. taken: the UID is another name's.
 */
export type HoldOutcome =
  | { readonly kind: 'held' }
  | { readonly kind: 'bound'; readonly uid: Uid }
  | { readonly kind: 'taken' };

/**
 * What the fleet says of a name, for people. held: this host holds it, and asks nobody. bound: it has a UID on every host, and the first use here
 * asks the store. free: it has none. conflict: what is recorded here and in the store contradict each other. unavailable: nobody can say now.
 */
export interface FleetFinding {
  readonly outcome: 'held' | 'bound' | 'free' | 'conflict' | 'unavailable';
  /** the UID that the name has on every host, if that is known */
  readonly uid?: Uid;
  readonly reason: string;
}

/** The users of all hosts, for lookups. */
export interface FleetUsers {
  userNamed(name: UserName): FleetUser | undefined;
  userNumbered(uid: Uid): FleetUser | undefined;
  users(): readonly FleetUser[];
}

export interface FleetPort {
  readonly range: UidRange;
  /** Whether the user of a name is the fleet's. preferred: or this host's own, if the fleet does not answer. @param asked what the request says */
  concerns(name: UserName, asked: boolean | undefined): 'preferred' | 'required' | undefined;
  /** Until the end of the scope the name is in use, and not forgotten. To be called before its UID is asked for. */
  begin(name: UserName): Promise<Disposable>;
  /**
   * The UID that a name has: as this host has it recorded, for which nobody is asked, or as is known of the fleet. After a boot it waits for
   * the fleet to say that this host was not given up meanwhile.
   * @returns undefined if the name is bound to none, as far as is known
   * @throws DynuserError FleetUnavailable, FleetConflict
   */
  uidOf(name: UserName): Promise<Uid | undefined>;
  /**
   * Whether more may run as a user that lives here.
   * @throws DynuserError FleetConflict if the store of the fleet has its UID for another name, or its name with another UID
   */
  checkJoin(name: UserName, uid: Uid): void;
  /** UIDs that the name had before: the first candidates. */
  formerUids(name: UserName): readonly Uid[];
  /** The name that has a UID of the range, as far as is known; undefined if it is free, or the name's own. */
  ownerOf(uid: Uid, name: UserName): UserName | undefined;
  /**
   * Holds a name with a UID that is locked here and was found free. When it returns 'held', that is on disk.
   * @throws DynuserError FleetUnavailable, FleetConflict
   */
  hold(name: UserName, uid: Uid): Promise<HoldOutcome>;
  /** What is known of a name of the fleet, without asking anybody. */
  finding(name: UserName): FleetFinding;
  /** Reads anew which UIDs are whose. @throws DynuserError FleetUnavailable */
  refresh(): Promise<void>;
  /**
   * Sees to it that directories on shared storage are the name's on all hosts, before they are handed over. Those of the fleet's users alone
   * may be there.
   * @param uid of the user that gets them
   * @throws DynuserError FleetUnavailable, DirectoryFailed
   */
  takeDirectories(name: UserName, uid: Uid, directories: readonly RequestedDirectory[]): Promise<void>;
  /** Whether any of the directories is on shared storage. */
  hasShared(directories: readonly RequestedDirectory[]): boolean;
  /** Notes that a user of the fleet was given out, with its directories. */
  used(name: UserName, directories: readonly RequestedDirectory[]): void;
}

/**
 * @param asked what the request says
 * @returns the fleet, if the user of the name is the fleet's, and what is done if it does not answer
 * @throws DynuserError FleetUnavailable if the request wants a UID that is the same on all hosts, and this host is in no fleet
 */
export function fleetOfName(
  fleet: FleetPort | undefined,
  name: UserName,
  asked: boolean | undefined,
): { readonly fleet: FleetPort; readonly mode: 'preferred' | 'required' } | undefined {
  if (fleet === undefined && asked === true) {
    const reason = `this host is in no fleet, which could give ${name} a UID; set Fleet= in dynuserd.conf, or do not ask for that`;
    throw new DynuserError('FleetUnavailable', reason, { field: 'fleet' });
  }
  const mode = fleet?.concerns(name, asked);
  return fleet === undefined || mode === undefined ? undefined : { fleet, mode };
}

/** @returns whether a name may have a UID of this host alone, since the fleet does not answer */
export function staysLocal(error: unknown, mode: 'preferred' | 'required'): boolean {
  return mode === 'preferred' && error instanceof DynuserError && error.code === 'FleetUnavailable';
}

export function rangeOfOne(uid: Uid): UidRange {
  const interval = { first: uid, last: uid };
  return { parts: [{ ...interval, pieces: [interval] }], text: `${uid}-${uid}` };
}

/** @param found what speaks against the UID here, in words */
export function fleetConflict(name: UserName, uid: Uid, found = 'something else has it'): DynuserError {
  const reason = `${name} has the UID ${uid} in the fleet, which is not free on this host: ${found}; free it here, or run ${name} elsewhere`;
  return new DynuserError('FleetConflict', reason, { field: 'fleet' });
}
