/** dynuserctl list [PATTERN...] */
import type { Handler } from '../command.ts';
import { lastValue } from '../command-line.ts';
import { listLeases, matching, SORT_KEYS, sortLeases } from '../leases.ts';
import { print } from '../print.ts';
import { renderLeases } from '../render/leases.ts';
import { withClient } from '../with-client.ts';

export const list: Handler = async (invocation, io) => {
  const { operands, options } = invocation;
  const kind = lastValue(options, 'kind');
  const key = SORT_KEYS.find(known => known === lastValue(options, 'sort')) ?? 'uid';
  const found = matching(await withClient(io, listLeases), operands);
  const leases = sortLeases(
    found.filter(({ dynamic }) => kind === undefined || dynamic === (kind === 'dynamic')),
    key,
  );
  await print(leases, invocation, io, (_, layout) => renderLeases(leases, layout, io.now()));
  return 0;
};
