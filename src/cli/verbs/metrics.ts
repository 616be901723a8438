/** dynuserctl metrics: what the daemon has counted, as programs that collect metrics read it. */
import type { Handler } from '../command.ts';
import { lastValue } from '../command-line.ts';
import { readMetrics } from '../metrics-source.ts';
import { print } from '../print.ts';
import { renderMetrics } from '../render/metrics.ts';
import { withSockets } from '../with-client.ts';

export const metrics: Handler = async (invocation, io) => {
  const families = await withSockets(io, readMetrics);
  const format = lastValue(invocation.options, 'format') === 'prometheus' ? 'prometheus' : 'openmetrics';
  await print(families, { ...invocation, mayPage: false }, io, () => renderMetrics(families, format));
  return 0;
};
