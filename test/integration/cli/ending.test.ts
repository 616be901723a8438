/** Users that are ending, whose UIDs stay reserved: in list, show, release and status. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { NOW, sampleLease } from '../../unit/cli/sample.ts';
import { type FakeDaemon, LEASE_ID, startFakeDaemon } from './fake-daemon.ts';
import { type Outcome, runCommand } from './run-command.ts';

let daemon: FakeDaemon;
beforeEach(async () => {
  daemon = await startFakeDaemon();
});
afterEach(() => daemon.close());

const command = (...argv: string[]): Promise<Outcome> =>
  runCommand(argv, { environment: daemon.environment, now: NOW });

const REMAINS = 'process 7 (sleep\x1b) runs with it';
const SAID = 'process 7 (sleep\\x1b) runs with it';
const OTHER = 'f'.repeat(32);
const ending = sampleLease({ uid: 61185, gid: 61185, lease: OTHER, ending: true, remains: REMAINS });

test('list: says of a lease that it is ending, and how many users are', async () => {
  daemon.leases = [sampleLease(), ending];
  const { output } = await command('list');
  const lines = output.split('\n');
  assert.match(lines[1] ?? '', /^61185 +dynamic-user-test +dynamic-user-test\.service +dynamic +ending +- /);
  assert.match(lines[2] ?? '', /^64642 +dynamic-user-test +dynamic-user-test\.service +dynamic +explicit +- /);
  assert.deepEqual(lines.slice(4), [
    '2 users, 2 leases; 1 user is ending.',
    `61185 dynamic-user-test cannot end: ${SAID}.`,
    '',
  ]);
  assert.deepEqual(JSON.parse((await command('list', '--json=short')).output), [ending, sampleLease()]);
});

test('show: a name means its live user; the one that is ending is shown by its UID, and by its name once it is alone', async () => {
  daemon.leases = [sampleLease(), ending];
  assert.match((await command('show', 'dynamic-user-test')).output, /^ +UID: 64642\n/m);
  const { output } = await command('show', '61185');
  assert.match(output, /^ +State: ending: /m);
  assert.match(output, /^ *Remains: process 7 \(sleep\\x1b\) runs with it\n/m);
  daemon.leases = [ending];
  assert.deepEqual((await command('show', 'dynamic-user-test')).output, output);
});

test('release: what is left is a warning, and the lease is dropped', async () => {
  daemon.remains = REMAINS;
  daemon.leases = [sampleLease()];
  const errors = `dynuserctl: the lease is dropped, but the UID stays reserved until nothing of the user is left: ${SAID}; dynuserd tries again by itself\n`;
  for (const argv of [[LEASE_ID], ['dynamic-user-test'], ['--all', '64642']]) {
    assert.deepEqual(await command('release', ...argv), { status: 0, output: '', errors });
  }
});

test('release: a user that is ending has no lease to release', async () => {
  daemon.leases = [ending];
  for (const argv of [['dynamic-user-test'], ['--all', '61185']]) {
    const { status, errors } = await command('release', ...argv);
    assert.equal(status, 1);
    assert.equal(
      errors,
      `dynuserctl: dynamic-user-test is released already, and its UID 61185 stays reserved: ${SAID}; dynuserd tries again by itself\n`,
    );
  }
  assert.deepEqual(daemon.calls, []);
});

test('release: the end of a user may take longer than other answers', async () => {
  daemon.delay = new Promise(resolve => setTimeout(resolve, 5_500));
  assert.equal((await command('release', LEASE_ID)).status, 0);
});

test('status: which UIDs stay reserved, and why', async () => {
  daemon.leases = [sampleLease(), ending];
  const { status, output } = await command('status');
  assert.equal(status, 0);
  assert.match(
    output,
    /^ +Users: 1\n +Leases: 1\n +Ending: 1 UID is reserved [^\n]+\n +UID 61185: of dynamic-user-test: process 7 /m,
  );
  assert.ok(!output.includes('\x1b'));
  const report: unknown = JSON.parse((await command('status', '--json=short')).output);
  assert.ok(typeof report === 'object' && report !== null && 'ending' in report);
  assert.deepEqual(report.ending, [{ uid: 61185, userName: 'dynamic-user-test', remains: REMAINS }]);
});
