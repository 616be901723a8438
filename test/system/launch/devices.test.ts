/** What DeviceAllow= and DevicePolicy= leave, tried from within; and that a right which only a mode can take is not taken for granted. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { DYNUSER_NSSWITCH, Installed } from '../../support/installed.ts';
import type { RunResult } from '../../support/machine/process.ts';
import { Machine } from '../../support/machine.ts';

describe('devices that are allowed', () => {
  let machine: Machine;

  before(async () => {
    machine = await Machine.boot({ init: 'plain', stage: true, nsswitch: DYNUSER_NSSWITCH });
    await new Installed(machine).startDaemon();
    await machine.sh(`cd /dev && mkdir -p sub && mknod sub/open c 1 5 && chmod 666 sub/open && ln -s sub/open link
      mknod closed c 1 7 && chmod 644 closed && mknod /srv/open c 1 5 && chmod 666 /srv/open`);
  });
  after(() => machine.stop());

  const shell = (script: string, properties: readonly string[]): Promise<RunResult> =>
    machine.run(['dynuser-run', ...properties.map(property => `-p${property}`), '--', 'sh', '-c', script]);

  it('are in /dev with their links, and no others are, there or elsewhere', async () => {
    const script = 'head -c 1 /dev/sub/open | wc -c; head -c 1 /dev/link | wc -c; ls /dev; head -c 1 /srv/open';
    const { stdout, stderr } = await shell(script, ['DeviceAllow=/dev/link rw', 'ProtectHome=no']);
    const [open, link, ...names] = stdout.trim().split('\n');
    assert.deepEqual([open, link], ['1', '1']);
    assert.ok(names.includes('link') && names.includes('sub') && !names.includes('closed'), stdout);
    assert.match(stderr, /\/srv\/open.*Permission denied/);
    assert.equal((await shell('true >/dev/sub/open', ['DevicePolicy=strict', 'DeviceAllow=/dev/sub/open'])).status, 0);
    assert.equal((await shell('cat /dev/null', ['DevicePolicy=strict', 'DeviceAllow=/dev/sub/open'])).status, 1);
  });

  it('are made if everybody may use them, and bound by a launcher that may make none', async () => {
    const use = "echo x >/dev/null && head -c 1 /dev/zero | wc -c; grep -c ' /dev/null ' /proc/self/mountinfo";
    const launch = ['dynuser-run', '-pPrivateDevices=yes', '--', 'sh', '-c', use];
    assert.equal((await machine.run(launch)).stdout, '1\n0\n');
    assert.equal((await machine.run(['setpriv', '--bounding-set=-mknod', ...launch])).stdout, '1\n1\n');
    // The users of PrivateUsers= are mapped without CAP_SYS_PTRACE, too.
    const users = [
      'setpriv',
      '--bounding-set=-sys_ptrace',
      'dynuser-run',
      '-pPrivateUsers=yes',
      'cat',
      '/proc/self/uid_map',
    ];
    assert.match((await machine.output(users)).replaceAll(/ +/g, ' '), /^ 0 0 1\n (\d+) \1 1$/);
  });

  it('may be read alone only if the mode says so to this user', async () => {
    const closed = ['DeviceAllow=/dev/closed r'];
    assert.equal((await shell('(: </dev/closed) && ! (: >/dev/closed)', closed)).status, 0);
    for (const properties of [
      ['DeviceAllow=/dev/sub/open r'],
      [...closed, 'AmbientCapabilities=CAP_DAC_OVERRIDE'],
      [...closed, 'DynamicUser=no'],
    ]) {
      const { status, stderr } = await shell('echo started', properties);
      assert.equal(status, 125, properties.join(' '));
      assert.match(
        stderr,
        /DeviceAllow=: the service could write to \/dev\/(?:closed|sub\/open), which is not allowed/,
      );
    }
    const { status, stderr } = await shell('echo started', ['DeviceAllow=/dev/sub/open w']);
    assert.deepEqual([status, /could read \/dev\/sub\/open/.test(stderr)], [125, true], stderr);
  });
});
