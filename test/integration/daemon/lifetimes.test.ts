// starts early: a machine for each test
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { type Installed, replyOf, withInstalled } from '../../support/installed.ts';
import { until } from '../../support/until.ts';

const ACQUIRE = 'io.dynuser.Allocator.Acquire';

const resolves = async (host: Installed, name: string) =>
  (await host.machine.run(['getent', 'passwd', name])).status === 0;

test('a lease of a connection ends with it, also when its holder is killed', async () => {
  await withInstalled({}, async host => {
    await host.startDaemon();
    const holder = await host.machine.spawn(['dynuserctl', 'acquire', '--lifetime=connection', 'held.service']);
    const [uid] = await once(holder.stdout.setEncoding('utf8'), 'data');
    assert.match(String(uid), /^\d+\n$/);
    assert.ok(await resolves(host, 'held'));
    holder.kill('SIGKILL');
    await until('the user is gone', async () => !(await resolves(host, 'held')));
    await host.untilNothingIsKept();
  });
});

test('a connection with a lease is not closed as idle, one without is', async () => {
  await withInstalled({ config: 'IdleTimeoutSec=1\n' }, async host => {
    await host.startDaemon();
    const holder = await host.machine.spawn(['dynuserctl', 'acquire', '--lifetime=connection', 'held.service']);
    await once(holder.stdout, 'data');
    const [idle] = (await host.program('raw', { input: `${JSON.stringify({ send: '', waitMs: 5_000 })}\n` })).split(
      '\n',
    );
    assert.equal(JSON.parse(idle ?? '').closed, true);
    assert.ok(await resolves(host, 'held'));
    holder.kill('SIGTERM');
    await holder.ended;
  });
});

test('a timed lease ends by itself, over a restart of the daemon too', async () => {
  await withInstalled({}, async host => {
    const daemon = await host.startDaemon();
    const timed = ['acquire', '--lifetime=timed', 'timed.service'];
    const refused = await host.ctl([...timed, '--seconds=1209601']);
    assert.deepEqual([refused.status, refused.stdout], [1, '']);
    assert.match(refused.stderr, /--seconds=: a timed lease lasts 1 to 1209600 seconds/);
    for (const seconds of ['4', '600']) {
      assert.equal((await host.ctl([...timed, `--seconds=${seconds}`])).status, 0);
    }
    assert.match((await host.ctl(['show', 'timed'])).stdout, /^ *Lifetime: timed, 600 s$/m);
    daemon.kill('SIGKILL');
    await daemon.ended;
    await host.startDaemon();
    // On a busy machine its time may be over already: then the daemon ends it as it starts.
    await until('the shorter one has ended', async () => (await host.leases()).length === 1);
    assert.ok(await resolves(host, 'timed'));
    await host.ctl(['release', '--all', 'timed']);
    assert.deepEqual(await host.traces(), []);
  });
});

test('a lease of running processes ends with the last of a service that forks and leaves, over a restart of the daemon too', async () => {
  await withInstalled({}, async host => {
    const daemon = await host.startDaemon();
    const { machine } = host;
    const said = await machine.sh('script -qec "dynuserctl acquire --lifetime=running forks.service" /dev/null');
    assert.match(said, /It is held until no process runs as the user; the first has 60 seconds to start\./);
    const uid = (await machine.sh('id -u forks')).trim();
    // Who starts it ends at once, and so does each process but for the last.
    const forks =
      '#!/bin/sh\n[ -n "$1" ] && echo $$ >/tmp/last && exec sleep 600\n(sleep 1; sh "$0" last & sleep 1) &\n';
    await machine.write('/usr/local/bin/forks', forks);
    await machine.sh(`setpriv --reuid=${uid} --regid=${uid} --clear-groups sh /usr/local/bin/forks >/dev/null 2>&1`);
    await until('the last process is there', async () => (await machine.run(['test', '-s', '/tmp/last'])).status === 0);
    assert.ok(await resolves(host, 'forks'));
    daemon.kill('SIGKILL');
    await daemon.ended;
    await host.startDaemon();
    assert.match((await host.ctl(['list'])).stdout, / running /);
    await machine.sh('kill "$(cat /tmp/last)"');
    await until('the user is gone', async () => !(await resolves(host, 'forks')));
    await host.untilNothingIsKept();

    // An account of the host has its processes, too: what follows them ends no account.
    await machine.sh('echo acct:x:4242:4242::/:/bin/sh >>/etc/passwd; echo acct:x:4242: >>/etc/group');
    await machine.sh('setpriv --reuid=4242 --regid=4242 --clear-groups sleep 600 >/dev/null 2>&1 & echo $! >/tmp/acct');
    const acquired = await host.ctl(['acquire', '--lifetime=running', '--user=acct', 'acct.service']);
    assert.deepEqual([acquired.status, acquired.stdout.trim()], [0, '4242'], acquired.stderr);
    await machine.sh('kill "$(cat /tmp/acct)"');
    await until('its lease is gone', async () => (await host.leases()).length === 0);
    assert.ok(await resolves(host, 'acct'));
  });
});

test('a lease of a process ends with it: the one that asks, or the one that is named', async () => {
  await withInstalled({ config: 'AllowUsers=1000\n' }, async host => {
    const daemon = await host.startDaemon();
    const process = (pid?: number) => [ACQUIRE, { unit: 'bound.service', lifetime: 'process', pid }] as const;
    replyOf((await host.calls([process()]))[0]);
    await until('the user of a program that has ended is gone', async () => !(await resolves(host, 'bound')));

    const script = 'sleep 600 >/dev/null 2>&1 & echo $!';
    const pid = Number(await host.machine.sh(script));
    replyOf((await host.calls([process(pid)]))[0]);
    const foreign = (await host.calls([process(pid)], { uid: 1000 }))[0];
    assert.ok(foreign !== undefined && 'error' in foreign);
    assert.equal(foreign.error, 'io.dynuser.Allocator.NotPermitted');
    daemon.kill('SIGKILL');
    await daemon.ended;
    await host.startDaemon();
    assert.ok(await resolves(host, 'bound'), 'the process lives, and so does its lease, over a restart');
    await host.machine.output(['kill', '-9', String(pid)]);
    await until('the user is gone with the process', async () => !(await resolves(host, 'bound')));
    await host.untilNothingIsKept();
    const gone = (await host.calls([process(pid)]))[0];
    assert.ok(gone !== undefined && 'error' in gone);
    assert.equal(gone.error, 'io.dynuser.Allocator.LifetimeEnded');
    assert.match(String(gone.parameters['reason']), /there is no process/);
  });
});

test('a process that ended while the daemon was away ends its lease at the next start', async () => {
  await withInstalled({}, async host => {
    const daemon = await host.startDaemon();
    const pid = Number(await host.machine.sh('sleep 600 >/dev/null 2>&1 & echo $!'));
    replyOf((await host.calls([[ACQUIRE, { unit: 'bound.service', lifetime: 'process', pid }]]))[0]);
    daemon.kill('SIGKILL');
    await daemon.ended;
    await host.machine.output(['kill', '-9', String(pid)]);
    await host.startDaemon();
    await host.untilNothingIsKept();
  });
});

test('without a bus a lease of a unit is refused by name, and the daemon serves all else', async () => {
  await withInstalled({}, async host => {
    await host.startDaemon();
    const [result] = await host.calls([[ACQUIRE, { unit: 'x.service', lifetime: 'unit' }]]);
    assert.ok(result !== undefined && 'error' in result);
    assert.equal(result.error, 'io.dynuser.Allocator.ProbeFailed');
    assert.equal(result.parameters['field'], 'lifetime');
    assert.match(String(result.parameters['reason']), /leases cannot be bound to units: .*system_bus_socket/);
  });
});

test('when a user ends, its processes and its IPC objects go with it, and nobody else’s', async () => {
  await withInstalled({ config: 'KillGraceSec=0.2\n' }, async host => {
    await host.startDaemon();
    const [result] = await host.calls([[ACQUIRE, { unit: 'busy.service', lifetime: 'explicit' }]]);
    const { uid, lease } = replyOf(result);
    const as = (user: unknown, command: string) =>
      host.machine.sh(`setpriv --reuid=${user} --regid=${user} --clear-groups sh -c '${command}'`);
    const stubborn = 'trap "" TERM; (trap "" TERM; while :; do sleep 1; done) >/dev/null 2>&1 &';
    await as(uid, `${stubborn} mkdir /dev/shm/mine; touch /dev/shm/mine/x; ipcmk -M 4096 >/dev/null`);
    await as(1000, 'sleep 600 >/dev/null 2>&1 & touch /dev/shm/other; ipcmk -M 4096 >/dev/null');
    assert.deepEqual(replyOf((await host.calls([['io.dynuser.Allocator.Release', { lease }]]))[0]), {});
    const left = await host.machine.output([
      'sh',
      '-c',
      `ps -eo uid= | grep -cw ${uid}; ls /dev/shm; ipcs -m | grep -c 1000; true`,
    ]);
    assert.equal(left, '0\nother\n1');
    assert.deepEqual(await host.traces(), []);
  });
});

test('a caller that cleans up by itself keeps what the user left, and the UID is kept from others by it', async () => {
  await withInstalled({}, async host => {
    await host.startDaemon();
    const mine = { unit: 'mine.service', lifetime: 'explicit', killProcesses: false, removeIPC: false };
    const { uid, lease } = replyOf((await host.calls([[ACQUIRE, mine]]))[0]);
    await host.machine.output([
      'sh',
      '-c',
      `setpriv --reuid=${uid} --regid=${uid} --clear-groups sleep 600 >/dev/null 2>&1 & sleep 0.2`,
    ]);
    replyOf((await host.calls([['io.dynuser.Allocator.Release', { lease }]]))[0]);
    const [again] = await host.calls([[ACQUIRE, mine]]);
    assert.notEqual(replyOf(again)['uid'], uid);
  });
});

test('explicit leases outlive a stop and a kill of the daemon, with their links and their lock', async () => {
  await withInstalled({}, async host => {
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      const daemon = await host.startDaemon();
      const [result] = await host.calls([[ACQUIRE, { unit: `kept-${signal}.service`, lifetime: 'explicit' }]]);
      const { uid, lease } = replyOf(result);
      daemon.kill(signal);
      const status = await daemon.ended;
      assert.equal(status, signal === 'SIGTERM' ? 0 : 137);
      assert.ok(await resolves(host, `kept-${signal}`));
      const again = await host.startDaemon();
      const file = `/run/systemd/dynamic-uid/${uid}`;
      assert.equal((await host.machine.run(['flock', '-n', file, 'true'])).status, 1, 'the UID is locked again');
      replyOf((await host.calls([['io.dynuser.Allocator.Release', { lease }]]))[0]);
      assert.equal((await host.machine.run(['test', '-e', file])).status, 1);
      again.kill('SIGTERM');
      await again.ended;
    }
  });
});

test('a second daemon on one runtime directory is refused, and the first lives on', async () => {
  await withInstalled({}, async host => {
    await host.startDaemon();
    const second = await host.machine.run(['/usr/sbin/dynuserd']);
    assert.equal(second.status, 1);
    assert.equal(second.stderr, 'dynuserd: another dynuserd is running on /run/dynuser; stop it first\n');
    assert.equal((await host.ctl(['list', '--json=short'])).stdout, '[]\n');
  });
});

test('two daemons with runtime directories of their own never give out one UID twice', async () => {
  await withInstalled({ config: 'UidRange=61184-61203\n' }, async host => {
    await host.startDaemon();
    const other = { DYNUSER_RUNTIME_DIRECTORY: '/run/other' };
    const second = await host.machine.spawn(['/usr/sbin/dynuserd'], { env: other });
    await host.untilAnswers(undefined, other.DYNUSER_RUNTIME_DIRECTORY);
    const acquires = Array.from(
      { length: 10 },
      (_, index) => [ACQUIRE, { unit: `a${index}.service`, lifetime: 'explicit' }] as const,
    );
    const results = await Promise.all([host.calls(acquires), host.calls(acquires, { env: other })]);
    const uids = results.flat().map(result => replyOf(result)['uid']);
    assert.equal(new Set(uids).size, 20);
    assert.equal((await host.ctl(['acquire', 'more.service'], { env: other })).status, 1);
    second.kill('SIGTERM');
    await second.ended;
  });
});

test('watch says what lives, and then each change as it happens', async () => {
  await withInstalled({}, async host => {
    await host.startDaemon();
    await host.ctl(['acquire', 'before.service']);
    const watcher = await host.machine.spawn(['dynuserctl', 'watch', '--json=short']);
    let text = '';
    watcher.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    await until('the watch has begun', async () => text.includes('"ready"'));
    await host.ctl(['acquire', 'after.service']);
    await host.ctl(['release', 'before']);
    await until('both changes are seen', async () => text.includes('"released"'));
    const events = text
      .trim()
      .split('\n')
      .map(line => JSON.parse(line));
    assert.deepEqual(
      events.map(({ event, lease }) => [event, lease?.userName]),
      [
        ['existing', 'before'],
        ['ready', undefined],
        ['allocated', 'after'],
        ['released', 'before'],
      ],
    );
    watcher.kill('SIGTERM');
    await watcher.ended;
  });
});

test('a registry that is full refuses with a clear word, and nothing is lost or left', async () => {
  await withInstalled({}, async host => {
    // Room for the directories and a few leases, and for nothing more.
    await host.machine.output([
      'sh',
      '-c',
      'mkdir -p /run/dynuser && mount -t tmpfs -o mode=0755,size=64k,nr_inodes=40 tmpfs /run/dynuser',
    ]);
    await host.startDaemon();
    const results = await host.calls(
      Array.from({ length: 40 }, (_, index) => [ACQUIRE, { unit: `u${index}.service`, lifetime: 'explicit' }] as const),
    );
    const given = results.filter(result => 'reply' in result);
    const refused = results.filter(result => 'error' in result);
    assert.ok(given.length > 2 && refused.length > 2, `${given.length} given, ${refused.length} refused`);
    for (const result of refused) {
      assert.equal('error' in result && result.error, 'io.dynuser.Allocator.LimitReached');
    }
    assert.equal((await host.traces()).length, given.length * 4);
    await host.calls(
      given.map(result => ['io.dynuser.Allocator.Release', { lease: replyOf(result)['lease'] }] as const),
    );
    assert.deepEqual(await host.traces(), []);
  });
});
