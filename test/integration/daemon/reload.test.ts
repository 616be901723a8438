/** SIGHUP: what can change without a restart does, the rest is said, and a file that is wrong changes nothing. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { DYNUSER_NSSWITCH, errorOf, Installed, replyOf } from '../../support/installed.ts';
import type { MachineProcess } from '../../support/machine/process.ts';
import { Machine } from '../../support/machine.ts';
import { until } from '../../support/until.ts';

const FILE = '/etc/dynuser/dynuserd.conf';
const ACQUIRE = 'io.dynuser.Allocator.Acquire';
const RELEASE = 'io.dynuser.Allocator.Release';
/** A user without an account. */
const PEER = 4_711;
const DEADLINE_MS = 30_000;

describe('SIGHUP', () => {
  let machine: Machine;
  let host: Installed;
  let daemon: MachineProcess;
  let log = '';
  before(async () => {
    machine = await Machine.boot({ init: 'plain', stage: true, nsswitch: DYNUSER_NSSWITCH });
    host = new Installed(machine);
    daemon = await host.startDaemon();
    daemon.stderr.on('data', (text: string) => {
      log += text;
    });
  });
  after(() => machine.stop());

  /** @returns the messages that the reload left, which are so many, with what belongs to them */
  const reload = async (text: string | undefined, count = 1): Promise<Record<string, unknown>[]> => {
    await machine.output(['rm', '-rf', FILE]);
    if (text !== undefined) {
      await machine.write(FILE, text);
    }
    const from = log.length;
    daemon.kill('SIGHUP');
    const lines = () => log.slice(from).split('\n').slice(0, -1);
    await until('the log tells of the reload', () => /reloaded|stays as it was/.test(log.slice(from)));
    await until(
      () => `the reload leaves ${count} messages, not ${lines().join(' ')}`,
      () => lines().length >= count,
    );
    return lines().map(line => JSON.parse(line));
  };
  const mayAcquire = async (): Promise<boolean> => {
    const [result] = await host.calls([[ACQUIRE, { unit: 'peers.service', lifetime: 'explicit' }]], { uid: PEER });
    if (result !== undefined && 'reply' in result) {
      assert.deepEqual(replyOf((await host.calls([[RELEASE, { lease: replyOf(result)['lease'] }]]))[0]), {});
      return true;
    }
    assert.equal(errorOf(result).error, 'io.dynuser.Allocator.NotPermitted');
    return false;
  };

  it('gives and takes the right to acquire, while leases live on', async () => {
    assert.match(await machine.output(['dynuserctl', 'acquire', 'before.service']), /^\d+$/);
    assert.equal(await mayAcquire(), false);
    assert.deepEqual(
      (await reload(`AllowUsers=${PEER}\n`)).map(line => [line['msg'], line['applied']]),
      [['configuration reloaded', ['AllowUsers']]],
    );
    assert.equal(await mayAcquire(), true);
    await reload(`AllowGroups=${PEER}\n`);
    assert.equal(await mayAcquire(), true);
    assert.deepEqual(
      (await reload(undefined)).map(line => line['applied']),
      [['AllowGroups']],
    );
    assert.equal(await mayAcquire(), false);
    assert.equal((await machine.run(['id', 'before'])).status, 0);
  });

  it('says what changes at the next start alone, and applies the rest', async () => {
    const lines = await reload('ExitIdleSec=9\nKillGraceSec=1\nMaxConnections=100\n', 2);
    assert.deepEqual(
      lines.map(line => [line['level'], line['msg']]),
      [
        [30, 'configuration reloaded'],
        [40, 'MaxConnections=, ExitIdleSec= changes at the next start; restart dynuserd for it'],
      ],
    );
    assert.deepEqual(lines[0]?.['applied'], ['KillGraceSec']);
  });

  it('a range that changes: who lives stays, and who comes is from the new one', async () => {
    const acquire = (unit: string, ...more: string[]) => machine.output(['dynuserctl', 'acquire', ...more, unit]);
    const state = '--state-directory=stays';
    assert.equal(await acquire('dynamic-user-test.service', state), '64642');
    await machine.output([
      'sh',
      '-c',
      'echo text >/var/lib/private/stays/file && chown 64642 /var/lib/private/stays/file',
    ]);
    const lines = await reload('UidRange=100000-165535 !120000-129999\nUidRange.ci-*=80000-89999\nCoolDownSec=0\n');
    assert.deepEqual(lines[0]?.['applied'], ['UidRange', 'UidRange.PATTERN', 'KillGraceSec', 'CoolDownSec']);
    assert.equal(await machine.output(['id', '-u', 'dynamic-user-test']), '64642');
    assert.equal(await acquire('dynamic-user-test.service'), '64642', 'joined');
    assert.equal(await machine.output(['stat', '-c', '%u', '/var/lib/private/stays/file']), '64642');
    const [other, ci] = [Number(await acquire('other.service')), Number(await acquire('ci-1.service'))];
    assert.ok((other >= 100000 && other < 120000) || (other >= 130000 && other <= 165535), `${other}`);
    assert.ok(ci >= 80000 && ci <= 89999, `${ci}`);
    for (const [name, uid] of [
      ['other', other],
      ['ci-1', ci],
    ] as const) {
      const passwd = `${name}:x:${uid}:${uid}:Dynamic User:/:/usr/sbin/nologin`;
      assert.equal(await machine.output(['getent', 'passwd', `${uid}`]), passwd);
      assert.equal(await machine.output(['getent', 'group', name]), `${name}:x:${uid}:`);
      assert.equal(await machine.output(['env', 'DYNUSER_NSS_SOURCE=varlink', 'getent', 'passwd', name]), passwd);
      assert.equal((await machine.run(['test', '-e', `/run/systemd/dynamic-uid/${uid}`])).status, 1, 'no lock file');
    }
    // The directory goes to a number of the new range, as to any other user that comes after its owner.
    await machine.output(['dynuserctl', 'release', '--all', 'dynamic-user-test']);
    const successor = Number(await acquire('dynamic-user-test.service', state));
    assert.ok(successor >= 100000, `${successor}`);
    assert.equal(await machine.output(['stat', '-c', '%u', '/var/lib/private/stays/file']), `${successor}`);
  });

  it('a bound of the server changes: a connection without a call is closed sooner', async () => {
    await reload('IdleTimeoutSec=1\n');
    const idle = connect(machine.path('/run/dynuser/io.dynuser.DynamicUser'));
    idle.resume();
    const closed = once(idle, 'close').then(() => 'closed');
    assert.equal(await Promise.race([closed, sleep(DEADLINE_MS, 'still open', { ref: false })]), 'closed');
  });

  for (const [what, text, words] of [
    ['a key that is not known', 'AllowUser=0\n', /dynuserd\.conf:1: unknown key "AllowUser"/],
    ['a value that cannot be', `AllowUsers=\nProbeTimeoutSec=soon\n`, /dynuserd\.conf:2: ProbeTimeoutSec=: it must be/],
    ['a file that is too long', '#'.repeat(70_000), /dynuserd\.conf: it is larger than 65536 bytes; shorten it/],
  ] as const) {
    it(`${what} keeps the former configuration, and is said`, async () => {
      await reload(`AllowUsers=${PEER}\n`);
      const lines = await reload(text);
      assert.equal(lines.length, 1);
      assert.equal(lines[0]?.['level'], 50);
      assert.match(String(lines[0]?.['msg']), /^the configuration stays as it was: /);
      assert.match(String(lines[0]?.['msg']), words);
      assert.equal(await mayAcquire(), true);
    });
  }

  it('a FIFO in the place of the file holds nothing up', async () => {
    await machine.output(['rm', '-f', FILE]);
    await machine.output(['mkfifo', FILE]);
    const from = log.length;
    daemon.kill('SIGHUP');
    await until('the log tells of the FIFO', () => /not a regular file/.test(log.slice(from)));
    assert.equal((await host.ctl(['list'])).status, 0);
  });

  it('without end it ends nothing', async () => {
    await reload('');
    for (let count = 0; count < 200; count++) {
      daemon.kill('SIGHUP');
      await sleep(1);
    }
    assert.match(await machine.output(['dynuserctl', 'list']), /dynamic-user-test/);
  });

  it('the level of the log changes too', async () => {
    await machine.write(FILE, `LogLevel=error\nAllowUsers=${PEER}\n`);
    daemon.kill('SIGHUP');
    await until('the daemon has reloaded', mayAcquire);
    const from = log.length;
    daemon.kill('SIGTERM');
    assert.equal(await daemon.ended, 0);
    assert.equal(log.slice(from), '', 'what it says of its end is not as bad');
  });

  it('that comes while the daemon starts, after it has read the file, is no less heard', async () => {
    await machine.write(FILE, '');
    // As Node tells of a signal, at the first wait of the start: how long that is depends on the host.
    const early = `import { writeFileSync } from 'node:fs';
process.on('newListener', name => {
  if (name === 'SIGHUP') {
    queueMicrotask(() => {
      writeFileSync('${FILE}', 'AllowUsers=${PEER}\\n');
      process.emit(name, name);
    });
  }
});`;
    const preload = `data:text/javascript,${encodeURIComponent(early)}`;
    await machine.spawn(['node', '--import', preload, '/usr/lib/dynuser/dynuserd.js']);
    await host.untilAnswers();
    await until('it has reloaded', mayAcquire);
  });
});
