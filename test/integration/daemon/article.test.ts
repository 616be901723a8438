import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { DYNUSER_NSSWITCH, Installed, replyOf } from '../../support/installed.ts';
import { Machine } from '../../support/machine.ts';

const ACQUIRE = 'io.dynuser.Allocator.Acquire';
const RELEASE = 'io.dynuser.Allocator.Release';

/** A machine whose /var/lib is a directory of the real disk, where mounts can be id-mapped. */
async function onDisk(run: (host: Installed) => Promise<void>): Promise<void> {
  const machine = await Machine.boot({ init: 'plain', stage: true, nsswitch: DYNUSER_NSSWITCH, varLib: 'disk' });
  try {
    await run(new Installed(machine));
  } finally {
    await machine.stop();
  }
}

async function acquire(host: Installed, unit: string, more: Record<string, unknown> = {}) {
  const parameters = { unit, lifetime: 'explicit', stateDirectory: ['wuff'], ...more };
  return replyOf((await host.calls([[ACQUIRE, parameters]]))[0]);
}

async function release(host: Installed, lease: unknown): Promise<void> {
  assert.deepEqual(replyOf((await host.calls([[RELEASE, { lease }]]))[0]), {});
}

const first = (value: unknown): Record<string, unknown> => (value as Record<string, unknown>[])[0] ?? {};

test('the example of the article: a directory and its UID come back to the next unit', async () => {
  await onDisk(async host => {
    await host.startDaemon();

    const one = await acquire(host, 'run-u15750.service');
    assert.equal(one['uid'], 63122);
    assert.deepEqual(one['environment'], { STATE_DIRECTORY: '/var/lib/wuff' });
    assert.equal(first(one['directories'])['handover'], 'chown');
    await host.machine.output(['setpriv', '--reuid=63122', '--regid=63122', '--clear-groups', 'true']);
    await host.machine.sh('echo hello >/var/lib/wuff/test && chown 63122:63122 /var/lib/wuff/test');
    assert.equal(await host.machine.sh('readlink /var/lib/wuff'), 'private/wuff');
    assert.equal(await host.machine.sh('stat -c "%a %u %U" /var/lib/private'), '700 0 root');
    assert.equal(await host.machine.sh('stat -c "%u %U" /var/lib/wuff/'), '63122 run-u15750');
    await release(host, one['lease']);
    assert.equal(await host.machine.sh('stat -c "%u %U" /var/lib/wuff/'), '63122 UNKNOWN');
    const denied = await host.machine.run(['cat', '/var/lib/wuff/test'], { uid: 63122 });
    assert.equal(denied.status, 1, 'a private directory lets nobody else in, not even the number of its former user');

    const before = await host.machine.sh('stat -c "%n %u %g %a %Z" /var/lib/private/wuff /var/lib/private/wuff/test');
    const two = await acquire(host, 'run-u16087.service');
    assert.equal(two['uid'], 63122);
    assert.equal(first(two['directories'])['handover'], 'none');
    assert.equal(
      await host.machine.sh('stat -c "%n %u %g %a %Z" /var/lib/private/wuff /var/lib/private/wuff/test'),
      before,
    );
    assert.equal(await host.machine.sh('stat -c "%U" /var/lib/wuff/test'), 'run-u16087');
    await release(host, two['lease']);

    // Somebody else has the number: another one is found, and the tree becomes its.
    const other = await host.machine.spawn(['sh', '-c', 'echo up; exec sleep 60'], { uid: 63122 });
    await once(other.stdout, 'data');
    const three = await acquire(host, 'run-u16087.service');
    assert.notEqual(three['uid'], 63122);
    assert.equal(first(three['directories'])['handover'], 'chown');
    assert.equal(first(three['directories'])['changed'], 2);
    assert.equal(await host.machine.sh('stat -c "%u:%g" /var/lib/wuff/test'), `${three['uid']}:${three['gid']}`);
    const reads = ['sh', '-c', 'id -u; cat "$STATE_DIRECTORY/test"'];
    const read = await host.machine.output(['dynuser-run', '-u', 'run-u16087', '-p', 'StateDirectory=wuff', ...reads]);
    assert.equal(read, `${three['uid']}\nhello`, 'the new user reads what the old one wrote');
    await release(host, three['lease']);
  });
});

test('a caller that makes mounts is given a mapped tree, as systemd 257 has it, and one that does not takes it over', async () => {
  await onDisk(async host => {
    await host.startDaemon();
    const mapped = await acquire(host, 'web.service', { makesMounts: true });
    assert.deepEqual(
      [first(mapped['directories'])['handover'], first(mapped['directories'])['diskUid']],
      ['map', 65534],
    );
    assert.equal(await host.machine.sh('stat -c "%u:%g" /var/lib/private/wuff'), '65534:65534');
    await release(host, mapped['lease']);
    const plain = await acquire(host, 'web.service');
    assert.equal(first(plain['directories'])['handover'], 'chown');
    assert.equal(await host.machine.sh('stat -c "%u" /var/lib/private/wuff'), String(plain['uid']));
    await release(host, plain['lease']);
  });
});

test('what cannot be a directory is refused, and everything is where it was', async () => {
  await onDisk(async host => {
    await host.startDaemon();
    // Without the history, which is written when it is written.
    const listing = () =>
      host.machine.sh('cd /var/lib && find . -path ./dynuser -prune -o -printf "%p %y %u %m %l\\n" | sort');
    const cases: [string, RegExp][] = [
      ['mkdir -p /var/lib/private/wuff /var/lib/wuff && chmod 700 /var/lib/private', /two directories/],
      ['touch /var/lib/wuff', /is a file/],
      ['ln -s /etc /var/lib/wuff', /symlink to \/etc/],
      ['mkdir -m 755 /var/lib/private', /private/],
      ['mkdir /var/lib/real && ln -s real /var/lib/private', /private/],
    ];
    for (const [script, words] of cases) {
      await host.machine.sh(`rm -rf /var/lib/private /var/lib/wuff /var/lib/real; ${script}`);
      const before = await listing();
      const [result] = await host.calls([[ACQUIRE, { unit: 'x.service', stateDirectory: ['wuff'] }]]);
      assert.ok(result !== undefined && 'error' in result, script);
      assert.equal(result.error, 'io.dynuser.Allocator.DirectoryFailed');
      assert.equal(result.parameters['field'], 'stateDirectory');
      assert.match(String(result.parameters['reason']), words);
      assert.equal(await listing(), before, script);
      assert.deepEqual(await host.traces(), [], 'no UID is held');
    }
  });
});

test('runtime directories go with the user, and one directory is not given to two users', async () => {
  await onDisk(async host => {
    await host.startDaemon();
    const one = await acquire(host, 'one.service', { runtimeDirectory: ['one', 'shared:alias'] });
    assert.equal(await host.machine.sh('stat -c "%u %a" /run/one'), `${one['uid']} 755`);
    assert.equal(await host.machine.sh('readlink /run/alias'), 'shared');
    const [refused] = await host.calls([[ACQUIRE, { unit: 'two.service', stateDirectory: ['wuff'] }]]);
    assert.ok(refused !== undefined && 'error' in refused);
    assert.match(String(refused.parameters['reason']), /\/var\/lib\/wuff is in use by one/);
    await host.machine.sh('touch /run/one/socket');
    await release(host, one['lease']);
    assert.equal(await host.machine.sh('ls -d /run/one /run/shared /run/alias 2>/dev/null; true'), '');
    assert.equal(await host.machine.sh('ls -d /var/lib/private/wuff'), '/var/lib/private/wuff');
  });
});
