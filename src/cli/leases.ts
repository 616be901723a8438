/** The leases as the daemon lists them, and which of them an operator means by a name or a number. */
import type { Lease } from '../api/generated/io-dynuser-allocator.ts';
import type { Client, DaemonInfo } from '../client/client.ts';
import { anyOf } from '../core/pattern.ts';
import { CommandFailure, onFailure } from './failure.ts';
import { LISTED_LEASES_MAX } from './limits.ts';
import type { ProcessIo } from './process-io.ts';
import { printable } from './render/text.ts';
import { withClient } from './with-client.ts';

/** @returns all leases by UID, then by age, those of users that are ending among them. @throws CommandFailure */
export async function listLeases(client: Pick<Client, 'list'>): Promise<Lease[]> {
  const leases: Lease[] = [];
  for await (const lease of client.list()) {
    leases.push(lease);
    if (leases.length > LISTED_LEASES_MAX) {
      throw new CommandFailure(`the daemon lists more than ${LISTED_LEASES_MAX} leases: that cannot be right`);
    }
  }
  return leases.sort((a, b) => a.uid - b.uid || a.since - b.since);
}

/** What a list of leases can be sorted by. */
export const SORT_KEYS = ['uid', 'name', 'unit', 'lifetime', 'since'] as const;
type SortKey = (typeof SORT_KEYS)[number];

const COMPARE: { readonly [Key in SortKey]: (one: Lease, other: Lease) => number } = {
  uid: (one, other) => one.uid - other.uid,
  name: (one, other) => compareTexts(one.userName, other.userName),
  unit: (one, other) => compareTexts(one.unit, other.unit),
  lifetime: (one, other) => compareTexts(one.lifetime, other.lifetime),
  since: (one, other) => one.since - other.since,
};

/** By code points: the same on every host, whatever its language. */
export function compareTexts(one: string, other: string): number {
  return one < other ? -1 : Number(one > other);
}

/** @param leases as listLeases() gives them, which is what decides between equals */
export function sortLeases(leases: readonly Lease[], key: SortKey): Lease[] {
  return [...leases].sort(COMPARE[key]);
}

/** @returns the leases whose name, unit or UID matches one of the patterns; all of them without a pattern */
export function matching(leases: readonly Lease[], patterns: readonly string[]): Lease[] {
  const matches = anyOf(patterns);
  return leases.filter(({ userName, unit, uid }) => matches(userName, unit, String(uid)));
}

/** dynamic: of this host alone. fleet: its UID is that of its name on all hosts of the fleet. static: an account of the host. */
export const KINDS = ['dynamic', 'fleet', 'static'] as const;

export function kindOf({ dynamic, fleet }: Pick<Lease, 'dynamic' | 'fleet'>): (typeof KINDS)[number] {
  return dynamic ? (fleet === true ? 'fleet' : 'dynamic') : 'static';
}

export type DaemonFacts =
  | { readonly reachable: true; readonly service: DaemonInfo; readonly leases: readonly Lease[] }
  | { readonly reachable: false; readonly problem: string };

/** For commands that also have an answer without the daemon. */
export function askDaemon(io: ProcessIo): Promise<DaemonFacts> {
  return withClient<DaemonFacts>(io, async client => ({
    reachable: true,
    service: client.daemon,
    leases: await listLeases(client),
  })).catch(onFailure(({ message }) => ({ reachable: false, problem: message })));
}

/**
 * @param who a user name or a UID
 * @returns the leases of that one user, at least one: those of the live one, or of the one that is ending if none is live
 * @throws CommandFailure if no user, or more than one, has the name or number
 */
export function leasesOf(leases: readonly Lease[], who: string): [Lease, ...Lease[]] {
  const number = /^\d+$/.test(who);
  const named = leases.filter(lease => (number ? String(lease.uid) : lease.userName) === who);
  const live = named.filter(lease => lease.ending !== true);
  const [first, ...others] = live.length > 0 ? live : named;
  if (first === undefined) {
    throw new CommandFailure(
      `no live user has the ${number ? 'UID' : 'name'} ${printable(who)}: 'dynuserctl list' shows all there are`,
    );
  }
  // Static users of the host are recorded as they are, and the host may give one number to several names.
  const namesake = others.find(lease => lease.userName !== first.userName);
  if (namesake !== undefined) {
    const names = `${printable(first.userName)} and ${printable(namesake.userName)}`;
    throw new CommandFailure(`the UID ${who} is that of ${names}: say which by its name`);
  }
  // A name that is taken anew while something of its former user is left gets another UID, and that may end as well.
  const former = others.find(lease => lease.uid !== first.uid);
  if (former !== undefined) {
    const uids = `${first.uid} and ${former.uid}`;
    throw new CommandFailure(`${printable(who)} is ending with the UIDs ${uids}: say which by its UID`);
  }
  return [first, ...others];
}
