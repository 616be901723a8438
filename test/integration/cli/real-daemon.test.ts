/** The command beside the real daemon in a machine of its own: a user with directories from its start to its end. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Installed, withInstalled } from '../../support/installed.ts';
import { until } from '../../support/until.ts';

const TREE = '/var/lib/private/web';

/** @returns what a command printed that has to succeed and to warn of nothing */
async function ctl(host: Installed, ...argv: string[]): Promise<string> {
  const { status, stdout, stderr } = await host.ctl(argv);
  assert.deepEqual({ status, stderr }, { status: 0, stderr: '' }, argv.join(' '));
  return stdout;
}

async function json(host: Installed, ...argv: string[]): Promise<unknown> {
  return JSON.parse(await ctl(host, ...argv, '--json=short'));
}

test('a directory goes from one user to the next; explain says before what acquire says after', async () => {
  await withInstalled({}, async host => {
    await host.startDaemon();
    const first = await ctl(
      host,
      'acquire',
      'web.service',
      '--state-directory=web',
      '--state-directory-mode=0750',
      '--description=the web',
    );
    assert.match(first, /^\d{5}\n$/);
    const uid = first.trim();
    assert.equal(await host.machine.output(['stat', '-c', '%u:%g %a', TREE]), `${uid}:${uid} 750`);
    await host.machine.sh(`cd ${TREE} && mkdir d && touch d/a d/b && chown -R ${uid}:${uid} d`);

    assert.match(
      await ctl(host, 'list'),
      new RegExp(`^${uid} +web +web\\.service +dynamic +explicit .* /var/lib/web$`, 'm'),
    );
    assert.match(await ctl(host, 'show', uid), /^Directories: \/var\/lib\/web$/m);
    assert.match(await ctl(host, 'show', uid), /^Description: the web$/m);
    const joined = await ctl(host, 'explain', 'web.service', '--state-directory=web');
    assert.match(joined, /^Outcome: join: /);
    assert.match(joined, new RegExp(`^/var/lib/web +none +${uid} +4 +0$`, 'm'));

    assert.equal(await ctl(host, 'release', 'web'), '');
    assert.equal(await ctl(host, 'list', '--no-legend'), '');

    // Who owns the directory comes first for whoever names it: somebody else has to have that UID.
    assert.equal(await ctl(host, 'acquire', 'another.service', '--state-directory=web'), first);
    await ctl(host, 'release', 'another');
    assert.equal(await host.machine.output(['stat', '-c', '%u', `${TREE}/d/b`]), uid);
    await host.machine.spawn(['sleep', '600'], { uid: Number(uid) });
    const expected = await ctl(host, 'explain', 'other.service', '--state-directory=web');
    assert.match(expected, new RegExp(`^/var/lib/web +chown +${uid} +4 +4$`, 'm'));
    const acquired = await json(host, 'acquire', 'other.service', '--state-directory=web');
    assert.ok(typeof acquired === 'object' && acquired !== null && 'uid' in acquired && 'directories' in acquired);
    assert.notEqual(String(acquired.uid), uid);
    assert.deepEqual(acquired.directories, [
      {
        kind: 'state',
        publicPath: '/var/lib/web',
        realPath: TREE,
        readOnly: false,
        handover: 'chown',
        diskUid: acquired.uid,
        diskGid: acquired.uid,
        changed: 4,
        leftPaths: [],
        mountPaths: [],
      },
    ]);
    assert.equal(await host.machine.output(['stat', '-c', '%u', `${TREE}/d/b`]), String(acquired.uid));
  });
});

test('--verify repairs what is wrong below a right top; mounts are left alone, and named', async () => {
  await withInstalled({}, async host => {
    await host.startDaemon();
    const argv = ['acquire', 'web.service', '--state-directory=web'];
    const uid = (await ctl(host, ...argv)).trim();
    const script = `cd ${TREE} && touch a && chown 0:0 a && mkdir m && chown ${uid}:${uid} m && mount -t tmpfs none m`;
    await host.machine.sh(script);
    await ctl(host, 'release', 'web');
    assert.equal((await ctl(host, ...argv)).trim(), uid);
    await ctl(host, 'release', 'web');
    assert.equal(await host.machine.output(['stat', '-c', '%u', `${TREE}/a`]), '0');

    const { status, stdout, stderr } = await host.ctl([...argv, '--verify']);
    assert.deepEqual({ status, stdout }, { status: 0, stdout: `${uid}\n` });
    assert.equal(stderr, 'dynuserctl: left alone: /var/lib/web/m: something is mounted there\n');
    assert.equal(await host.machine.output(['stat', '-c', '%u', `${TREE}/a`]), uid);
    assert.equal(await host.machine.output(['stat', '-c', '%u', `${TREE}/m`]), '0');
  });
});

test('what keeps a UID reserved is told by release, list, show and status, until it is gone', async () => {
  await withInstalled({}, async host => {
    await host.startDaemon();
    const uid = (await ctl(host, 'acquire', 'web.service', '--runtime-directory=web')).trim();
    // A mount in a directory that has to go: it is busy.
    await host.machine.sh('cd /run/web && mkdir m && mount -t tmpfs none m');
    const { status, stdout, stderr } = await host.ctl(['release', 'web']);
    assert.deepEqual({ status, stdout }, { status: 0, stdout: '' });
    assert.match(stderr, /^dynuserctl: the lease is dropped, but the UID stays reserved [^\n]+\n$/);

    assert.match(await ctl(host, 'list'), new RegExp(`^${uid} +web +web\\.service +dynamic +ending `, 'm'));
    assert.match(await ctl(host, 'show', uid), /^ *State: ending: /m);
    assert.match(await ctl(host, 'status'), new RegExp(`^ +Ending: 1 UID .*\\n +UID ${uid}: of web: `, 'm'));
    assert.equal((await host.machine.run(['getent', 'passwd', 'web'])).status, 2);

    await host.machine.output(['umount', '/run/web/m']);
    await until('the UID is free', async () => (await ctl(host, 'list', '--no-legend')) === '');
    await host.untilNothingIsKept();
  });
});
