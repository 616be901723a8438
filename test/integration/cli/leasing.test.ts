/** acquire and release: what is asked of the daemon, and what is made of its answers. */
import assert from 'node:assert/strict';
import { dirname } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { sampleAcquired, sampleDirectory, sampleLease } from '../../unit/cli/sample.ts';
import { type FakeDaemon, LEASE_ID, startFakeDaemon } from './fake-daemon.ts';
import { type Outcome, runCommand, startCommand } from './run-command.ts';

let daemon: FakeDaemon;
beforeEach(async () => {
  daemon = await startFakeDaemon();
});
afterEach(() => daemon.close());

const UNIT = 'dynamic-user-test.service';
const ACQUIRE = 'io.dynuser.Allocator.Acquire';
const RELEASE = 'io.dynuser.Allocator.Release';
const SECOND = 'fedcba9876543210fedcba9876543210';

const command = (...argv: string[]): Promise<Outcome> => runCommand(argv, { environment: daemon.environment });
const onTerminal = (...argv: string[]): Promise<Outcome> =>
  runCommand(argv, { environment: daemon.environment, columns: 80 });
const released = (): unknown[] =>
  daemon.calls.filter(call => call.method === RELEASE).map(call => call.parameters['lease']);

test('acquire: the UID alone, of an explicit lease', async () => {
  assert.deepEqual(await command('acquire', UNIT), { status: 0, output: '64642\n', errors: '' });
  assert.deepEqual(daemon.calls, [{ method: ACQUIRE, parameters: { unit: UNIT, lifetime: 'explicit' } }]);
});

test('acquire: bound to a process, which has to be named', async () => {
  const bound = ['acquire', UNIT, '--lifetime=process', '--expose-directories', '--state-directory=a'];
  assert.equal((await command(...bound, '--pid=4711')).status, 0);
  const parameters = { unit: UNIT, stateDirectory: ['a'], lifetime: 'process', pid: 4711, exposeDirectories: true };
  assert.deepEqual(daemon.calls, [{ method: ACQUIRE, parameters }]);
  const { output } = await onTerminal('acquire', UNIT, '--lifetime=process', '--pid=4711');
  assert.match(output, /\nIt is held until the process 4711 ends\.\n$/);
  for (const [argv, reason] of [
    [
      ['--lifetime=process'],
      /^dynuserctl: option '--lifetime=process' needs the process that the lease ends with: --pid=PID\n/,
    ],
    [['--lifetime=process', '--pid=me'], /^dynuserctl: 'me' is not a process id for '--pid'/],
    [['--lifetime=process', '--pid=0'], /^dynuserctl: '0' is not a process id for '--pid'/],
    [['--pid=1'], /^dynuserctl: option '--pid' goes with '--lifetime=process'\n/],
  ] as const) {
    const { status, errors } = await command('acquire', UNIT, ...argv);
    assert.equal(status, 2);
    assert.match(errors, reason);
  }
});

test('acquire: bound to the unit', async () => {
  const { output } = await onTerminal('acquire', UNIT, '--lifetime=unit');
  assert.match(output, /\nIt is held until systemd says that dynamic-user-test\.service is inactive\.\n$/);
});

test('acquire: on a terminal in words, with the way to release', async () => {
  const { output } = await onTerminal('acquire', UNIT);
  assert.equal(
    output,
    `${UNIT} has the dynamic user dynamic-user-test, UID 64642.\n'dynuserctl release ${LEASE_ID}' releases it.\n`,
  );
});

test('acquire: the whole answer in JSON', async () => {
  daemon.directories = [sampleDirectory({ handover: 'chown', changed: 3 })];
  const { output } = await command('acquire', UNIT, '--json=short');
  assert.deepEqual(JSON.parse(output), sampleAcquired({ directories: daemon.directories }));
});

test('acquire: an answer that takes its time is waited for longer than others', async () => {
  daemon.delay = new Promise(resolve => setTimeout(resolve, 5_500));
  assert.equal((await command('acquire', UNIT)).output, '64642\n');
});

test('acquire --lifetime=connection: holds until it is interrupted, and that is success', async () => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    const running = startCommand(['acquire', '--lifetime=connection', UNIT], daemon.environment);
    await running.shows(/^64642\n$/);
    const early = await Promise.race([running.ended, new Promise(resolve => setTimeout(resolve, 200, 'held'))]);
    assert.equal(early, 'held');
    running.child.kill(signal);
    assert.deepEqual(await running.ended, { status: 0, output: '64642\n', errors: '' });
    await daemon.holderGone;
  }
  assert.deepEqual(daemon.calls[0]?.parameters, { unit: UNIT, lifetime: 'connection' });
});

test('acquire --lifetime=connection: takes its lease back from the next daemon, and holds it there', async () => {
  const running = startCommand(['acquire', '--lifetime=connection', UNIT], daemon.environment);
  await running.shows(/64642/);
  const directory = dirname(daemon.socket);
  await daemon.close();
  daemon = await startFakeDaemon(directory);
  while (daemon.calls.length === 0) {
    await new Promise(resolve => setTimeout(resolve, 20));
  }
  assert.deepEqual(daemon.calls, [{ method: 'io.dynuser.Allocator.Claim', parameters: { lease: LEASE_ID } }]);
  const early = await Promise.race([running.ended, new Promise(resolve => setTimeout(resolve, 200, 'held'))]);
  assert.equal(early, 'held');
  running.child.kill('SIGTERM');
  assert.equal((await running.ended).status, 0);
  await daemon.holderGone;
});

test('acquire --lifetime=connection: a daemon that does not know the lease any more is a failure', async () => {
  const running = startCommand(['acquire', '--lifetime=connection', UNIT], daemon.environment);
  await running.shows(/64642/);
  const directory = dirname(daemon.socket);
  await daemon.close();
  daemon = await startFakeDaemon(directory);
  const parameters = { field: 'lease', reason: 'no' };
  daemon.refusal = { error: 'io.dynuser.Allocator.NoSuchLease', parameters };
  const { status, errors } = await running.ended;
  assert.equal(status, 1);
  assert.equal(errors, `dynuserctl: the daemon went away: the lease ${LEASE_ID} of dynamic-user-test has ended\n`);
});

test('acquire --lifetime=connection: an interruption while there is no daemon ends it', async () => {
  const running = startCommand(['acquire', '--lifetime=connection', UNIT], daemon.environment);
  await running.shows(/64642/);
  await daemon.close();
  await new Promise(resolve => setTimeout(resolve, 200));
  running.child.kill('SIGTERM');
  assert.deepEqual(await running.ended, { status: 0, output: '64642\n', errors: '' });
});

test('release: a lease by its id', async () => {
  assert.deepEqual(await command('release', SECOND), { status: 0, output: '', errors: '' });
  assert.deepEqual(released(), [SECOND]);
  assert.equal((await onTerminal('release', SECOND)).output, `Released the lease ${SECOND}.\n`);
});

test('release: the one explicit lease of a name or a UID', async () => {
  const transient = sampleLease({ lease: SECOND, lifetime: 'connection' });
  daemon.leases = [transient, sampleLease(), sampleLease({ uid: 63122, userName: 'other', lease: 'a'.repeat(32) })];
  assert.deepEqual(await command('release', 'dynamic-user-test'), { status: 0, output: '', errors: '' });
  assert.equal((await command('release', '64642')).status, 0);
  assert.deepEqual(released(), [LEASE_ID, LEASE_ID]);
  assert.equal(
    (await onTerminal('release', '64642')).output,
    'Released one lease of dynamic-user-test; 1 more holds it.\n',
  );
});

test('release: several explicit leases are listed, and none is chosen', async () => {
  daemon.leases = [sampleLease(), sampleLease({ lease: SECOND, unit: 'second\n.service' })];
  const { status, errors } = await command('release', 'dynamic-user-test');
  assert.equal(status, 1);
  assert.equal(
    errors,
    [
      'dynuserctl: dynamic-user-test has 2 explicit leases: name one, or use --all:',
      `  ${LEASE_ID}  explicit  ${UNIT}`,
      `  ${SECOND}  explicit  second\\n.service`,
      '',
    ].join('\n'),
  );
  assert.deepEqual(released(), []);
});

test('release: leases that end by themselves are not taken by their name', async () => {
  daemon.leases = [sampleLease({ lifetime: 'connection' })];
  const { status, errors } = await command('release', '64642');
  assert.equal(status, 1);
  assert.match(errors, /^dynuserctl: dynamic-user-test has no explicit lease, .*--all as root/);
  assert.ok(errors.includes(LEASE_ID));
  assert.deepEqual(released(), []);
});

test('release --all: every lease of the user, and of no other', async () => {
  daemon.leases = [
    sampleLease(),
    sampleLease({ lease: SECOND, lifetime: 'connection' }),
    sampleLease({ uid: 63122, userName: 'other', lease: 'a'.repeat(32) }),
  ];
  assert.equal((await onTerminal('release', '--all', '64642')).output, 'Released dynamic-user-test.\n');
  assert.deepEqual(released().sort(), [LEASE_ID, SECOND]);
});

test('release --all: a lease that went meanwhile is not a failure, a lease that may not be released is', async () => {
  daemon.leases = [sampleLease()];
  daemon.refusal = { error: 'io.dynuser.Allocator.NoSuchLease', parameters: { field: 'lease', reason: 'gone' } };
  assert.equal((await command('release', '--all', '64642')).status, 0);
  daemon.refusal = { error: 'io.dynuser.Allocator.NotPermitted', parameters: { field: 'lease', reason: 'not yours' } };
  assert.deepEqual(await command('release', '--all', '64642'), {
    status: 1,
    output: '',
    errors: 'dynuserctl: not yours\n',
  });
});

test('release: --all does not go with a lease; nobody is released of a name that is not there', async () => {
  assert.equal((await command('release', '--all', SECOND)).status, 2);
  assert.equal((await command('release', 'nobody-there')).status, 1);
  assert.deepEqual(released(), []);
});

test('release PATTERN: what matches is shown, and released after a yes', async () => {
  const third = 'a'.repeat(32);
  daemon.leases = [
    sampleLease({ userName: 'job-1', unit: 'job-1\n.service' }),
    sampleLease({ uid: 61501, userName: 'job-2', lease: SECOND }),
    sampleLease({ uid: 61502, userName: 'job-3', lease: third, lifetime: 'timed' }),
    sampleLease({ uid: 61503, userName: 'other', lease: 'b'.repeat(32) }),
    sampleLease({ uid: 61504, userName: 'job-4', lease: 'c'.repeat(32), ending: true }),
  ];
  const questions: string[] = [];
  const answered = (answer: string | undefined, ...argv: string[]): Promise<Outcome> => {
    const options = { environment: daemon.environment, onQuestion: (text: string) => questions.push(text) };
    return runCommand(['release', 'job-*', ...argv], answer === undefined ? options : { ...options, answer });
  };
  for (const answer of ['', 'n', 'yesterday']) {
    const nothing = { status: 1, output: '', errors: 'dynuserctl: nothing was released\n' };
    assert.deepEqual(await answered(answer), nothing);
  }
  assert.equal(
    questions[0],
    `64642  job-1  explicit  job-1\\n.service\n61501  job-2  explicit  ${UNIT}\nRelease 2 leases of 2 users? [y/N] `,
  );
  const { status, errors } = await answered(undefined);
  assert.equal(status, 2);
  assert.match(errors, /asks first, and there is no terminal; use --yes\n$/);
  assert.deepEqual(released(), []);

  assert.equal((await answered('Yes')).status, 0);
  assert.deepEqual(released(), [LEASE_ID, SECOND]);
  assert.equal((await onTerminal('release', 'job-*', '-y', '--all')).output, 'Released 3 leases of 3 users.\n');
  assert.deepEqual(released().slice(2), [LEASE_ID, SECOND, third]);
});

test('release PATTERN: nothing matches, or nothing that a pattern releases', async () => {
  daemon.leases = [sampleLease({ userName: 'job-1', lifetime: 'connection' })];
  assert.match((await command('release', 'jobs-*', '--yes')).errors, /^dynuserctl: no lease matches 'jobs-\*': /);
  assert.match(
    (await command('release', 'job-*', '--yes')).errors,
    /^dynuserctl: no explicit lease matches 'job-\*': .* --all\n/,
  );
  assert.deepEqual(released(), []);
});

test('reload: says what has changed, and what was wrong', async () => {
  const { output } = await command('reload');
  assert.equal(output, 'Changed: KillGraceSec.\nAt the next start of dynuserd: UidRange. Restart it for that.\n');
  assert.deepEqual(JSON.parse((await command('reload', '--json=short')).output), {
    applied: ['KillGraceSec'],
    deferred: ['UidRange'],
  });
  daemon.refusal = {
    error: 'io.dynuser.Allocator.InvalidConfiguration',
    parameters: { field: '', reason: '/etc/dynuser/dynuserd.conf:1: unknown key' },
  };
  const errors = 'dynuserctl: /etc/dynuser/dynuserd.conf:1: unknown key\n';
  assert.deepEqual(await command('reload'), { status: 1, output: '', errors });
});

test('a refusal is said in its own words, also beside JSON', async () => {
  daemon.refusal = {
    error: 'io.dynuser.Allocator.NameConflict',
    parameters: { field: 'userName', reason: 'the group web exists\x1b[2J' },
  };
  assert.deepEqual(await command('acquire', UNIT, '--json=short'), {
    status: 1,
    output: '',
    errors: 'dynuserctl: --user=: the group web exists\\x1b[2J\n',
  });
});
