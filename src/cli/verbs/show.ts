/** dynuserctl show NAME|UID */
import type { Handler } from '../commands.ts';
import { withDaemon } from '../daemon.ts';
import { layoutOf } from '../layout.ts';
import { leasesOf, listLeases } from '../leases.ts';
import { renderJson } from '../render/json.ts';
import { renderUser } from '../render/leases.ts';

export const show: Handler = async (invocation, io) => {
  const leases = await withDaemon(io, listLeases);
  const holders = leasesOf(leases, invocation.operands[0] ?? '');
  const [{ userName, uid, gid, dynamic }] = holders;
  await io.output.write(
    invocation.json === 'off'
      ? renderUser(holders, layoutOf(invocation, io).style, io.now())
      : renderJson({ userName, uid, gid, dynamic, leases: holders }, invocation.json),
  );
  return 0;
};
