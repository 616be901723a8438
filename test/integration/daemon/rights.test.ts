/** Who may do what, seen by real processes: other users, root without capabilities, root of a user namespace, root of a container. */
// starts early: a machine for each test
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { dirname } from 'node:path';
import { test } from 'node:test';
import { CHECKOUT } from '../../../src/tooling/checkout.ts';
import { skipUnless } from '../../support/host.ts';
import { errorOf, type Installed, replyOf, withInstalled } from '../../support/installed.ts';
import type { RunResult } from '../../support/machine/process.ts';

const ACQUIRE = 'io.dynuser.Allocator.Acquire';
const EXPLAIN = 'io.dynuser.Allocator.Explain';
const BARE = ['setpriv', '--bounding-set=-all', '--inh-caps=-all'];
const NAMESPACE = ['unshare', '--user', '--map-root-user'];

/** A root directory of its own, in which everything but that is the machine's; what a container with shared directories has. */
const CONTAINER = [
  ...['unshare', '--mount', '--propagation', 'private', 'sh', '-c'],
  'mkdir -p /c && mount -t tmpfs none /c && cd / && for d in *; do ' +
    'if [ -L "$d" ]; then cp -P "$d" /c/; elif [ "$d" != c ]; then mkdir -p "/c/$d" && mount --rbind "/$d" "/c/$d"; fi; ' +
    'done; exec chroot /c "$@"',
  'sh',
];

const ctl = (host: Installed, prefix: readonly string[], argv: readonly string[]): Promise<RunResult> =>
  host.machine.run([...prefix, 'dynuserctl', ...argv], {
    env: { PATH: `/usr/sbin:/usr/bin:${dirname(process.execPath)}` },
  });

function refused({ status, stderr }: RunResult, pattern: RegExp): void {
  assert.match(stderr, pattern);
  assert.equal(status, 1);
}

test('the UID 0 alone is not root: no directory of the host is moved, no lease of root released', {
  skip: skipUnless('user namespaces'),
}, async () => {
  await withInstalled({}, async host => {
    await host.startDaemon();
    await host.machine.sh('mkdir -p /var/lib/victim && echo secret >/var/lib/victim/file');
    const before = await host.machine.output(['stat', '-c', '%n %U %a %i', '/var/lib/victim', '/var/lib/victim/file']);
    const lease = JSON.parse((await ctl(host, [], ['--json=short', 'acquire', 'roots.service'])).stdout).lease;
    const named = ['acquire', '--state-directory=victim', 'x.service'];
    refused(
      await ctl(host, BARE, named),
      /root may name directories only with CAP_CHOWN and CAP_DAC_OVERRIDE.*DirectoryUsers=/,
    );
    for (const [prefix, reason] of [
      [NAMESPACE, /is in another user namespace/],
      [CONTAINER, /has another root directory, as in a container or a chroot/],
    ] as const) {
      refused(await ctl(host, prefix, named), reason);
      refused(await ctl(host, prefix, ['acquire', 'x.service']), reason);
      refused(await ctl(host, prefix, ['acquire', 'roots.service']), reason);
      refused(await ctl(host, prefix, ['explain', '--state-directory=victim', 'x.service']), reason);
      refused(await ctl(host, prefix, ['release', lease]), /only it and root may release it/);
    }
    assert.equal(
      await host.machine.output(['stat', '-c', '%n %U %a %i', '/var/lib/victim', '/var/lib/victim/file']),
      before,
    );
    // Without capabilities it is root all the same: it could write the registry itself.
    assert.equal((await ctl(host, BARE, ['acquire', 'bare.service'])).status, 0);
    assert.equal((await ctl(host, BARE, ['release', 'bare'])).status, 0);
    assert.equal((await ctl(host, [], ['release', lease])).status, 0);
    // A mount namespace alone is not a container: services with PrivateTmp= have one.
    assert.equal((await ctl(host, ['unshare', '--mount'], named)).status, 0);
    assert.equal((await ctl(host, [], ['release', 'x'])).status, 0);
    assert.deepEqual(await host.traces(), []);
  });
});

test('the configuration says who else may name directories', async () => {
  const config = 'AllowUsers=1000 1001 root\nDirectoryUsers=1000 root\n';
  await withInstalled({ config }, async host => {
    await host.startDaemon();
    const state = { unit: 'a.service', lifetime: 'explicit', stateDirectory: ['a'], exposeDirectories: true };
    const reply = replyOf((await host.calls([[ACQUIRE, state]], { uid: 1000 }))[0]);
    assert.equal(await host.machine.output(['stat', '-c', '%u', '/var/lib/a']), String(reply['uid']));
    const { error } = errorOf((await host.calls([[ACQUIRE, { ...state, unit: 'b.service' }]], { uid: 1001 }))[0]);
    assert.equal(error, 'io.dynuser.Allocator.NotPermitted');
    assert.equal((await ctl(host, BARE, ['acquire', '--state-directory=c', 'c.service'])).status, 0);
    assert.equal((await ctl(host, CONTAINER, ['acquire', '--state-directory=d', 'd.service'])).status, 0);
    // What the root of a container acquired is not told from what root of the host did.
    refused(await ctl(host, CONTAINER, ['acquire', 'c.service']), /held by root/);
  });
});

test('a peer that may acquire joins its own users alone, and has no account of the host', async () => {
  await withInstalled({ config: 'AllowUsers=1000 1001\n' }, async host => {
    await host.startDaemon();
    const acquire = (unit: string) => [ACQUIRE, { unit, lifetime: 'explicit' }] as const;
    const own = replyOf((await host.calls([acquire('own.service')], { uid: 1000 }))[0]);
    assert.equal(replyOf((await host.calls([acquire('own.service')], { uid: 1000 }))[0])['uid'], own['uid']);
    replyOf((await host.calls([acquire('roots.service')]))[0]);
    for (const [unit, uid, reason] of [
      ['roots.service', 1000, /^the user roots is held by root/],
      ['own.service', 1001, /^the user own is held by the user 1000/],
      ['games.service', 1000, /^the user games is an account of this host/],
    ] as const) {
      const { error, parameters } = errorOf((await host.calls([acquire(unit)], { uid }))[0]);
      assert.equal(error, 'io.dynuser.Allocator.NotPermitted');
      assert.match(String(parameters['reason']), reason);
    }
    assert.equal(replyOf((await host.calls([acquire('own.service')]))[0])['uid'], own['uid']);
  });
});

test('Explain tells nothing of a directory to whoever may not name one', async () => {
  await withInstalled({ config: 'AllowUsers=1000\n' }, async host => {
    await host.startDaemon();
    await host.machine.sh('mkdir -m 0700 /var/lib/closed && ln -s /secret /var/lib/closed/link');
    for (const uid of [1000, 1001]) {
      for (const path of ['closed', 'closed/link', 'nothing']) {
        const [result] = await host.calls([[EXPLAIN, { unit: 'x.service', stateDirectory: [path] }]], { uid });
        const { error, parameters } = errorOf(result);
        const field = uid === 1000 ? 'stateDirectory' : 'unit';
        assert.deepEqual([error, parameters['field']], ['io.dynuser.Allocator.NotPermitted', field]);
        assert.doesNotMatch(String(parameters['reason']), /closed|link|secret|nothing/);
      }
      replyOf((await host.calls([[EXPLAIN, { unit: 'x.service' }]], { uid }))[0]);
    }
    replyOf((await host.calls([[EXPLAIN, { unit: 'x.service', stateDirectory: ['closed'] }]]))[0]);
  });
});

test('explain says beforehand what acquire refuses, in the same words, and exits with 1', async () => {
  await withInstalled({ config: 'AllowUsers=1000\n' }, async host => {
    await host.startDaemon();
    const script = 'mkdir -p -m 0755 /var/log/private && chmod 0755 /var/log/private';
    await host.machine.sh(script);
    assert.equal((await ctl(host, [], ['acquire', '--state-directory=shared', 'one.service'])).status, 0);
    for (const [uid, argv] of [
      [0, ['--state-directory=shared', 'two.service']],
      [0, ['--logs-directory=two', 'two.service']],
      [0, ['dialout.service']],
      [1000, ['one.service']],
      [1000, ['games.service']],
      [1001, ['two.service']],
    ] as const) {
      const explained = await host.ctl(['--json=short', 'explain', ...argv], { uid });
      const { reason } = JSON.parse(explained.stdout);
      assert.equal(explained.status, 1, reason);
      const acquired = await host.ctl(['acquire', ...argv], { uid });
      assert.equal(acquired.status, 1);
      assert.ok(acquired.stderr.includes(reason), `${acquired.stderr} is not ${reason}`);
    }
    assert.equal((await ctl(host, [], ['explain', '--state-directory=shared', 'one.service'])).status, 0);
  });
});

test('the places for connections that are kept for root are not taken by the root of a container', async () => {
  await withInstalled({ config: 'MaxConnections=300\nMaxConnectionsPerUser=300\n' }, async host => {
    await host.startDaemon();
    const programs = `${CHECKOUT}dist/test/support/programs`;
    const flood = await host.machine.spawn([process.execPath, `${programs}/idle-flood.js`, '300'], { uid: 1000 });
    const [text] = await once(flood.stdout, 'data');
    assert.ok(JSON.parse(String(text)).open < 300, 'the rest is kept for root');
    const list = { input: `${JSON.stringify(['io.dynuser.Allocator.List', {}])}\n` };
    const call = [process.execPath, `${programs}/calls.js`];
    assert.equal((await host.machine.run([...CONTAINER, ...call], list)).status, 1);
    assert.equal((await host.machine.run(call, list)).status, 0);
    flood.kill('SIGKILL');
    await flood.ended;
  });
});
