/** Nothing stays of runtime directories: of one that is a part of another lease's, and of one that is deeper than any path. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { type Installed, replyOf, withInstalled } from '../../support/installed.ts';

/** More than 65,536: directories that a walk could hold in memory. */
const LEVELS = 70_000;

async function acquire(host: Installed, unit: string, runtimeDirectory: string): Promise<string> {
  const request = { unit, userName: 'nab', lifetime: 'explicit', runtimeDirectory: [runtimeDirectory] };
  return String(replyOf((await host.calls([['io.dynuser.Allocator.Acquire', request]]))[0])['lease']);
}

async function release(host: Installed, lease: string): Promise<void> {
  replyOf((await host.calls([['io.dynuser.Allocator.Release', { lease }]]))[0]);
}

for (const first of ['nab', 'nab/c']) {
  test(`of /run/nab and its part of another lease, whose ${first} ends first`, async () => {
    await withInstalled({}, async host => {
      let daemon = await host.startDaemon();
      const leases = [await acquire(host, 'a.service', 'nab'), await acquire(host, 'b.service', 'nab/c')];
      const [one = '', other = ''] = first === 'nab' ? leases : leases.reverse();
      await release(host, one);
      assert.ok(existsSync(host.machine.path('/run/nab')), 'what the other lease has, or is in');
      // Who has to remove it is written down.
      daemon.kill('SIGKILL');
      await daemon.ended;
      daemon = await host.startDaemon();
      await release(host, other);
      assert.ok(!existsSync(host.machine.path('/run/nab')));
      assert.equal((await host.ctl(['list', '--json=short'])).stdout.trim(), '[]');
    });
  });
}

test('of one that is nested deeper than 65,536', async () => {
  await withInstalled({}, async host => {
    await host.startDaemon();
    const lease = await acquire(host, 'deep.service', 'deep');
    const nest = `chdir "/run/deep" or die; for (1 .. ${LEVELS}) { mkdir "d" and chdir "d" or die }`;
    await host.machine.output(['perl', '-e', nest], { timeoutMs: 60_000 });
    await release(host, lease);
    assert.equal((await host.ctl(['list', '--json=short'])).stdout.trim(), '[]', 'no UID stays reserved');
    assert.ok(!existsSync(host.machine.path('/run/deep')));
  });
});
