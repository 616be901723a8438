/** The service manager of docs/client.md, as it stands there, beside the real daemon in a machine of its own. */
// starts early: a machine for each test
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CHECKOUT } from '../../../src/tooling/checkout.ts';
import { type Installed, withInstalled } from '../../support/installed.ts';
import { readSource } from '../../support/sources.ts';
import { until } from '../../support/until.ts';

const PROGRAM = `${CHECKOUT}dist/test/integration/client/service-manager.js`;

async function users(host: Installed): Promise<string[]> {
  return (await host.leases()).map(({ userName }) => userName).sort();
}

test('the document shows the very program that is tried here', () => {
  const blocks = [...readSource('docs/client.md').matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, block]) => block);
  assert.deepEqual(blocks, [readSource('test/integration/client/service-manager.ts')]);
});

test('its services run as users of their own, come again, and leave nothing behind', async () => {
  await withInstalled({}, async host => {
    await host.startDaemon();
    const web =
      'web.service=echo "$(id -un) $(id -G) $STATE_DIRECTORY"; touch /var/lib/web/mine; sleep 1000 & exec sleep 1000';
    const job = 'job.service=echo "$(id -un) ran"';
    const manager = await host.machine.spawn([process.execPath, PROGRAM, web, job]);
    let output = '';
    manager.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    await until('the job runs again and again', async () => output.split('job ran\n').length > 2);
    await until('the service runs', async () => /^web /m.test(output));
    const [, uid = '', groups, directory] = /^web ((\d+)) (\S+)$/m.exec(output) ?? [];
    assert.deepEqual([groups, directory], [uid, '/var/lib/web'], 'its own group alone');
    assert.equal(await host.machine.output(['stat', '-c', '%U', '/var/lib/web/mine']), 'web');

    manager.kill('SIGTERM');
    assert.equal(await manager.ended, 0);
    assert.deepEqual(await users(host), []);
    await host.untilNothingIsKept();
    assert.equal((await host.machine.run(['pgrep', '-u', uid])).status, 1, 'the child that it left in the background');
    await host.machine.output(['test', '-e', '/var/lib/private/web/mine']);
  });
});

test('a manager that is killed leaves nothing behind either', async () => {
  await withInstalled({}, async host => {
    await host.startDaemon();
    const manager = await host.machine.spawn([process.execPath, PROGRAM, 'web.service=exec sleep 1000']);
    await until('the service runs', async () => (await host.machine.run(['pgrep', '-u', 'web'])).status === 0);
    manager.kill('SIGKILL');
    await manager.ended;
    await host.untilNothingIsKept();
  });
});

for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
  test(`its services go on while the daemon restarts (${signal})`, async () => {
    await withInstalled({}, async host => {
      const daemon = await host.startDaemon();
      const manager = await host.machine.spawn([process.execPath, PROGRAM, 'web.service=exec sleep 1000']);
      let errors = '';
      manager.stderr.setEncoding('utf8').on('data', (text: string) => {
        errors += text;
      });
      const service = async () => (await host.machine.run(['pgrep', '-u', 'web'])).stdout.trim();
      await until('the service runs', async () => /^\d+$/.test(await service()));
      const pid = await service();

      daemon.kill(signal);
      await daemon.ended;
      await until('the manager notices', async () => /dynuserd is away; the services keep running\n/.test(errors));
      await host.startDaemon();
      await until('the manager has its users back', async () => /dynuserd is back, and 1 users with it\n/.test(errors));
      assert.equal(await service(), pid, 'the same process, as the same user');
      assert.deepEqual(await users(host), ['web']);

      manager.kill('SIGTERM');
      assert.equal(await manager.ended, 0);
      await host.untilNothingIsKept();
    });
  });
}

test('a lease that the new daemon does not have any more is lost: its service ends, and starts anew', async () => {
  await withInstalled({ config: 'ConnectionGraceSec=0\nKillGraceSec=2\n' }, async host => {
    const daemon = await host.startDaemon();
    // The new daemon ends it, and a manager that saw that first would have given the lease back without ever hearing of it.
    const stubborn = 'web.service=trap "" TERM; exec sleep 1000';
    const manager = await host.machine.spawn([process.execPath, PROGRAM, stubborn]);
    let errors = '';
    manager.stderr.setEncoding('utf8').on('data', (text: string) => {
      errors += text;
    });
    const service = async () => (await host.machine.run(['pgrep', '-u', 'web'])).stdout.trim();
    await until('the service runs', async () => /^\d+$/.test(await service()));
    const pid = await service();
    daemon.kill('SIGKILL');
    await daemon.ended;
    await host.startDaemon();
    await until('the manager hears of it', async () => /^web\.service: LeaseLost: /m.test(errors));
    await until('the service runs again', async () => /^\d+$/.test(await service()) && (await service()) !== pid);
    assert.deepEqual(await users(host), ['web']);
    manager.kill('SIGTERM');
    assert.equal(await manager.ended, 0);
    await host.untilNothingIsKept();
  });
});
