/** The exit of an idle daemon, with the socket of systemd's own starter and without one. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Installed, replyOf, withInstalled } from '../../support/installed.ts';
import { until } from '../../support/until.ts';

const ACQUIRE = 'io.dynuser.Allocator.Acquire';
const RELEASE = 'io.dynuser.Allocator.Release';
const SOCKET = '/run/dynuser/io.dynuser.DynamicUser';
/** As the unit has it: RestartPreventExitStatus=. */
const IDLE = 3;
/** Longer than a client takes to start on a busy machine: it has to be there before the daemon goes. */
const IDLE_SEC = 3;
const CONFIG = `ExitIdleSec=${IDLE_SEC}\nCoolDownSec=0\n`;
/** By then an idle daemon has gone. */
const LONGER_MS = IDLE_SEC * 1_500;

async function activated(host: Installed) {
  await host.machine.output(['mkdir', '-p', '/run/dynuser']);
  const argv = ['systemd-socket-activate', '--listen', SOCKET, '--fdname=varlink', '/usr/sbin/dynuserd'];
  const daemon = await host.machine.spawn(argv);
  await until('it answers', async () => (await host.ctl(['list'])).status === 0);
  const ended = daemon.ended.then(status => ({ status }));
  return { daemon, within: (ms: number) => Promise.race([ended, sleep(ms, 'runs')]) };
}

test('with a passed socket it exits when nothing is left to do, and not before', async () => {
  await withInstalled({ config: CONFIG }, async host => {
    const { within } = await activated(host);
    const { lease } = replyOf((await host.calls([[ACQUIRE, { unit: 'x.service', lifetime: 'explicit' }]]))[0]);
    assert.equal(await within(LONGER_MS), 'runs', 'a user lives');
    const watcher = await host.machine.spawn(['dynuserctl', 'watch']);
    await host.calls([[RELEASE, { lease }]]);
    assert.equal(await within(LONGER_MS), 'runs', 'somebody is connected');
    watcher.kill('SIGTERM');
    await watcher.ended;
    assert.deepEqual(await within(10_000), { status: IDLE });
    assert.deepEqual(await host.traces(), []);
  });
});

test('a UID that cools down is remembered first', async () => {
  await withInstalled({ config: `ExitIdleSec=${IDLE_SEC}\nCoolDownSec=${2 * IDLE_SEC}\n` }, async host => {
    const { within } = await activated(host);
    const { lease } = replyOf((await host.calls([[ACQUIRE, { unit: 'x.service', lifetime: 'explicit' }]]))[0]);
    await host.calls([[RELEASE, { lease }]]);
    assert.equal(await within(LONGER_MS), 'runs');
    assert.deepEqual(await within(10_000), { status: IDLE });
  });
});

test('without a passed socket it says that it cannot, and stays', async () => {
  await withInstalled({ config: CONFIG }, async host => {
    const daemon = await host.startDaemon();
    assert.equal(await Promise.race([daemon.ended, sleep(LONGER_MS, 'runs')]), 'runs');
    daemon.kill('SIGTERM');
    assert.equal(await daemon.ended, 0);
    const again = await host.machine.spawn(['/usr/sbin/dynuserd']);
    let log = '';
    again.stderr.setEncoding('utf8').on('data', (text: string) => {
      log += text;
    });
    await until(
      () => `it says that it cannot; its log: ${log}`,
      () => /"level":40.*ExitIdleSec= is ignored: no socket was passed/.test(log),
    );
    again.kill('SIGTERM');
    assert.equal(await again.ended, 0);
  });
});
