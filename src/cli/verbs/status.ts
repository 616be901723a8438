/** dynuserctl status: the daemon, and whether the lookups of this host lead to it. */
import type { Handler } from '../command.ts';
import { CommandFailure } from '../failure.ts';
import { HOST_LOOKUP_PATHS, inspectHostLookups, type LookupPaths } from '../host-lookups.ts';
import { layoutOf } from '../layout.ts';
import { listLeases } from '../leases.ts';
import type { ProcessIo } from '../process-io.ts';
import { renderJson } from '../render/json.ts';
import { countUsers, endingUsers } from '../render/leases.ts';
import { renderStatus, type Status } from '../render/status.ts';
import { publicSocket, withClient } from '../with-client.ts';

/** @param paths the places of the host that are looked at */
export function statusOf(paths: LookupPaths): Handler {
  return async (invocation, io) => {
    const socket = publicSocket(io.environment);
    const status: Status = {
      ...(await inspectDaemon(io)),
      socket,
      lookups: inspectHostLookups(paths, socket),
    };
    await io.output.write(
      invocation.json === 'off'
        ? renderStatus(status, layoutOf(invocation, io).style)
        : renderJson(status, invocation.json),
    );
    return status.reachable ? 0 : 1;
  };
}

export const status: Handler = statusOf(HOST_LOOKUP_PATHS);

async function inspectDaemon(io: ProcessIo): Promise<Omit<Status, 'socket' | 'lookups'>> {
  try {
    return await withClient(io, async client => {
      const leases = await listLeases(client);
      const live = leases.filter(lease => lease.ending !== true);
      return {
        reachable: true,
        service: client.daemon,
        users: countUsers(live),
        leases: live.length,
        ending: endingUsers(leases).map(({ uid, userName, remains }) => ({
          uid,
          userName,
          ...(remains === undefined ? {} : { remains }),
        })),
      };
    });
  } catch (error) {
    if (error instanceof CommandFailure) {
      return { reachable: false, problem: error.message };
    }
    throw error;
  }
}
