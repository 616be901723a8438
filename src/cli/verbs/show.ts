/** dynuserctl show NAME|UID */
import type { Handler } from '../command.ts';
import { layoutOf } from '../layout.ts';
import { leasesOf, listLeases } from '../leases.ts';
import { renderJson } from '../render/json.ts';
import { renderUser } from '../render/leases.ts';
import { withClient } from '../with-client.ts';

export const show: Handler = async (invocation, io) => {
  const leases = await withClient(io, listLeases);
  const userLeases = leasesOf(leases, invocation.operands[0] ?? '');
  const [{ userName, uid, gid, dynamic }] = userLeases;
  await io.output.write(
    invocation.json === 'off'
      ? renderUser(userLeases, layoutOf(invocation, io).style, io.now())
      : renderJson({ userName, uid, gid, dynamic, leases: userLeases }, invocation.json),
  );
  return 0;
};
