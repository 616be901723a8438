/** dynuserctl show NAME|UID */

import { acquirerState } from '../acquirer.ts';
import type { Handler } from '../command.ts';
import { thisHost } from '../host.ts';
import { leasesOf, listLeases } from '../leases.ts';
import { print } from '../print.ts';
import { renderUser } from '../render/leases.ts';
import { withClient } from '../with-client.ts';

export const show: Handler = async (invocation, io) => {
  const leases = leasesOf(await withClient(io, listLeases), invocation.operands[0] ?? '');
  const [{ userName, uid, gid, dynamic }] = leases;
  const user = { userName, uid, gid, dynamic, leases };
  const host = thisHost(io.environment);
  const now = io.now();
  await print(user, invocation, io, (_, { style }) =>
    renderUser(leases, style, now, lease => acquirerState(host, lease, now)),
  );
  return 0;
};
