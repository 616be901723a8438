/**
 * Containers, made by podman, and by bwrap(1) with the capabilities that podman gives: a launcher as the entry point of an image that has nothing
 * else, a pod whose containers share a user, and the daemon itself in one.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { installPodman } from '../support/containers.ts';
import { exampleFiles } from '../support/examples.ts';
import { DYNUSER_NSSWITCH, Installed } from '../support/installed.ts';
import { firstOutput } from '../support/machine/process.ts';
import { Machine } from '../support/machine.ts';
import { buildLookUp } from '../support/programs/look-up.ts';
import { unpackSupervisor } from '../support/supervisors/packages.ts';

const CAPABILITIES = [
  ...['CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'FSETID', 'KILL', 'SETGID', 'SETUID', 'SETPCAP', 'NET_BIND_SERVICE'],
  ...['NET_RAW', 'SYS_CHROOT', 'MKNOD', 'AUDIT_WRITE', 'SETFCAP'],
];
const CONTAINED = ['--cap-drop', 'ALL', ...CAPABILITIES.flatMap(name => ['--cap-add', `CAP_${name}`])];
const IMAGE = ['bwrap', '--bind', '/srv/image', '/', '--proc', '/proc', '--ro-bind', '/run/dynuser', '/run/dynuser'];

const PODMAN_DEADLINE = { timeoutMs: 60_000 } as const;

/** @returns what docs/containers.md has a file say */
function fileOf(name: string, section: string): string {
  return exampleFiles('docs/containers.md', section).find(({ path }) => path === name)?.text ?? assert.fail(name);
}

describe('in containers', () => {
  const programs = mkdtempSync('/var/tmp/dynuser-containers-');
  let host: Installed;
  before(async () => {
    buildLookUp('static musl', `${programs}/look-up`);
    host = new Installed(
      await Machine.boot({ init: 'plain', stage: true, varLib: 'disk', nsswitch: DYNUSER_NSSWITCH }),
    );
    await host.machine.write('/etc/dynuser/dynuserd.conf', 'AllowUsers=root\n');
    await host.startDaemon();
    await host.machine.sh(`
      mkdir -p /srv/image /srv/shared
      chmod 1777 /srv/shared
      cp /usr/bin/dynuser-run ${programs}/look-up /srv/image/`);
  });
  after(async () => {
    await host.machine.stop();
    rmSync(programs, { recursive: true });
  });

  it('an image without any other file has dynuser-run as its entry point', async () => {
    const withMounts = [...IMAGE, '/dynuser-run', '-u', 'own', '--passwd-overlay', '/look-up', 'own', 'root'];
    const lines = (await host.machine.output(withMounts)).split('\n');
    assert.match(lines[0] ?? '', /^getpwnam own: own:x:(6\d{4}):\1:Dynamic User:/);
    assert.match(lines[3] ?? '', /^getpwnam root: none$/);
    const best = [...IMAGE, ...CONTAINED, '/dynuser-run', '-u', 'own', '--isolation=best-effort', '/look-up', 'own'];
    const { status, stdout } = await host.machine.run(best);
    assert.equal(status, 0);
    assert.match(stdout, /^getpwnam own: none\n/, 'without mounts there is no overlay');
  });

  it('an image with an entry point is built and run by podman', async () => {
    await installPodman(host.machine);
    await host.machine.write('/srv/image/Containerfile', fileOf('Containerfile', 'If mounts cannot be made'));
    await host.machine.sh('touch /srv/image/passwd /srv/image/group');
    await host.machine.output(['podman', 'build', '--quiet', '--tag=own', '/srv/image'], PODMAN_DEADLINE);
    const shared = ['--mount', 'type=bind,src=/run/dynuser,dst=/run/dynuser,readonly'];
    const { status, stdout } = await host.machine.run(
      ['podman', 'run', '--rm', ...shared, 'own', 'own', 'root'],
      PODMAN_DEADLINE,
    );
    // Without the second mount nobody tells a program of musl. That looks in /var/run, which leads to /run in an image of a system.
    assert.deepEqual([status, stdout.split('\n')[0]], [0, 'getpwnam own: none']);
    const resolving = [...shared, '--mount', 'type=bind,src=/run/dynuser/nscd,dst=/var/run/nscd,readonly'];
    const told = await host.machine.output(['podman', 'run', '--rm', ...resolving, 'own', 'own'], PODMAN_DEADLINE);
    assert.match(told, /^getpwnam own: own:x:(6\d{4}):\1:Dynamic User:/);
    assert.equal(await host.machine.output(['dynuserctl', 'list']), 'No users.');
  });

  it('containers of podman in one pod run as a user that the host holds', async () => {
    await installPodman(host.machine);
    await host.machine.sh(`mkdir -p /srv/root && cd /srv/root && mkdir -p usr proc sys dev etc run tmp shared
      for name in bin lib lib64; do ln -sfn usr/$name $name; done
      cp /etc/nsswitch.conf /etc/passwd /etc/group etc/`);
    await host.machine.output(['dynuserctl', 'acquire', '--lifetime=explicit', 'web']);
    const uid = await host.machine.output(['id', '-u', 'web']);
    await host.machine.output(['podman', 'pod', 'create', '--infra=false', 'web'], PODMAN_DEADLINE);
    await host.machine.write('/srv/run-in-pod', fileOf('run-in-pod', 'Containers of one pod'), 0o755);
    const contained = (script: string): string[] => [
      ...['/srv/run-in-pod', '--volume=/usr:/usr:ro', '--volume=/srv/shared:/shared', '--rootfs', '/srv/root'],
      ...['sh', '-c', script],
    ];
    const first = await host.machine.spawn(contained('umask 77; id -u >/shared/one; echo ready; read -r line'));
    assert.equal(await firstOutput(first), 'ready\n');
    assert.equal(await host.machine.output(contained('cat /shared/one; id -un'), PODMAN_DEADLINE), `${uid}\nweb`);
    first.stdin.end('\n');
    assert.equal(await first.ended, 0);
    await host.machine.sh('podman pod rm web; dynuserctl release web; rm -f /srv/shared/one');
    assert.equal((await host.machine.run(['getent', 'passwd', 'web'])).status, 2);
  });

  it('root of one container does not get the user that root of another has', async () => {
    await installPodman(host.machine);
    const entry = [
      'podman',
      'run',
      '--rm',
      '--interactive',
      '--volume=/usr:/usr:ro',
      '--volume=/run/dynuser:/run/dynuser:ro',
    ];
    const launch = ['--rootfs', '/srv/root', 'dynuser-run', '-u', 'theirs', '--isolation=best-effort', 'sh', '-c'];
    const first = await host.machine.spawn([...entry, ...launch, 'echo ready; read -r line']);
    assert.equal(await firstOutput(first), 'ready\n');
    const { status, stderr } = await host.machine.run([...entry, ...launch, 'id'], PODMAN_DEADLINE);
    assert.equal(status, 125);
    assert.match(stderr, /the user theirs is held by root, and only its owner and root may join it/);
    first.stdin.end('\n');
    assert.equal(await first.ended, 0);
  });

  it('two containers that have the root directory of the host share a user, and what it has in their volume', async () => {
    const pod = (script: string) => [
      ...['bwrap', '--ro-bind', '/', '/', '--proc', '/proc', '--bind', '/srv/shared', '/srv/shared', '--unshare-pid'],
      ...[...CONTAINED, 'dynuser-run', '-u', 'pod', '--isolation=best-effort', '-p', 'ReadWritePaths=/srv/shared'],
      ...['sh', '-c', script],
    ];
    const first = await host.machine.spawn(pod('umask 77; id -u >/srv/shared/one; echo ready; read -r line'));
    assert.equal(await firstOutput(first), 'ready\n');
    const second = await host.machine.run(pod('cat /srv/shared/one; id -un; id -u'));
    assert.equal(second.status, 0, second.stderr);
    const [uid, name, own] = second.stdout.split('\n');
    assert.deepEqual([name, own], ['pod', uid]);
    first.stdin.end('\n');
    assert.equal(await first.ended, 0);
    await host.machine.sh('rm -f /srv/shared/one');
  });

  it('root without the rights of the host is told in a word that it may not acquire', async () => {
    const rootless = ['unshare', '--user', '--map-root-user', 'dynuser-run', '--isolation=best-effort', 'true'];
    const { status, stderr } = await host.machine.run(rootless, { uid: 1000 });
    assert.equal(status, 125);
    assert.match(stderr, /^dynuser-run: only root may launch a program as another user, and the user 1000 asks/);
  });

  it('the daemon and its launcher run below tini', async () => {
    await unpackSupervisor(host.machine, 'tini');
    const script = `dynuserd 2>/tmp/log & daemon=$!
      i=0; until dynuserctl list >/dev/null 2>&1; do i=$((i + 1)); [ $i -lt 100 ] || { cat /tmp/log; exit 1; }; sleep 0.1; done
      dynuser-run --isolation=best-effort -u inner -p StateDirectory=inner sh -c 'id -un
        echo x >/srv/file || echo read-only
        echo kept >$STATE_DIRECTORY/file && stat -c %U:%a $STATE_DIRECTORY' 2>/dev/null
      dynuser-run true 2>&1 | cut -d: -f2
      dynuserctl list
      kill $daemon; wait $daemon`;
    const container = ['bwrap', '--bind', '/', '/', '--tmpfs', '/run', '--proc', '/proc', '--dev-bind', '/dev', '/dev'];
    const argv = [...container, '--unshare-pid', '--as-pid-1', ...CONTAINED, '/usr/bin/tini', '--', 'sh', '-c', script];
    assert.deepEqual((await host.machine.output(argv)).split('\n'), [
      ...['inner', 'read-only', 'inner:700', ' cannot mount', 'No users.'],
    ]);
    assert.equal(await host.machine.output(['cat', '/var/lib/private/inner/file']), 'kept');
  });
});
