/** Namespaces that systemd 257 does not make, and those at paths that are wrong; what both have is in worlds.test.ts. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { DYNUSER_NSSWITCH, Installed } from '../../support/installed.ts';
import { Machine } from '../../support/machine.ts';
import { until } from '../../support/until.ts';

describe('namespaces of a service', () => {
  let machine: Machine;
  before(async () => {
    machine = await Machine.boot({ init: 'plain', stage: true, nsswitch: DYNUSER_NSSWITCH });
    await new Installed(machine).startDaemon();
    await machine.output(['sh', '-ec', 'mkdir /run/netns; cd /run/netns; touch net ipc file; mkfifo fifo']);
    await machine.output(['unshare', '--net=/run/netns/net', 'true']);
    await machine.output(['unshare', '--ipc=/run/netns/ipc', 'true']);
  });
  after(() => machine.stop());

  const run = (property: string, script: string, more: readonly string[] = []): Promise<string> =>
    machine.output(['dynuser-run', '-p', 'DynamicUser=no', '-p', property, ...more, 'sh', '-c', script]);

  it('PrivateUsers=full has all users, and lets groups change', async () => {
    const script = 'cat /proc/self/uid_map /proc/self/gid_map /proc/self/setgroups | tr -s " \\n" " ,"';
    const all = ' 0 0 1, 1 1 4294967294,';
    assert.equal(await run('PrivateUsers=full', script), `${all}${all}allow,`);
  });

  it('ProtectHostname=private has a name of the service alone, which root may change', async () => {
    const script = 'uname -n; hostname other; uname -n';
    const host = await machine.output(['uname', '-n']);
    assert.equal(await run('ProtectHostname=private', script), `${host}\nother`);
    assert.equal(await run('ProtectHostname=private:web-1.example', script), 'web-1.example\nother');
    assert.equal(await machine.output(['uname', '-n']), host);
  });

  it('are those at the paths, for all commands of a service, while they are namespaces of the right kind', async () => {
    const links = await Promise.all(
      ['net', 'ipc'].map(name => machine.output(['stat', '-Lc', '%i', `/run/netns/${name}`])),
    );
    const script = 'stat -Lc %i /proc/self/ns/net /proc/self/ns/ipc; ls /sys/class/net';
    const both = ['-p', 'IPCNamespacePath=/run/netns/ipc'];
    assert.equal(await run('NetworkNamespacePath=/run/netns/net', script, both), `${links.join('\n')}\nlo`);
    assert.equal(
      await run('NetworkNamespacePath=/proc/1/ns/net', 'stat -Lc %i /proc/self/ns/net'),
      await machine.output(['stat', '-Lc', '%i', '/proc/1/ns/net']),
    );
    for (const [path, words] of [
      ['/run/netns/none', 'cannot open /run/netns/none: No such file or directory'],
      [
        '/run/netns/file',
        '/run/netns/file is not a namespace; name a file such as /run/netns/NAME or /proc/PID/ns/NAME',
      ],
      [
        '/run/netns/fifo',
        '/run/netns/fifo is not a namespace; name a file such as /run/netns/NAME or /proc/PID/ns/NAME',
      ],
      ['/run/netns/ipc', '/run/netns/ipc is a namespace of another kind'],
    ]) {
      const { status, stderr } = await machine.run([
        ...['dynuser-run', '-p', 'DynamicUser=no', '-p', `NetworkNamespacePath=${path}`, 'true'],
      ]);
      assert.deepEqual([status, stderr], [125, `dynuser-run: NetworkNamespacePath=: ${words}\n`]);
    }
  });

  it('keep what is mounted over parts of /proc, also if the kernel does not list mounts (before Linux 6.8)', async () => {
    await machine.output(['mount', '--bind', '/etc/hostname', '/proc/version']);
    await machine.output(['mount', '-t', 'tmpfs', 'none', '/proc/sys/net']);
    try {
      const script = 'cat /proc/version; findmnt --raw --noheadings --output TARGET,FSTYPE | grep /proc';
      const launch = ['dynuser-run', '-p', 'ProtectProc=invisible', 'sh', '-c', script];
      const listed = await machine.output(launch);
      assert.match(listed, /^\/proc\/version /m);
      assert.match(listed, /^\/proc\/sys\/net tmpfs$/m);
      for (const fault of ['listmount:error=ENOSYS', 'listmount:error=EPERM', 'statmount:error=ENOENT']) {
        const strace = ['strace', '-f', '-qqq', '-o', '/run/trace', '-e', `inject=${fault}`];
        assert.equal(await machine.output([...strace, ...launch]), listed, fault);
        assert.match(await machine.output(['cat', '/run/trace']), /INJECTED/);
      }
    } finally {
      await machine.output(['umount', '/proc/version', '/proc/sys/net']);
    }
  });

  it('end with the service that is killed, with their mounts', async () => {
    const count = async (): Promise<string> =>
      machine.output([
        'sh',
        '-c',
        'readlink /proc/[0-9]*/ns/* 2>/dev/null | sort -u | wc -l; wc -l </proc/1/mountinfo',
      ]);
    const before = await count();
    const properties = [
      ...['PrivateUsers=full', 'ProtectHostname=private:x', 'ProtectControlGroups=strict', 'PrivateNetwork=yes'],
      ...['PrivateIPC=yes', 'ProtectKernelTunables=yes', 'ProtectKernelLogs=yes', 'MountFlags=slave'],
    ].flatMap(property => ['-p', property]);
    const service = await machine.spawn(['dynuser-run', ...properties, 'sh', '-c', 'echo ready; sleep 1000']);
    await new Promise(resolve => service.stdout.once('data', resolve));
    assert.notEqual(await count(), before);
    service.kill('SIGKILL');
    await service.ended;
    await until('nothing stays', async () => (await count()) === before);
  });
});
