/** Directories of services that are started without mounts, as the installed daemon has them on its host. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errorOf, type Installed, replyOf, withInstalled } from '../../support/installed.ts';
import { until } from '../../support/until.ts';

const ACQUIRE = 'io.dynuser.Allocator.Acquire';
const RELEASE = 'io.dynuser.Allocator.Release';
const OPTIONS = ['--state-directory=foo', '--cache-directory=foo', '--logs-directory=foo', '--expose-directories'];
const PATHS = ['/var/lib/foo', '/var/cache/foo', '/var/log/foo'];

const stat = (host: Installed) => host.machine.output(['stat', '-c', '%F %U %a %h', ...PATHS]);
const OUT = Array(3).fill('directory foo 700 2').join('\n');

async function isBack(host: Installed): Promise<boolean> {
  const found = await host.machine.output(['readlink', ...PATHS]).catch(() => '');
  return found === Array(3).fill('private/foo').join('\n');
}

async function untilBack(host: Installed): Promise<void> {
  await until('the directories are back', () => isBack(host));
  assert.equal(await host.machine.output(['cat', '/var/lib/private/foo/file']), 'data');
}

test('a user without mounts uses its directories, nobody else does, and they are back when it ends', async () => {
  await withInstalled({}, async host => {
    await host.startDaemon();
    const uid = (await host.ctl(['acquire', ...OPTIONS, '--state-directory-mode=0755', 'foo.service'])).stdout.trim();
    assert.equal(await stat(host), OUT);
    const as = (user: string, script: string) =>
      host.machine.run(['setpriv', `--reuid=${user}`, `--regid=${user}`, '--clear-groups', 'sh', '-c', script]);
    assert.equal((await as(uid, 'printf data >/var/lib/foo/file')).status, 0);
    assert.equal((await as('1000', 'cat /var/lib/foo/file || ls /var/lib/foo')).status, 2);
    const mounted = await host.ctl(['acquire', '--state-directory=foo', 'foo.service']);
    assert.match(mounted.stderr, /\/var\/lib\/foo is in use by foo, for which it is exposed/);
    assert.equal((await host.ctl(['acquire', ...OPTIONS, 'foo.service'])).stdout.trim(), uid);
    await host.ctl(['release', '--all', 'foo']);
    await untilBack(host);
    await host.untilNothingIsKept();
  });
});

test('a daemon that is killed while a user lives, or while it ends, has its directories back in the end', async () => {
  await withInstalled({ config: 'KillGraceSec=30\n' }, async host => {
    const first = await host.startDaemon();
    const uid = (await host.ctl(['acquire', ...OPTIONS, 'foo.service'])).stdout.trim();
    const script = 'trap "" TERM; printf data >/var/lib/foo/file; while :; do sleep 0.1; done';
    const stubborn = await host.machine.spawn(
      ['setpriv', `--reuid=${uid}`, `--regid=${uid}`, '--clear-groups', 'sh', '-c', script],
      {},
    );
    first.kill('SIGKILL');
    await first.ended;
    const second = await host.startDaemon();
    assert.equal(await stat(host), OUT, 'the lease lives, and so does what it has');
    const releasing = host.ctl(['release', 'foo']);
    await until('the end of the user is recorded', async () =>
      (await host.traces()).some(name => name.endsWith('.end')),
    );
    second.kill('SIGKILL');
    await Promise.all([second.ended, releasing]);
    assert.match(await stat(host), /^directory \S+ 700/);
    stubborn.kill('SIGKILL');
    await host.startDaemon();
    await untilBack(host);
    await host.untilNothingIsKept();
  });
});

test('what was exposed when the host went down is taken up by the next acquisition', async () => {
  await withInstalled({}, async host => {
    const daemon = await host.startDaemon();
    const uid = (await host.ctl(['acquire', ...OPTIONS, 'foo.service'])).stdout.trim();
    await host.machine.sh(`printf data >/var/lib/foo/file; chown ${uid}:${uid} /var/lib/foo/file`);
    daemon.kill('SIGKILL');
    await daemon.ended;
    await host.machine.output(['rm', '-r', '/run/dynuser', '/run/systemd/dynamic-uid']);
    await host.startDaemon();
    const mounted = OPTIONS.filter(option => option !== '--expose-directories');
    assert.equal((await host.ctl(['acquire', ...mounted, 'foo.service'])).stdout.trim(), uid, 'its owner is found');
    await untilBack(host);
  });
});

test('who may acquire but is not root names no directory of the host', async () => {
  await withInstalled({ config: 'AllowUsers=1000\n' }, async host => {
    await host.startDaemon();
    const before = await host.machine.output(['stat', '-c', '%U %a', '/var/lib/dpkg']);
    const one = { unit: 'x.service', lifetime: 'explicit' };
    for (const field of ['stateDirectory', 'cacheDirectory', 'logsDirectory', 'runtimeDirectory']) {
      const [refused] = await host.calls([[ACQUIRE, { ...one, [field]: ['dpkg'] }]], { uid: 1000 });
      const { error, parameters } = errorOf(refused);
      assert.deepEqual([error, parameters['field']], ['io.dynuser.Allocator.NotPermitted', field]);
      assert.match(String(parameters['reason']), /^the user 1000 may acquire users, but name no directories/);
    }
    assert.equal(await host.machine.output(['stat', '-c', '%U %a', '/var/lib/dpkg']), before);
    const { lease } = replyOf((await host.calls([[ACQUIRE, one]], { uid: 1000 }))[0]);
    replyOf((await host.calls([[RELEASE, { lease }]], { uid: 1000 }))[0]);
    const both = { ...one, stateDirectory: ['a'], makesMounts: true, exposeDirectories: true };
    assert.equal(errorOf((await host.calls([[ACQUIRE, both]]))[0]).parameters['field'], 'exposeDirectories');
    assert.deepEqual(await host.traces(), []);
  });
});
