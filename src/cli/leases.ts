/** The live leases as the daemon lists them, and which of them an operator means by a name or a number. */
import type { Lease } from '../api/generated/io-dynuser-allocator.ts';
import type { Daemon } from './daemon.ts';
import { CommandFailure } from './failure.ts';
import { LISTED_LEASES_MAX } from './limits.ts';
import { sortLeases } from './render/leases.ts';
import { printable } from './render/text.ts';
import { checkListReply } from './replies.ts';

/** @returns all live leases by UID and age. @throws CommandFailure */
export async function listLeases(daemon: Daemon): Promise<Lease[]> {
  const leases: Lease[] = [];
  // One reply for each lease: a single reply with all of them can pass the bound of a frame.
  for await (const reply of daemon.stream('io.dynuser.Allocator.List')) {
    leases.push(...checkListReply(reply));
    if (leases.length > LISTED_LEASES_MAX) {
      throw new CommandFailure(`the daemon lists more than ${LISTED_LEASES_MAX} leases: that cannot be right`);
    }
  }
  return sortLeases(leases);
}

/**
 * @param who a user name or a UID
 * @returns the leases of that one user, at least one
 * @throws CommandFailure where no live user, or more than one, has the name or number
 */
export function leasesOf(leases: readonly Lease[], who: string): [Lease, ...Lease[]] {
  const number = /^\d+$/.test(who);
  const [first, ...others] = leases.filter(lease => (number ? String(lease.uid) : lease.userName) === who);
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
  return [first, ...others];
}
