/** Our units under a real systemd: readiness, socket activation, and what outlives a restart. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Machine } from '../support/machine.ts';
import { until } from '../support/until.ts';

const LINK = '/run/systemd/userdb/io.dynuser.DynamicUser';
const SOCKET = '/run/dynuser/io.dynuser.DynamicUser';
const ALLOCATOR_SOCKET = '/run/dynuser/io.dynuser.Allocator';

describe('the units', () => {
  let machine: Machine;
  before(async () => {
    machine = await Machine.boot({ init: 'systemd', stage: true, nsswitch: { passwd: 'files dynuser' } });
    await machine.output(['systemctl', 'daemon-reload']);
  });
  after(() => machine.stop());

  const show = (property: string): Promise<string> =>
    machine.output(['systemctl', 'show', '-P', property, 'dynuserd.service']);

  it('are without a fault in the eyes of systemd-analyze', async () => {
    const units = ['dynuserd.service', 'dynuserd.socket', 'dynuserd-allocator.socket', 'dynuserd-nscd.socket'].map(
      unit => `/usr/lib/systemd/system/${unit}`,
    );
    assert.deepEqual(await machine.run(['systemd-analyze', 'verify', ...units]), { status: 0, stdout: '', stderr: '' });
    const { status } = await machine.run(['systemd-analyze', 'security', '--threshold=40', 'dynuserd.service']);
    assert.equal(status, 0, 'its exposure, in tenths, is above 40');
    await machine.output(['systemd-tmpfiles', '--create', '/usr/lib/tmpfiles.d/dynuser.conf']);
    assert.equal(await machine.output(['stat', '-c', '%a %U', '/run/dynuser']), '755 root');
  });

  it('start the daemon when somebody asks', async () => {
    await machine.output(['systemctl', 'start', 'dynuserd.socket']);
    assert.equal(await show('ActiveState'), 'inactive');
    assert.equal(await machine.output(['stat', '-c', '%a', SOCKET]), '666');
    assert.equal(await machine.output(['stat', '-c', '%a', ALLOCATOR_SOCKET]), '600');
    assert.equal(await machine.output(['readlink', LINK]), SOCKET);
    assert.equal(await machine.output(['dynuserctl', 'acquire', 'dynamic-user-test.service']), '64642');
    assert.equal(await show('ActiveState'), 'active');
    assert.equal(await show('Type'), 'notify');
    assert.notEqual(await show('StatusText'), '');
    const inodes = (): Promise<string> => machine.output(['stat', '-c', '%i', SOCKET, ALLOCATOR_SOCKET]);
    const before = await inodes();
    await machine.output(['systemctl', 'restart', 'dynuserd.service']);
    assert.equal(await inodes(), before, 'the daemon serves the sockets that it is given');
  });

  it('start the daemon when root asks on the socket of the allocator', async () => {
    await machine.output(['systemctl', 'stop', 'dynuserd.service']);
    await machine.output(['varlinkctl', 'call', ALLOCATOR_SOCKET, 'org.varlink.service.GetInfo', '{}']);
    assert.equal(await show('ActiveState'), 'active');
  });

  it('keep the leases, the links and the socket over a restart', async () => {
    const before = await machine.output(['dynuserctl', 'list', '--json=short']);
    const pid = await show('MainPID');
    await machine.output(['systemctl', 'restart', 'dynuserd.service']);
    assert.notEqual(await show('MainPID'), pid);
    assert.equal(await machine.output(['dynuserctl', 'list', '--json=short']), before);
    assert.equal(await machine.output(['id', '-u', 'dynamic-user-test']), '64642');
    assert.equal(await machine.output(['readlink', LINK]), SOCKET);
  });

  it('answer lookups while the daemon is stopped, and start it for the next call', async () => {
    await machine.output(['systemctl', 'stop', 'dynuserd.service']);
    assert.equal(await machine.output(['id', '-u', 'dynamic-user-test']), '64642');
    assert.equal(await machine.output(['readlink', LINK]), SOCKET);
    assert.equal(await show('ActiveState'), 'inactive');
    assert.match(await machine.output(['dynuserctl', 'list', '--no-legend']), /^64642 /);
    assert.equal(await show('ActiveState'), 'active');
  });

  it('bring the daemon back when it is killed, with its leases', async () => {
    await machine.output(['systemctl', 'kill', '-s', 'KILL', 'dynuserd.service']);
    await until(
      'systemd has restarted it',
      async () => (await show('NRestarts')) !== '0' && (await show('ActiveState')) === 'active',
    );
    assert.match(await machine.output(['dynuserctl', 'list', '--no-legend']), /^64642 /);
  });

  it('leave the daemon no place to write to but its own and the bases of directories', async () => {
    const inside = ['nsenter', '--target', await show('MainPID'), '--mount', '--root'];
    for (const directory of ['/etc', '/usr/lib', '/var', '/var/spool', '/dev', '/srv']) {
      const { stderr } = await machine.run([...inside, 'touch', `${directory}/file`]);
      assert.match(stderr, /Read-only file system/, directory);
    }
    for (const directory of ['/run', '/run/systemd/dynamic-uid', '/var/lib', '/var/cache', '/var/log']) {
      await machine.output([...inside, 'sh', '-c', `touch ${directory}/file && rm ${directory}/file`]);
    }
  });

  it('start where /var is empty, and open up what is made there', async () => {
    await machine.output(['systemctl', 'stop', 'dynuserd.service', 'dynuserd.socket']);
    await machine.output(['mount', '-t', 'tmpfs', '-o', 'mode=0755', 'tmpfs', '/var']);
    await machine.output(['systemctl', 'start', 'dynuserd.service']);
    const options = ['--state-directory=a', '--cache-directory=b', '--logs-directory=c'];
    await machine.output(['dynuserctl', 'acquire', 'stateless.service', ...options]);
    const paths = ['/var/lib/private/a', '/var/cache/private/b', '/var/log/private/c'];
    assert.match(await machine.output(['stat', '-c', '%U', ...paths]), /^(?:stateless\n?){3}$/);
    await machine.output(['dynuserctl', 'release', 'stateless']);
    await machine.output(['systemctl', 'stop', 'dynuserd.service', 'dynuserd.socket']);
    await machine.output(['umount', '/var']);
    await machine.output(['systemctl', 'start', 'dynuserd.service']);
  });

  it('leave the daemon no privilege but those it needs, and the processes and IPC objects of the host in view', async () => {
    const pid = await show('MainPID');
    const status = await machine.output(['cat', `/proc/${pid}/status`]);
    // CAP_CHOWN to CAP_SETUID are 0 to 7, CAP_SYS_PTRACE is 19, CAP_SYS_ADMIN is 21, CAP_SYS_NICE is 23, CAP_AUDIT_WRITE is 29:
    // linux/capability.h.
    assert.match(status, /^CapBnd:\t0000000020a800ff$/m);
    assert.match(status, /^NoNewPrivs:\t1$/m);
    assert.match(status, /^Seccomp:\t2$/m);
    const name = `dynuser-${process.pid}`;
    await machine.sh(`mkdir -m 700 /dev/shm/${name} && touch /dev/shm/${name}/object`);
    await machine.output(['chown', '-R', '63016:63016', `/dev/shm/${name}`]);
    const explained = await machine.output(['dynuserctl', 'explain', 'foo.service']);
    assert.match(explained, /^63016 +preferred +.*\/dev\/shm/m);
    await machine.output(['rm', '-r', `/dev/shm/${name}`]);
    assert.match(await machine.output(['dynuserctl', 'explain', 'foo.service']), /^63016 +preferred +free$/m);
    const sleeper = await machine.spawn(['sleep', '60'], { uid: 63016 });
    assert.match(await machine.output(['dynuserctl', 'explain', 'foo.service']), /^63016 +preferred +.*process/m);
    sleeper.kill('SIGKILL');
  });
});
