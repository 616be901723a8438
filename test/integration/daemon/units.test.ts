import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { replyOf, withInstalled } from '../../support/installed.ts';

const UNITS = '/usr/lib/systemd/system';

test('every service unit of this machine: acquired, resolved by name and number, released without a trace', async () => {
  const units = readdirSync(UNITS).filter(name => name.endsWith('.service'));
  assert.ok(units.length > 50, 'this machine ships units');
  await withInstalled({}, async host => {
    await host.startDaemon();
    const results = await host.calls(
      units.map(unit => ['io.dynuser.Allocator.Acquire', { unit, lifetime: 'explicit' }] as const),
    );
    const users = new Map<string, number>();
    for (const result of results) {
      const reply = replyOf(result);
      const [name, uid] = [String(reply['userName']), Number(reply['uid'])];
      assert.equal(users.get(name) ?? uid, uid, 'one name, one UID');
      if (reply['dynamic'] === true) {
        users.set(name, uid);
      }
    }
    assert.equal(new Set(users.values()).size, users.size);
    const passwd = [...users].map(([name, uid]) => `${name}:x:${uid}:${uid}:Dynamic User:/:/usr/sbin/nologin`);
    const group = [...users].map(([name, uid]) => `${name}:x:${uid}:`);
    const names = [...users.keys()];
    const numbers = [...users.values()].map(String);
    const getent = async (...argv: string[]) => (await host.machine.output(['getent', ...argv])).split('\n');
    assert.deepEqual(await getent('passwd', ...names), passwd);
    assert.deepEqual(await getent('passwd', ...numbers), passwd);
    assert.deepEqual(await getent('group', ...names), group);
    assert.deepEqual(await getent('group', ...numbers), group);

    await host.calls(
      results.map(result => ['io.dynuser.Allocator.Release', { lease: replyOf(result)['lease'] }] as const),
    );
    assert.deepEqual(await host.traces(), []);
    assert.equal((await host.machine.run(['getent', 'passwd', ...names])).stdout, '');
    const locks = await host.machine.sh('cat /proc/locks');
    // The one that is left is the daemon's own, by which there is one for each runtime directory.
    assert.ok(locks.split('\n').filter(line => line.includes('FLOCK')).length <= 1, locks);
  });
});
