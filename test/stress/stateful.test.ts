/** The stateful tests of the allocator (test/unit/service/stateful.test.ts) with far more histories than an ordinary run has time for. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const RUNS = 5_000;
const TIMEOUT_MS = 240_000;

test(`the allocator holds in ${RUNS} random histories`, () => {
  const file = fileURLToPath(new URL('../unit/allocator/stateful.test.js', import.meta.url));
  // Without the mark of a test runner, since it would speak to one in its own protocol.
  const { NODE_TEST_CONTEXT: _, ...inherited } = process.env;
  const { status, stdout } = spawnSync(process.execPath, ['--test', file], {
    ...{ encoding: 'utf8', timeout: TIMEOUT_MS, env: { ...inherited, DYNUSER_STATEFUL_RUNS: String(RUNS) } },
  });
  assert.equal(status, 0, stdout.slice(-8_000));
  assert.match(stdout, new RegExp(`in ${RUNS} random histories`));
});
