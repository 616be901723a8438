import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asUid, type Uid } from '../../../src/core/ids.ts';
import { ProcessLooks } from '../../../src/host/process-looks.ts';

function uid(number: number): Uid {
  const checked = asUid(number);
  assert.ok(checked !== undefined);
  return checked;
}

/** Looks that end when the test says so. */
function looksByHand() {
  const under: { readonly uids: readonly Uid[]; end(running: readonly Uid[]): void; fail(): void }[] = [];
  const looks = new ProcessLooks(
    uids =>
      new Promise((resolve, reject) => {
        under.push({ uids, end: running => resolve(new Set(running)), fail: () => reject(new Error('unknown')) });
      }),
  );
  return { looks, under };
}

const turn = () => new Promise(setImmediate);

test('who asks during a look is in the next one, never in that', async () => {
  const { looks, under } = looksByHand();
  const first = looks.mayRun(uid(61_184));
  const others = [looks.mayRun(uid(61_185)), looks.mayRun(uid(61_186)), looks.mayRun(uid(61_184))];
  assert.deepEqual(
    under.map(look => look.uids),
    [[61_184]],
  );
  under[0]?.end([]);
  assert.equal(await first, false);
  await turn();
  assert.deepEqual(under[1]?.uids, [61_185, 61_186, 61_184]);
  under[1]?.end([uid(61_186), uid(61_184)]);
  assert.deepEqual(await Promise.all(others), [false, true, true]);
  const later = looks.mayRun(uid(61_187));
  await turn();
  under[2]?.end([]);
  assert.equal(await later, false);
});

test('a look that fails says nothing against processes, and the next one is made', async () => {
  const { looks, under } = looksByHand();
  const first = looks.mayRun(uid(61_184));
  const second = looks.mayRun(uid(61_185));
  under[0]?.fail();
  assert.equal(await first, true);
  await turn();
  under[1]?.end([]);
  assert.equal(await second, false);
});

test('one look is about 64 UIDs at most', async () => {
  const { looks, under } = looksByHand();
  const all = Array.from({ length: 100 }, (_, index) => looks.mayRun(uid(61_184 + index)));
  for (let look = 0; look < 3; look++) {
    under[look]?.end([]);
    await turn();
  }
  assert.deepEqual(
    under.map(({ uids }) => uids.length),
    [1, 64, 35],
  );
  assert.ok((await Promise.all(all)).every(mayRun => !mayRun));
});
