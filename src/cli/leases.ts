/** The leases as the daemon lists them, and which of them an operator means by a name or a number. */
import type { Lease } from '../api/generated/io-dynuser-allocator.ts';
import type { Client } from '../client/client.ts';
import { CommandFailure } from './failure.ts';
import { LISTED_LEASES_MAX } from './limits.ts';
import { sortLeases } from './render/leases.ts';
import { printable } from './render/text.ts';

/** @returns all leases by UID and age, those of users that are ending among them. @throws CommandFailure */
export async function listLeases(client: Pick<Client, 'list'>): Promise<Lease[]> {
  const leases: Lease[] = [];
  for await (const lease of client.list()) {
    leases.push(lease);
    if (leases.length > LISTED_LEASES_MAX) {
      throw new CommandFailure(`the daemon lists more than ${LISTED_LEASES_MAX} leases: that cannot be right`);
    }
  }
  return sortLeases(leases);
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
