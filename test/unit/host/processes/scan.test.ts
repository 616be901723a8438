import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asUid, type Uid } from '../../../../src/core/ids.ts';
import { ProcessScans } from '../../../../src/host/processes/scan.ts';

function uid(number: number): Uid {
  const checked = asUid(number);
  assert.ok(checked !== undefined);
  return checked;
}

/** Scans that end when the test says so. */
function scansByHand() {
  const under: { readonly uids: readonly Uid[]; end(running: readonly Uid[]): void; fail(): void }[] = [];
  const scans = new ProcessScans(
    uids =>
      new Promise((resolve, reject) => {
        under.push({ uids, end: running => resolve(new Set(running)), fail: () => reject(new Error('unknown')) });
      }),
  );
  return { scans, under };
}

const turn = () => new Promise(setImmediate);

test('who asks during a scan is in the next one', async () => {
  const { scans, under } = scansByHand();
  const first = scans.mayRun(uid(61_184));
  const others = [scans.mayRun(uid(61_185)), scans.mayRun(uid(61_186)), scans.mayRun(uid(61_184))];
  assert.deepEqual(
    under.map(scan => scan.uids),
    [[61_184]],
  );
  under[0]?.end([]);
  assert.equal(await first, false);
  await turn();
  assert.deepEqual(under[1]?.uids, [61_185, 61_186, 61_184]);
  under[1]?.end([uid(61_186), uid(61_184)]);
  assert.deepEqual(await Promise.all(others), [false, true, true]);
  const later = scans.mayRun(uid(61_187));
  await turn();
  under[2]?.end([]);
  assert.equal(await later, false);
});

test('after a scan that failed a process may run, and the next scan is made', async () => {
  const { scans, under } = scansByHand();
  const first = scans.mayRun(uid(61_184));
  const second = scans.mayRun(uid(61_185));
  under[0]?.fail();
  assert.equal(await first, true);
  await turn();
  under[1]?.end([]);
  assert.equal(await second, false);
});

test('one scan is about 64 UIDs at most', async () => {
  const { scans, under } = scansByHand();
  const all = Array.from({ length: 100 }, (_, index) => scans.mayRun(uid(61_184 + index)));
  for (let scan = 0; scan < 3; scan++) {
    under[scan]?.end([]);
    await turn();
  }
  assert.deepEqual(
    under.map(({ uids }) => uids.length),
    [1, 64, 35],
  );
  assert.ok((await Promise.all(all)).every(mayRun => !mayRun));
});
