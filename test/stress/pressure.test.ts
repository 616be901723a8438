/** A host that runs out of something: clear errors at once, nothing that was answered lost, and all well again afterwards. */
// runs alone: it takes all descriptors of a process, and fills /run
// time limit: 120 s
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { type CallResult, errorOf, type Installed, replyOf, withInstalled } from '../support/installed.ts';
import { until } from '../support/until.ts';

const ACQUIRE = 'io.dynuser.Allocator.Acquire';
const RELEASE = 'io.dynuser.Allocator.Release';
const LIST = 'io.dynuser.Allocator.List';
/** How long any answer may take under pressure, in milliseconds: far more than it should, and less than a client waits. */
const ANSWER_MS = 15_000;

async function call(host: Installed, method: string, parameters: Record<string, unknown> = {}): Promise<CallResult> {
  const [result] = await host.calls([[method, parameters]], { timeoutMs: ANSWER_MS });
  assert.ok(result);
  return result;
}

const acquire = (host: Installed, unit: string, more: Record<string, unknown> = {}) =>
  call(host, ACQUIRE, { unit: `${unit}.service`, lifetime: 'explicit', ...more });

async function leaseOf(host: Installed, unit: string, more?: Record<string, unknown>): Promise<string> {
  return String(replyOf(await acquire(host, unit, more))['lease']);
}

/** The names of the users that have leases, one for each lease. */
async function listed(host: Installed): Promise<string[]> {
  const { leases } = replyOf(await call(host, LIST));
  assert.ok(Array.isArray(leases));
  return leases.map(({ userName }) => String(userName)).toSorted();
}

test('a full /run: what needs room is refused, what gives it back is not, and a start needs none', async () => {
  await withInstalled({}, async host => {
    const { machine } = host;
    await machine.output(['mount', '-t', 'tmpfs', '-o', 'mode=0755,size=1m,nr_inodes=200', 'tmpfs', '/run']);
    const daemon = await host.startDaemon();
    const [single, kept, shared] = [
      await leaseOf(host, 'single'),
      await leaseOf(host, 'kept'),
      await leaseOf(host, 'shared'),
    ];
    const other = await leaseOf(host, 'shared', { userName: 'shared' });
    const holder = await machine.spawn(['dynuserctl', 'acquire', '--lifetime=connection', '--user=kept', 'x.service']);
    await until('it holds', async () => (await listed(host)).length === 5);
    // Of bytes as of files there is not one left.
    await machine.run(['sh', '-c', 'cat /dev/zero >/run/ballast; i=0; while : >/run/b$i; do i=$((i + 1)); done']);

    const refused = errorOf(await acquire(host, 'more'));
    assert.equal(refused.error, 'io.dynuser.Allocator.LimitReached');
    assert.match(String(refused.parameters['reason']), /the registry is full: .*ENOSPC/);
    const joining = errorOf(await acquire(host, 'shared', { userName: 'shared' }));
    assert.equal(joining.error, 'io.dynuser.Allocator.LimitReached');
    // One of two is written anew without it, for which there is no room: it stays as it was, and can be tried again.
    const leaving = errorOf(await call(host, RELEASE, { lease: shared }));
    assert.equal(leaving.error, 'io.dynuser.Allocator.LimitReached');
    assert.deepEqual(await listed(host), ['kept', 'kept', 'shared', 'shared', 'single']);
    // With a connection it goes all the same: nobody is left to try again.
    holder.kill('SIGKILL');
    await until('the connection is seen to be gone', async () => (await listed(host)).length === 4);
    assert.deepEqual(replyOf(await call(host, RELEASE, { lease: single })), {});
    // What that gave back is taken again.
    await machine.run(['sh', '-c', 'cat /dev/zero >>/run/ballast; i=0; while : >/run/c$i; do i=$((i + 1)); done']);

    daemon.kill('SIGKILL');
    await daemon.ended;
    await host.startDaemon();
    await until('what the dead one could not write down is done', async () => (await listed(host)).length === 3);
    assert.deepEqual(await listed(host), ['kept', 'shared', 'shared']);
    assert.equal((await machine.run(['id', 'kept'])).status, 0);
    assert.equal((await machine.run(['id', 'more'])).status, 1);

    await machine.sh('rm /run/ballast /run/[bc][0-9]*');
    for (const lease of [kept, shared, other, await leaseOf(host, 'more')]) {
      assert.deepEqual(replyOf(await call(host, RELEASE, { lease })), {});
    }
    assert.deepEqual(await host.traces(), []);
  });
});

test('no descriptor left: requests are refused, leases live on, and with room all is well', async () => {
  await withInstalled({}, async host => {
    const { machine } = host;
    const daemon = await host.startDaemon();
    const leases = [await leaseOf(host, 'before')];
    const ends = await leaseOf(host, 'ends');
    const limit = (count: number) => machine.sh(`prlimit --pid $(pidof -s node) --nofile=${count}:`);
    const open = readdirSync(`/proc/${daemon.pid}/fd`).length;
    assert.equal(await machine.sh('pidof node | wc -w'), '1', 'the daemon is the only one');
    // Room for one connection and a few leases.
    await limit(open + 6);
    const calls = Array.from(
      { length: 20 },
      (_, index) => [ACQUIRE, { unit: `u${index}.service`, lifetime: 'explicit' }] as const,
    );
    const release = [RELEASE, { lease: ends }] as const;
    const results = await host.calls([...calls, release], { timeoutMs: 2 * ANSWER_MS });
    assert.deepEqual(results.pop(), { reply: {} }, 'to release one needs none');
    const given = results.filter(result => 'reply' in result);
    const refused = results.filter(result => 'error' in result);
    assert.ok(given.length >= 1 && refused.length >= 10, JSON.stringify(results));
    for (const { error, parameters } of refused.map(errorOf)) {
      assert.match(error, /^io\.dynuser\.Allocator\.(?:LimitReached|ProbeFailed)$/, JSON.stringify(parameters));
      assert.match(String(parameters['reason']), /EMFILE|descriptor/);
    }
    // Not one is left even for a connection: it is turned away, and not left waiting.
    await limit(10);
    assert.notEqual((await host.ctl(['list'], { timeoutMs: ANSWER_MS })).status, 0);
    assert.equal((await machine.run(['id', 'before'])).status, 0, 'lookups go on');

    await limit(4_096);
    await host.untilAnswers();
    const names = given.map(result => String(replyOf(result)['userName']));
    assert.deepEqual(await listed(host), ['before', ...names].toSorted());
    leases.push(...given.map(result => String(replyOf(result)['lease'])), await leaseOf(host, 'after'));
    for (const lease of leases) {
      assert.deepEqual(replyOf(await call(host, RELEASE, { lease })), {});
    }
    assert.deepEqual(await host.traces(), []);
    daemon.kill('SIGTERM');
    assert.equal(await daemon.ended, 0);
  });
});
