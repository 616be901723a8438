/** What the daemon counts, where systemd and Prometheus look for it, and what their programs make of it. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { DYNUSER_NSSWITCH, Installed } from '../../support/installed.ts';
import type { MachineProcess } from '../../support/machine/process.ts';
import { Machine } from '../../support/machine.ts';

const SOCKET = '/run/dynuser/io.dynuser.DynamicUser';
const REPORT = '/run/systemd/report/io.dynuser';
const REGISTERED = '/run/varlink/registry/io.dynuser.Allocator';

describe('metrics', () => {
  let machine: Machine;
  let host: Installed;
  let daemon: MachineProcess;
  before(async () => {
    machine = await Machine.boot({ init: 'plain', stage: true, nsswitch: DYNUSER_NSSWITCH });
    host = new Installed(machine);
    daemon = await host.startDaemon();
    for (const unit of ['one.service', 'one.service', 'two.service', 'root.service']) {
      await host.ctl(['acquire', unit]);
    }
    await host.ctl(['release', 'two']);
    await machine.output(['env', 'DYNUSER_NSS_SOURCE=varlink', 'getent', 'passwd', 'one']);
  });
  after(() => machine.stop());
  const numberIn = (text: string, sample: string): number =>
    Number(new RegExp(`^${sample.replace(/[{}]/g, '\\$&')} (\\S+)$`, 'm').exec(text)?.[1]);

  it('tell what has happened, to everybody', async () => {
    const { stdout } = await host.ctl(['metrics'], { uid: 4_711 });
    assert.match(stdout, /\n# EOF\n$/);
    assert.equal(numberIn(stdout, 'dynuser_users{state="live"}'), 1);
    assert.equal(numberIn(stdout, 'dynuser_users{state="static"}'), 1);
    assert.equal(numberIn(stdout, 'dynuser_range_uids'), 4_336);
    assert.equal(numberIn(stdout, 'dynuser_acquires_total{result="allocated"}'), 3);
    assert.equal(numberIn(stdout, 'dynuser_acquires_total{result="joined"}'), 1);
    assert.equal(numberIn(stdout, 'dynuser_acquire_seconds_count'), 4);
    assert.equal(numberIn(stdout, 'dynuser_acquire_seconds_bucket{le="+Inf"}'.replace('+', '\\+')), 4);
    assert.ok(numberIn(stdout, 'dynuser_lookups_total') >= 1);
    assert.ok(numberIn(stdout, 'dynuser_connections') >= 1);
    assert.doesNotMatch(stdout, /"(?:one|two|6\d{4})"/);
  });

  it('are where systemd-report and varlinkctl look for them, as links to the socket of everybody', async () => {
    assert.equal(await machine.output(['readlink', REPORT, REGISTERED]), `${SOCKET}\n${SOCKET}`);
    const call = ['varlinkctl', '--more', '-j', 'call', REPORT, 'io.systemd.Metrics.List', '{}'];
    const listed = await machine.output(call);
    assert.match(listed, /"name":"io\.dynuser\.Users","value":1,"fields":\{"state":"live"\}/);
    assert.match(
      await machine.output(['varlinkctl', 'introspect', REPORT, 'io.systemd.Metrics']),
      /interface io\.systemd\.Metrics/,
    );
    assert.match(await machine.output(['varlinkctl', 'list-interfaces', REGISTERED]), /^io\.dynuser\.Allocator$/m);
  });

  it('are sound in the eyes of promtool, in both formats', async () => {
    const { stdout: text } = await host.ctl(['metrics', '--format=prometheus']);
    const checked = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' });
    assert.deepEqual([checked.status, checked.stdout, checked.stderr], [0, '', '']);

    // It reads OpenMetrics if each value has its time.
    const { stdout: open } = await host.ctl(['metrics']);
    const directory = mkdtempSync(join(tmpdir(), 'dynuser-metrics-'));
    try {
      writeFileSync(join(directory, 'text'), open.replace(/^([^#].*)$/gm, '$1 1700000000'));
      const argv = ['tsdb', 'create-blocks-from', 'openmetrics', join(directory, 'text'), join(directory, 'data')];
      const read = spawnSync('promtool', argv, { encoding: 'utf8' });
      assert.equal(read.status, 0, read.stderr);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it('leave no link behind when the daemon stops', async () => {
    daemon.kill('SIGTERM');
    await daemon.ended;
    for (const path of [REPORT, REGISTERED]) {
      assert.equal((await machine.run(['readlink', path])).status, 1, path);
    }
  });
});
