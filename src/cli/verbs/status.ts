/** dynuserctl status: the daemon, and whether the lookups of this host lead to it. */

import { versionWords } from '../../core/version.ts';
import type { Handler } from '../command.ts';
import { thisHost } from '../host.ts';
import { HOST_LOOKUP_PATHS, inspectHostLookups, type LookupPaths } from '../host-lookups.ts';
import { askDaemon, type DaemonFacts } from '../leases.ts';
import { print } from '../print.ts';
import { countMemberships, countUsers, endingUsers } from '../render/leases.ts';
import { renderStatus, type Status } from '../render/status.ts';
import { publicSocket } from '../with-client.ts';

/** @param paths the places of the host that are looked at */
export function statusOf(paths: LookupPaths): Handler {
  return async (invocation, io) => {
    const socket = publicSocket(io.environment);
    const daemon = statusOfDaemon(await askDaemon(io));
    const lookups = inspectHostLookups(thisHost(io.environment), paths, socket);
    await print({ ...daemon, command: versionWords(), socket, lookups }, invocation, io, (status, { style }) =>
      renderStatus(status, style),
    );
    return daemon.reachable ? 0 : 1;
  };
}

export const status: Handler = statusOf(HOST_LOOKUP_PATHS);

function statusOfDaemon(daemon: DaemonFacts): Omit<Status, 'command' | 'socket' | 'lookups'> {
  if (!daemon.reachable) {
    return daemon;
  }
  const { reachable, service, leases } = daemon;
  const live = leases.filter(lease => lease.ending !== true);
  const ending = endingUsers(leases).map(({ uid, userName, remains }) => ({ uid, userName, remains }));
  return { reachable, service, users: countUsers(live), leases: live.length, ...countMemberships(live), ending };
}
