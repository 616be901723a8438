/**
 * No number is anybody else's: what others hold of a UID or GID by groups, by effective IDs and by gifts, against the installed
 * daemon.
 */
// starts early: it builds programs, and waits for their ends
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CHECKOUT } from '../../../src/tooling/checkout.ts';
import { acquire, endOf, release, startOf } from '../../support/evidence.ts';
import { replyOf, withInstalled } from '../../support/installed.ts';
import { buildNative, PLAIN } from '../../support/native.ts';
import { until } from '../../support/until.ts';

const STRANGER = 1_000;

test('who has the group of a user that ended as a supplementary one keeps its number, and is named', async () => {
  await withInstalled({ config: 'CoolDownSec=0\n' }, async host => {
    await host.startDaemon();
    const { uid, lease } = await acquire(host, 'appa.service');
    const ids = ['--reuid', String(STRANGER), '--regid', String(STRANGER), '--groups', String(uid)];
    const holder = await host.machine.spawn(['setpriv', ...ids, 'sh', '-c', 'echo in; exec sleep 600']);
    await holder.stdout.take(1).toArray();
    await release(host, lease);
    const words = /process \d+ \(s(?:h|leep)\) has it as a supplementary group/;
    for (const argv of [['list'], ['list', '--json=short'], ['explain', 'appa.service']]) {
      assert.match((await host.ctl(argv)).stdout, words, argv.join(' '));
    }
    // Of the same name, which would have the same number at once.
    const next = await acquire(host, 'appa.service');
    assert.notEqual(next.uid, uid);
    assert.equal((await host.machine.run(['pgrep', '-x', 'sleep'])).status, 0, 'it is not ours to end');
    await release(host, next.lease);
    await endOf(holder);
    await host.machine.run(['pkill', '-x', 'sleep']);
    await until('the number is free', async () => (await host.leases()).length === 0);

    // One that nobody reserves, and that a process has got meanwhile.
    const other = await host.machine.spawn(['setpriv', '--groups', String(uid), 'sh', '-c', 'echo in; exec sleep 601']);
    await other.stdout.take(1).toArray();
    assert.match((await host.ctl(['explain', 'appa.service'])).stdout, words);
    assert.notEqual((await acquire(host, 'appa.service')).uid, uid);
    await endOf(other);
  });
});

test('a process that forks for ever with the UID as its effective one alone ends with the user', async () => {
  await withInstalled({ config: 'KillGraceSec=0\n' }, async host => {
    await host.startDaemon();
    const { uid, lease } = await acquire(host, 'chain.service');
    const chain = `$SIG{CHLD} = "IGNORE"; $> = ${uid}; print "on\n"; close STDOUT; $t = time; while (time < $t + 60) { exit if fork }`;
    const started = await host.machine.spawn(startOf(chain));
    await started.stdout.take(1).toArray();
    await release(host, lease);
    await until('nothing of it is left', async () => (await host.leases()).length === 0);
    assert.equal((await host.machine.run(['pgrep', '-x', 'perl'])).status, 1);
    await endOf(started);
  });
});

test('IPC objects that a stranger gave to every number count for nothing, and go when a number is given out', async () => {
  buildNative('helper-tests', PLAIN);
  await withInstalled({ config: 'CoolDownSec=0\n' }, async host => {
    const daemon = await host.startDaemon();
    let log = '';
    daemon.stderr.on('data', (text: string) => {
      log += text;
    });
    const first = await acquire(host, 'ipc.service');
    await release(host, first.lease);
    const program = `${CHECKOUT}dist/native/test/helper/giver`;
    const giver = await host.machine.spawn([program, '61184', '65519', String(STRANGER)]);
    await giver.stdout.take(1).toArray();
    const queues = async () => (await host.machine.output(['cat', '/proc/sysvipc/msg'])).trim().split('\n').length - 1;
    const before = await queues();
    assert.equal(before, 2_168);
    const explained = JSON.parse((await host.ctl(['explain', '--json=short', 'ipc.service'])).stdout);
    assert.equal(explained.uid, first.uid);
    assert.equal(await queues(), before, 'explain removes nothing');
    const given = await acquire(host, 'ipc.service');
    assert.equal(given.uid, first.uid);
    assert.equal(await queues(), before - 1);
    await until('it is said', async () => /IPC objects that others had given to a UID were removed/.test(log));
    await release(host, given.lease);

    // The segment that its creator keeps attached was given to the first number of the range.
    const all = await host.calls(
      Array.from({ length: 30 }, (_, number) => [
        'io.dynuser.Allocator.Acquire',
        { unit: `u${number}.service`, lifetime: 'explicit' },
      ]),
    );
    assert.equal(new Set(all.map(result => replyOf(result)['uid'])).size, 30);
    for (const result of all) {
      await release(host, String(replyOf(result)['lease']));
    }
    assert.equal((await host.ctl(['list', '--json=short'])).stdout.trim(), '[]', 'none is kept');
    await endOf(giver);
  });
});
