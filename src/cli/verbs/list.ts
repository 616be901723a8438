/** dynuserctl list [PATTERN...] */
import { dirname } from 'node:path';
import { anyOf } from '../../core/pattern.ts';
import type { Handler, Invocation } from '../command.ts';
import { lastValue } from '../command-line.ts';
import { type ExitStatus, usageFailure } from '../failure.ts';
import { usersOfFleet } from '../fleet/snapshot.ts';
import { thisHost } from '../host.ts';
import { askDaemon, kindOf, listLeases, matching, SORT_KEYS, sortLeases } from '../leases.ts';
import { print } from '../print.ts';
import type { ProcessIo } from '../process-io.ts';
import { renderUsersOfFleet } from '../render/fleet.ts';
import { renderLeases } from '../render/leases.ts';
import { publicSocket, withClient } from '../with-client.ts';

export const list: Handler = async (invocation, io) => {
  const { operands, options } = invocation;
  if (options.has('fleet')) {
    return await listFleet(invocation, io);
  }
  const kind = lastValue(options, 'kind');
  const key = SORT_KEYS.find(known => known === lastValue(options, 'sort')) ?? 'uid';
  const found = matching(await withClient(io, listLeases), operands);
  const leases = sortLeases(
    found.filter(lease => kind === undefined || kindOf(lease) === kind),
    key,
  );
  await print(leases, invocation, io, (_, layout) => renderLeases(leases, layout, io.now()));
  return 0;
};

async function listFleet(invocation: Invocation, io: ProcessIo): Promise<ExitStatus> {
  const { operands, options } = invocation;
  const key = lastValue(options, 'sort') ?? 'uid';
  if (options.has('kind')) {
    throw usageFailure('list takes one of --fleet and --kind', 'list');
  }
  if (key !== 'uid' && key !== 'name') {
    throw usageFailure(`list --fleet sorts by uid or name, not by ${key}`, 'list');
  }
  const directory = dirname(publicSocket(io.environment));
  const matches = anyOf(operands);
  const users = usersOfFleet(thisHost(io.environment), directory, await askDaemon(io)).filter(({ userName, uid }) =>
    matches(userName, String(uid)),
  );
  const sorted = key === 'uid' ? users : users.sort((one, other) => (one.userName < other.userName ? -1 : 1));
  await print(sorted, invocation, io, renderUsersOfFleet);
  return 0;
}
