/** The metrics as dynuserctl gathers them, from a socket with the daemon's interface. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { test } from 'node:test';
import { metricsInterface } from '../../../src/api/metrics.ts';
import { CommandFailure } from '../../../src/cli/failure.ts';
import { METRICS_MAX } from '../../../src/cli/limits.ts';
import { readMetrics } from '../../../src/cli/metrics-source.ts';
import type { Family } from '../../../src/core/metrics.ts';
import { VarlinkServer } from '../../../src/varlink/server.ts';

const FREE: Family = { name: 'FreeUids', type: 'gauge', description: 'UIDs that are free', samples: [{ value: 4 }] };
const ACQUIRES: Family = {
  ...{ name: 'Acquires', type: 'counter', description: 'Requests' },
  samples: [
    { value: 1, fields: { result: 'ok' } },
    { value: 2, fields: { result: 'failed' } },
  ],
};

async function readFrom(families: readonly Family[]) {
  const directory = mkdtempSync(`${tmpdir()}/dynuser-metrics-`);
  const path = `${directory}/socket`;
  const server = new VarlinkServer<null>({
    info: { vendor: 'test', product: 'metrics', version: '0', url: '' },
    interfaces: [metricsInterface(() => families)],
    ...{ identify: () => null, quotaKey: () => 'one', privileged: () => true, onFailure: () => undefined },
  });
  await server.listen({ path, mode: 0o600 });
  try {
    return await readMetrics([path]);
  } finally {
    await server.close(0);
    rmSync(directory, { recursive: true });
  }
}

test('each family comes with its values, and without the name of the service', async () => {
  assert.deepEqual(await readFrom([FREE, ACQUIRES]), [{ ...FREE, samples: [{ value: 4, fields: {} }] }, ACQUIRES]);
});

test('a daemon with more metrics than there can be is left', async () => {
  const samples = (count: number) =>
    Array.from({ length: count }, (_, value) => ({ value, fields: { n: `${value}` } }));
  assert.equal((await readFrom([{ ...FREE, samples: samples(METRICS_MAX) }]))[0]?.samples.length, METRICS_MAX);
  await assert.rejects(
    readFrom([{ ...FREE, samples: samples(METRICS_MAX + 1) }]),
    (error: unknown) => error instanceof CommandFailure && /more than 10000 metrics/.test(error.message),
  );
});
