/** dynuserctl list */
import type { Handler } from '../command.ts';
import { layoutOf } from '../layout.ts';
import { listLeases } from '../leases.ts';
import { renderJson } from '../render/json.ts';
import { renderLeases } from '../render/leases.ts';
import { withClient } from '../with-client.ts';

export const list: Handler = async (invocation, io) => {
  const leases = await withClient(io, listLeases);
  await io.output.write(
    invocation.json === 'off'
      ? renderLeases(leases, layoutOf(invocation, io), io.now())
      : renderJson(leases, invocation.json),
  );
  return 0;
};
