/** The locks of UIDs outlive the daemon, and what is done to a UID whose lock is somebody else's: nothing. */
// starts early: machines with systemd
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Machine } from '../support/machine.ts';
import { until } from '../support/until.ts';

/** Two names that prefer one UID. */
const [OURS, THEIRS, UID] = ['svc42', 'svc87', '63769'];
const LOCKS = '/run/systemd/dynamic-uid';

describe('locks beside a real systemd', () => {
  let machine: Machine;
  const run = (...argv: string[]) => machine.output(argv);
  const systemctl = (...argv: string[]) => run('systemctl', ...argv);
  before(async () => {
    machine = await Machine.boot({ init: 'systemd', stage: true, nsswitch: { passwd: 'files', group: 'files' } });
    await machine.write('/etc/dynuser/dynuserd.conf', 'CoolDownSec=0\n');
    // As it is installed: systemd forgets a stopped unit, and what it stored for it, if no other unit refers to it.
    await systemctl('enable', '--now', 'dynuserd.service');
  });
  after(() => machine.stop());

  /** systemd's own dynamic user of that name. @returns its UID */
  async function startTheirs(): Promise<string> {
    const properties = ['-p', 'DynamicUser=yes', '-p', 'Type=exec'];
    await run('systemd-run', '-q', `--unit=${THEIRS}`, ...properties, 'sleep', 'infinity');
    return run('stat', '-c', '%u', `/proc/${await systemctl('show', '-P', 'MainPID', THEIRS)}`);
  }

  async function leases(): Promise<readonly { readonly userName: string; readonly lost?: string }[]> {
    return JSON.parse(await run('dynuserctl', 'list', '--json=short'));
  }

  /** Nothing of systemd's service was touched, whose UID our user had. */
  async function assertTheirs(): Promise<void> {
    assert.equal(await systemctl('is-active', THEIRS), 'active');
    assert.equal(await systemctl('show', '-P', 'NRestarts', THEIRS), '0');
    assert.equal(await run('cat', `${LOCKS}/${UID}`), THEIRS);
  }

  const mainPid = () => systemctl('show', '-P', 'MainPID', 'dynuserd.service');

  async function untilStored(count: number): Promise<void> {
    await until(
      `${count} descriptors are stored`,
      async () => (await systemctl('show', '-P', 'NFileDescriptorStore', 'dynuserd')) === String(count),
    );
  }

  async function stop(): Promise<void> {
    await systemctl('stop', 'dynuserd.socket', 'dynuserd.service');
  }

  /** Dies without a word; the stop has systemd not start it again before the other unit has its UID. */
  async function kill(): Promise<void> {
    await systemctl('stop', 'dynuserd.socket');
    await run(
      'sh',
      '-c',
      'kill -STOP $1 && { systemctl stop dynuserd.service & kill -KILL $1; wait; }',
      'sh',
      await mainPid(),
    );
  }

  for (const [how, away] of [
    ['a stop', stop],
    ['a SIGKILL', kill],
  ] as const) {
    it(`a UID is ours over ${how} of the daemon: systemd gives another one out meanwhile`, async () => {
      assert.equal(await run('dynuserctl', 'acquire', `${OURS}.service`), UID);
      // Users that live for a moment alone are not stored: a daemon that dies before has kept nothing.
      await untilStored(1);
      await away();
      assert.notEqual(await startTheirs(), UID);
      await systemctl('start', 'dynuserd.service');
      assert.deepEqual(
        (await leases()).map(({ userName, lost }) => [userName, lost]),
        [[OURS, undefined]],
      );
      await run('dynuserctl', 'release', OURS);
      assert.equal((await machine.run(['test', '-e', `${LOCKS}/${UID}`])).status, 1);
      assert.equal(await systemctl('is-active', THEIRS), 'active');
      await systemctl('stop', THEIRS);
      await untilStored(0);
    });
  }

  it('a UID that systemd has given out while nothing kept its lock is lost, and nothing of it is touched', async () => {
    const directories = ['--runtime-directory=ours', '--state-directory=ours'];
    assert.equal(await run('dynuserctl', 'acquire', `${OURS}.service`, ...directories), UID);
    await stop();
    await systemctl('clean', '--what=fdstore', 'dynuserd.service');
    assert.equal(await startTheirs(), UID);
    await run('chown', '-R', `${UID}:${UID}`, '/run/ours');
    await systemctl('start', 'dynuserd.service');

    const [lease] = await leases();
    assert.match(lease?.lost ?? '', /somebody else has locked its UID/);
    assert.match(await run('dynuserctl', 'list'), new RegExp(`^${UID} +${OURS} .*lost`, 'm'));
    assert.match(await run('dynuserctl', 'show', OURS), /State: +lost/);
    for (const key of [OURS, UID]) {
      assert.equal((await machine.run(['getent', '-s', 'dynuser', 'passwd', key])).status, 2, key);
    }
    const refused = await machine.run(['dynuserctl', 'acquire', `${OURS}.service`]);
    assert.match(refused.stderr, /has lost its UID 63769: .*; release its leases/);
    const { stdout } = await machine.run(['dynuserctl', 'doctor', '--json=short']);
    assert.ok(
      JSON.parse(stdout).some((found: { check: string; level: string; finding: string }) => {
        return (
          found.check === 'Lost users' && found.level === 'problem' && found.finding.startsWith(`${OURS} has lost`)
        );
      }),
      stdout,
    );

    await run('dynuserctl', 'release', OURS);
    await assertTheirs();
    assert.equal(await run('stat', '-c', '%u', '/run/ours', '/var/lib/private/ours'), `${UID}\n${UID}`);
    assert.deepEqual(await leases(), []);
    assert.equal(
      await run('ls', '/run/dynuser/leases', '/run/dynuser/by-uid', '/run/dynuser/by-name'),
      ['/run/dynuser/by-name:', '', '/run/dynuser/by-uid:', '', '/run/dynuser/leases:'].join('\n'),
    );
    assert.notEqual(await run('dynuserctl', 'acquire', `${OURS}.service`), UID, 'the name is free for another UID');
    await run('dynuserctl', 'release', OURS);
    await assertTheirs();
    await systemctl('stop', THEIRS);
    await run('rm', '-r', '/run/ours', '/var/lib/private/ours', '/var/lib/ours');
  });

  it('a UID whose lock file was removed under the daemon is lost once systemd has given it out', async () => {
    assert.equal(await run('dynuserctl', 'acquire', `${OURS}.service`), UID);
    await run('rm', `${LOCKS}/${UID}`);
    assert.equal(await startTheirs(), UID);
    await run('dynuserctl', 'release', OURS);
    await assertTheirs();
    await systemctl('stop', THEIRS);
  });

  it('a directory of locks that was removed is made again, with the locks that we hold', async () => {
    assert.equal(await run('dynuserctl', 'acquire', `${OURS}.service`), UID);
    await run('rm', '-r', LOCKS);
    assert.match(await run('dynuserctl', 'acquire', 'another.service'), /^\d+$/);
    assert.equal(await run('stat', '-c', '%U:%G %a', LOCKS), 'root:root 755');
    assert.equal(await run('cat', `${LOCKS}/${UID}`), OURS);
    assert.notEqual(await startTheirs(), UID);
    assert.match(
      await systemctl('status', '-n50', 'dynuserd.service'),
      /was gone or another one, and 1 UIDs are locked again/,
    );
    await systemctl('stop', THEIRS);
    for (const name of [OURS, 'another']) {
      await run('dynuserctl', 'release', name);
    }
    assert.equal(await run('ls', LOCKS), '');
  });
});

describe('the lock of the account files in the sandbox of the unit', () => {
  it('is made, waited for, and had', async () => {
    const machine = await Machine.boot({ init: 'systemd', stage: true });
    try {
      await machine.output([
        'sh',
        '-c',
        'rm -f /etc/.pwd.lock && systemctl daemon-reload && systemctl start dynuserd.service',
      ]);
      assert.equal(await machine.output(['stat', '-c', '%U:%G %a', '/etc/.pwd.lock']), 'root:root 600');
      const editor = await machine.spawn(['flock', '--fcntl', '--no-fork', '/etc/.pwd.lock', 'sleep', 'infinity']);
      const isFree = async () =>
        (await machine.run(['flock', '--fcntl', '--nonblock', '/etc/.pwd.lock', 'true'])).status === 0;
      await until('it is locked', async () => !(await isFree()));
      let isGiven = false;
      const acquired = machine.output(['dynuserctl', 'acquire', 'waits.service']).then(text => {
        isGiven = true;
        return text;
      });
      await sleep(300);
      assert.equal(isGiven, false);
      editor.kill('SIGKILL');
      assert.match(await acquired, /^\d+$/);
      assert.doesNotMatch(await machine.output(['systemctl', 'status', '-n50', 'dynuserd']), /without a lock/);
    } finally {
      await machine.stop();
    }
  });
});

describe('locks without a service manager that stores descriptors', () => {
  let machine: Machine;
  const run = (...argv: string[]) => machine.output(argv);
  before(async () => {
    machine = await Machine.boot({
      init: 'plain',
      stage: true,
      nsswitch: { passwd: 'files dynuser', group: 'files dynuser' },
    });
    await machine.write('/etc/dynuser/dynuserd.conf', 'CoolDownSec=0\n');
  });
  after(() => machine.stop());

  async function start() {
    // In a process group of its own, all of which is killed.
    const daemon = await machine.spawn(['setsid', '--wait', 'sh', '-c', 'echo $$ >/run/group; exec dynuserd']);
    await until('it answers', async () => (await machine.run(['dynuserctl', 'status'])).status === 0);
    return async () => {
      await run('sh', '-c', 'kill -s KILL -- -$(cat /run/group)');
      await daemon.ended;
    };
  }

  const isLocked = async () => (await machine.run(['flock', '--nonblock', `${LOCKS}/${UID}`, 'true'])).status === 1;
  const keeper = () => machine.run(['pgrep', '-f', '^/.*dynuser-helper keep-locks ']);

  it('a UID is ours over the SIGKILL of all processes of the daemon', async () => {
    let kill = await start();
    assert.equal(await run('dynuserctl', 'acquire', `${OURS}.service`), UID);
    await kill();
    assert.ok(await isLocked(), 'by the keeper');
    kill = await start();
    assert.match(await run('dynuserctl', 'list'), new RegExp(`^${UID} +${OURS} .*explicit`, 'm'));
    assert.equal(await run('id', '-u', OURS), UID);
    await run('dynuserctl', 'release', OURS);
    assert.equal((await machine.run(['test', '-e', `${LOCKS}/${UID}`])).status, 1);
    await kill();
    await until('no keeper is left', async () => (await keeper()).status === 1);
    assert.equal((await machine.run(['test', '-e', '/run/dynuser/lock-keeper'])).status, 1);
  });

  it('nothing of a UID that somebody else has locked is ended, also where the end had begun', async () => {
    let kill = await start();
    assert.equal(await run('dynuserctl', 'acquire', `${OURS}.service`), UID);
    const script = `kill -KILL $(pgrep -f '^/.*dynuser-helper keep-locks ')`;
    await run('sh', '-c', script);
    await kill();
    await until('it is free', async () => !(await isLocked()));
    const other = await machine.spawn([
      'flock',
      `${LOCKS}/${UID}`,
      'setpriv',
      '--reuid',
      UID,
      '--clear-groups',
      'sleep',
      'infinity',
    ]);
    await until('somebody else has it', isLocked);
    await run('mv', `/run/dynuser/leases/${UID}`, `/run/dynuser/leases/${UID}.end`);
    kill = await start();
    await until('it ends', async () => (await run('ls', '/run/dynuser/leases')) === '');
    assert.match(await run('pgrep', '-u', UID), /^\d+$/);
    assert.ok(await isLocked());
    other.kill('SIGKILL');
    await kill();
  });
});
