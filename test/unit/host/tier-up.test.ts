import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { syncBuiltinESMExports } from 'node:module';
import { test } from 'node:test';
import v8 from 'node:v8';
import { DELAY_MS, tierUpLate, tierUpSoonerLater } from '../../../src/host/tier-up.ts';
import { CHECKOUT } from '../../../src/tooling/checkout.ts';

test('the flags are known to this Node, whichever it is', () => {
  const script = `import { tierUpLate, tierUpSooner } from '${CHECKOUT}dist/src/host/tier-up.js'; tierUpLate(); tierUpSooner();`;
  const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  // V8 complains of a flag that it does not know, and continues.
  assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
});

for (const [version, first, later] of [
  ['20.20.2', ['--interrupt-budget=540672'], ['--interrupt-budget=5000']],
  ['21.0.0', ['--interrupt-budget=540672'], ['--interrupt-budget=5000']],
  ['22.0.0', [], ['--invocation-count-for-maglev=50', '--invocation-count-for-turbofan=200']],
  ['24.1.0', [], ['--invocation-count-for-maglev=50', '--invocation-count-for-turbofan=200']],
] as const) {
  test(`Node ${version} gets its flags, those for later when the first launches are over`, context => {
    const flags: string[] = [];
    context.mock.method(v8, 'setFlagsFromString', (flag: string) => flags.push(flag));
    syncBuiltinESMExports();
    const own = Object.getOwnPropertyDescriptor(process.versions, 'node') ?? assert.fail();
    Object.defineProperty(process.versions, 'node', { ...own, value: version });
    context.after(() => {
      Object.defineProperty(process.versions, 'node', own);
      context.mock.restoreAll();
      syncBuiltinESMExports();
    });
    context.mock.timers.enable({ apis: ['setTimeout'] });
    tierUpLate();
    tierUpSoonerLater();
    context.mock.timers.tick(DELAY_MS - 1);
    assert.deepEqual(flags, first);
    context.mock.timers.tick(1);
    assert.deepEqual(flags, [...first, ...later]);
  });
}
