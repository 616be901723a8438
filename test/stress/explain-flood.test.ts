/** A user that asks Explain on all the connections that it gets keeps nobody else from anything. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { EXPLANATIONS_PER_PEER_MAX } from '../../src/core/limits.ts';
import { CHECKOUT } from '../../src/tooling/checkout.ts';
import { replyOf, withInstalled } from '../support/installed.ts';
import { until } from '../support/until.ts';

const ACQUIRE = 'io.dynuser.Allocator.Acquire';
const EXPLAIN = 'io.dynuser.Allocator.Explain';

test('every Acquire of root succeeds while a user asks Explain on all the connections that it gets', async () => {
  await withInstalled({}, async host => {
    await host.startDaemon();
    const program = `${CHECKOUT}dist/test/support/programs/explain-flood.js`;
    const flood = await host.machine.spawn([process.execPath, program, '400', '4'], { uid: 1000 });
    await once(flood.stdout, 'data');
    const calls = Array.from({ length: 50 }, (_, index) => [ACQUIRE, { unit: `root-${index}.service` }] as const);
    for (const result of await host.calls(calls)) {
      replyOf(result);
    }
    flood.kill('SIGKILL');
    await flood.ended;
    await host.untilNothingIsKept();
  });
});

test('one user has so many explanations under way at a time, and is told so; root is not counted', async () => {
  await withInstalled({}, async host => {
    await host.startDaemon();
    const told = new RegExp(`${EXPLANATIONS_PER_PEER_MAX} explanations of the user 1000 are under way; wait for`);
    const calls = Array.from({ length: 20 }, () => [EXPLAIN, { unit: 'x.service' }] as const);
    const program = `${CHECKOUT}dist/test/support/programs/explain-flood.js`;
    for (const uid of [1000, 0]) {
      const flood = await host.machine.spawn([process.execPath, program, '64', '4'], { uid });
      await once(flood.stdout, 'data');
      const isTold = async () => told.test(JSON.stringify(await host.calls(calls, { uid })));
      if (uid === 0) {
        assert.equal(await isTold(), false);
      } else {
        // How many are under way when one is asked depends on how fast the daemon answers the others.
        await until('one is refused', isTold);
      }
      flood.kill('SIGKILL');
      await flood.ended;
    }
  });
});
