/** The allocator for the D-Bus interface: the same Acquire and Release, and the live dynamic users by name and UID. */

import type { LeaseEvents } from '../allocator/events.ts';
import type { UserTable } from '../allocator/user-table.ts';
import type { Standing } from '../core/access.ts';
import { asUid, type Pid } from '../core/ids.ts';
import { asUserName } from '../core/name.ts';
import type { BusAllocator, BusCaller } from '../dbus/port.ts';
import type { Acquisition } from './acquire.ts';
import type { AcquireParameters } from './generated/io-dynuser-allocator.ts';
import type { Peer } from './peer.ts';

/** @param standingOf what a process with the UID 0 is to this host */
export function busAllocator(
  users: UserTable,
  events: LeaseEvents,
  acquisition: Acquisition,
  standingOf: (pid: Pid | undefined) => Standing,
): BusAllocator {
  const peerOf = ({ uid, gid, groups, pid }: BusCaller): Peer => ({
    ...{ uid, gid, pid },
    // The bus names a process only by its number; a caller that needs more names one with `pid`.
    pin: () => ({ kind: 'unsupported' }),
    groups: () => groups,
    standing: () => standingOf(pid),
    sharesRoot: () => true,
    sharesNetwork: () => true,
    numberOf: number => number,
  });
  return {
    async acquire(parameters, caller) {
      const asking = { peer: peerOf(caller), connection: caller, answered: true, mayClaim: false };
      const { user, lease } = await acquisition.acquireAsked(parameters as AcquireParameters, asking);
      const { uid, gid, name, dynamic } = user;
      return { uid, gid, userName: name, dynamic, lease: lease.id };
    },
    async release(lease, caller) {
      await acquisition.release(lease, peerOf(caller));
    },
    uidOf(text) {
      const name = asUserName(text);
      return name && users.dynamicByName(name)?.uid;
    },
    nameOf(number) {
      const uid = asUid(number);
      return uid === undefined ? undefined : users.dynamicByUid(uid)?.name;
    },
    users: () => users.dynamic(),
    onChange(listener) {
      return events.on(['allocated', 'released', 'lost'], event => {
        const { kind, user } = event;
        const isTold =
          kind === 'allocated'
            ? !event.joined
            : // A lost user went when it was lost.
              kind === 'lost' || (event.left === 0 && user.lost === undefined);
        if (user.dynamic && isTold) {
          listener({ kind: kind === 'allocated' ? kind : 'released', uid: user.uid, name: user.name });
        }
      });
    },
  };
}
