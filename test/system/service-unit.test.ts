/** dynuserd.service as systemd runs it: it reloads, and comes back after every end but a wanted one. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Machine } from '../support/machine.ts';
import { until } from '../support/until.ts';

/** Of systemd-analyze(1), from 0 to 10; 0.2 of it is netlink and CAP_AUDIT_WRITE, for records of the kernel's audit, and 0.1 is CAP_SYS_NICE. */
const EXPOSURE_MAX = 2.8;

describe('dynuserd.service', () => {
  let machine: Machine;
  before(async () => {
    machine = await Machine.boot({ init: 'systemd', stage: true, nsswitch: { passwd: 'files dynuser' } });
    await machine.output(['systemctl', 'daemon-reload']);
    await machine.output(['systemctl', 'start', 'dynuserd']);
  });
  after(() => machine.stop());

  const show = (property: string) => machine.output(['systemctl', 'show', '-P', property, 'dynuserd']);
  it('is exposed no more than it has to be', async () => {
    const { stdout } = await machine.run(['systemd-analyze', 'security', '--no-pager', 'dynuserd']);
    const level = /Overall exposure level for dynuserd\.service: (\d+\.\d)/.exec(stdout)?.[1];
    assert.ok(level !== undefined && Number(level) > 0 && Number(level) <= EXPOSURE_MAX, stdout);
  });

  it('each helper has the capabilities that its questions need, and no way to more', async () => {
    await machine.output(['dynuserctl', 'explain', 'web.service', '--state-directory=web']);
    const pids = (await machine.output(['pgrep', '-x', 'dynuser-helper'])).split('\n');
    const seen = new Map<string, string>();
    for (const pid of pids) {
      // The range comes first.
      const role = (await machine.output(['cat', `/proc/${pid}/cmdline`])).split('\0').filter(Boolean).at(-1) ?? '';
      const status = await machine.output(['cat', `/proc/${pid}/status`]);
      const field = (name: string) => new RegExp(`^${name}:\\s+(\\w+)$`, 'm').exec(status)?.[1] ?? '';
      assert.deepEqual([field('CapPrm'), field('NoNewPrivs')], [field('CapEff'), '1'], role);
      assert.equal(BigInt(`0x${field('CapInh')}${field('CapAmb')}`), 0n);
      seen.set(role, field('CapPrm'));
    }
    const bits = (...numbers: readonly number[]) =>
      numbers
        .reduce((mask, bit) => mask | (1n << BigInt(bit)), 0n)
        .toString(16)
        .padStart(16, '0');
    // Numbers of linux/capability.h: CHOWN 0, DAC_OVERRIDE 1, DAC_READ_SEARCH 2, FOWNER 3, KILL 5, SETGID 6, SETUID 7, SYS_PTRACE 19, SYS_ADMIN 21.
    assert.equal(seen.get('probe'), bits(2, 19));
    assert.equal(seen.get('reaper'), bits(0, 1, 2, 3, 5, 6, 7, 19, 21));
    assert.equal(seen.get('inspect') ?? bits(2, 21), bits(2, 21));
  });

  it('has more of the processors than others, and its helpers do not', async () => {
    const niceOf = async (pid: string) => (await machine.output(['ps', '-o', 'ni=', '-p', pid])).trim();
    const pid = (await show('MainPID')).trim();
    assert.equal(await niceOf(pid), '-5');
    const session = await machine.run(['cat', `/proc/${pid}/autogroup`]);
    assert.ok(session.status !== 0 || session.stdout.endsWith(' nice -5\n'), session.stdout);
    await machine.output(['dynuserctl', 'explain', 'web.service']);
    for (const helper of (await machine.output(['pgrep', '-x', 'dynuser-helper'])).trim().split('\n')) {
      assert.equal(await niceOf(helper), '0');
    }
  });

  it('maps trees in its sandbox, with the user namespace that was made before it', async () => {
    await machine.output(['mount', '-t', 'tmpfs', 'tmpfs', '/var/lib']);
    await machine.output(['systemctl', 'restart', 'dynuserd']);
    // What is there already is root's: to change its owners takes a walk, or a mount that shows others.
    await machine.sh('mkdir -p /var/lib/mapped && echo x >/var/lib/mapped/f');
    const made = await machine.output([
      'dynuser-run',
      '-q',
      '-p',
      'StateDirectory=mapped',
      'sh',
      '-c',
      'echo x >$STATE_DIRECTORY/f; stat -c %U $STATE_DIRECTORY/f; id -un',
    ]);
    const [owner, user] = made.split('\n');
    assert.equal(owner, user);
    const onDisk = await machine.output(['stat', '-c', '%u', '/var/lib/private/mapped/f']);
    // Whether the kernel can is asked outside of the sandbox: tmpfs can since Linux 6.3.
    const probe = 'exec 3</var/lib; /usr/lib/dynuser/dynuser-helper tree probe; true';
    const canMap = (await machine.sh(probe)).startsWith('yes');
    assert.equal(onDisk === '65534', canMap, onDisk);
  });

  it('systemctl reload reads the configuration again, in the same process', async () => {
    const pid = await show('MainPID');
    const acquire = () => machine.run(['dynuserctl', 'acquire', 'peers.service'], { uid: 4_711 });
    assert.equal((await acquire()).status, 1);
    await machine.write('/etc/dynuser/dynuserd.conf', 'AllowUsers=4711\n');
    await machine.output(['systemctl', 'reload', 'dynuserd']);
    await until('the new configuration is in force', async () => (await acquire()).status === 0);
    await until('it is active again', async () => (await show('ActiveState')) === 'active');
    assert.equal(await show('MainPID'), pid);
    assert.equal((await machine.run(['systemctl', 'show', '-P', 'Result', 'dynuserd'])).stdout, 'success\n');
  });

  for (const signal of ['TERM', 'INT', 'KILL', 'USR2', 'ABRT']) {
    it(`it comes back after SIG${signal} of somebody`, async () => {
      const pid = await show('MainPID');
      await machine.output(['kill', '-s', signal, pid]);
      const isBack = async () => !['0', pid].includes(await show('MainPID')) && (await show('SubState')) === 'running';
      await until('it runs again', isBack);
      assert.equal((await machine.run(['dynuserctl', 'list'])).status, 0);
    });
  }

  it('SIGHUP, SIGUSR1 and SIGPIPE of somebody end nothing', async () => {
    const pid = await show('MainPID');
    for (const signal of ['HUP', 'USR1', 'PIPE', 'HUP']) {
      await machine.output(['kill', '-s', signal, pid]);
    }
    assert.equal((await machine.run(['dynuserctl', 'list'])).status, 0);
    assert.equal(await show('MainPID'), pid);
  });

  it('it stays away after a stop', async () => {
    await machine.output(['systemctl', 'stop', 'dynuserd']);
    await sleep(500);
    assert.deepEqual([await show('ActiveState'), await show('Result')], ['inactive', 'success']);
    assert.doesNotMatch(await machine.output(['cat', '/proc/self/mounts']), /dynuser/, 'what was made for it is gone');
  });
});
