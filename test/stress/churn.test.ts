// runs alone: it loads every processor
// time limit: 420 s
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withInstalled } from '../support/installed.ts';

test('200 clients at random while the daemon is killed 50 times: every answered lease is there, and no name or UID twice', async t => {
  await withInstalled({}, async host => {
    const { answers, live, extra } = JSON.parse(await host.program('churn', { timeoutMs: 400_000 }));
    t.diagnostic(`${answers} answers, ${live} leases at the end, ${extra} more whose client was not answered`);
    assert.ok(answers > 1_000, 'the clients were served in between');
  });
});
