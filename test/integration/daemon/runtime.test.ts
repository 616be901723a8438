/** Services that may not run for ever: the daemon ends them, also the next daemon, and whatever is done to the clock. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Installed, withInstalled } from '../../support/installed.ts';
import { firstOutput } from '../../support/machine/process.ts';

/** Starts a service, and waits until it says that it runs. */
async function started(host: Installed, properties: readonly string[], script: string) {
  const argv = ['dynuser-run', ...properties.flatMap(property => ['-p', property]), 'sh', '-c', script];
  const begun = performance.now();
  const service = await host.machine.spawn(argv);
  await firstOutput(service);
  const ended = service.ended.then(status => ({ status, ms: performance.now() - begun }));
  return { service, ended };
}

const OBEYS = 'echo up; exec sleep 600';
const REFUSES = 'trap "" TERM; echo up; while :; do sleep 0.05; done';

test('a service is ended by its signal when its time is over, whatever user it has', async () => {
  await withInstalled({}, async host => {
    await host.startDaemon();
    const services = [
      [[], OBEYS, 143],
      [['User=games', 'DynamicUser=no'], OBEYS, 143],
      [['DynamicUser=no'], OBEYS, 143],
      [['KillSignal=SIGINT'], 'trap "exit 3" INT; echo up; while :; do sleep 0.05; done', 3],
    ] as const;
    const ends = services.map(async ([user, script, status]) => {
      const { ended } = await started(host, ['RuntimeMaxSec=1s', ...user], script);
      const end = await ended;
      assert.equal(end.status, status, user.join());
      assert.ok(end.ms >= 1_000, `${end.ms} ms`);
    });
    await Promise.all(ends);
    await host.untilNothingIsKept();
  });
});

test('one that does not end by that is killed after its grace', async () => {
  await withInstalled({}, async host => {
    await host.startDaemon();
    const { ended } = await started(host, ['RuntimeMaxSec=500ms', 'TimeoutStopSec=700ms'], REFUSES);
    const { status, ms } = await ended;
    assert.equal(status, 137);
    assert.ok(ms >= 1_200, `${ms} ms`);
    await host.untilNothingIsKept();
  });
});

test('the time is shown, and continues while there is no daemon', async () => {
  await withInstalled({}, async host => {
    const { machine } = host;
    const daemon = await host.startDaemon();
    const long = await started(host, ['RuntimeMaxSec=1h'], OBEYS);
    const [lease] = JSON.parse((await host.ctl(['list', '--json=short'])).stdout);
    assert.equal(lease.runtime, 3_600_000);
    assert.match((await host.ctl(['show', lease.userName])).stdout, /^ *Runs until: .* \(in 59min\) at the latest$/m);
    const said = await machine.output(['dynuser-run', '--explain', '-p', 'RuntimeMaxSec=5', 'true']);
    assert.match(said, /^Ended:\n {2}after 5 s, by dynuserd: SIGTERM, and 90 s later SIGKILL$/m);
    // Long enough for a busy machine to get from its start to the end of the daemon.
    const { ended } = await started(host, ['RuntimeMaxSec=5', 'TimeoutStopSec=1'], REFUSES);
    daemon.kill('SIGKILL');
    await daemon.ended;
    await sleep(6_500);
    // Nobody was there to end it.
    assert.equal((await host.machine.run(['pgrep', '-f', 'sleep 0.05'])).status, 0);
    await host.startDaemon();
    assert.equal((await ended).status, 137);
    assert.equal(JSON.parse((await host.ctl(['list', '--json=short'])).stdout).length, 1);
    long.service.kill('SIGTERM');
    await long.ended;
    await host.untilNothingIsKept();
  });
});
