/** status: with a daemon and without, on hosts that know it and hosts that do not. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { parseCommandLine } from '../../../src/cli/command-line.ts';
import { COMMAND_TABLE } from '../../../src/cli/commands.ts';
import { statusOf } from '../../../src/cli/verbs/status.ts';
import { VERSION } from '../../../src/core/version.ts';
import { sampleLease } from '../../unit/cli/sample.ts';
import { startFakeDaemon } from './fake-daemon.ts';
import { runCommand } from './run-command.ts';

let host = '';
before(() => {
  host = mkdtempSync(join(tmpdir(), 'dynuserctl-host-'));
});
after(() => rmSync(host, { recursive: true }));

/** Runs status with a host of the test's own. */
async function statusOn(environment: Readonly<Record<string, string>>): Promise<{ status: number; report: unknown }> {
  const line = parseCommandLine(['status', '--json=short'], COMMAND_TABLE);
  let output = '';
  const handler = statusOf({ nsswitch: join(host, 'nsswitch.conf'), userDatabase: join(host, 'userdb') });
  const broken = new AbortController().signal;
  const status = await handler(line.invocation, {
    environment,
    output: {
      terminal: undefined,
      write: async text => {
        output += text;
      },
      broken,
    },
    errors: { terminal: undefined, write: async () => {}, broken },
    now: () => 0,
    ask: async () => undefined,
    page: async () => false,
    listenForInterruption: () => ({ signal: broken, [Symbol.dispose]: () => {} }),
  });
  return { status, report: JSON.parse(output) };
}

test('a daemon that runs, on a host that asks it', async () => {
  const daemon = await startFakeDaemon();
  try {
    daemon.leases = [sampleLease(), sampleLease({ unit: 'b' })];
    writeFileSync(join(host, 'nsswitch.conf'), 'passwd: files dynuser\ngroup: files dynuser\n');
    mkdirSync(join(host, 'userdb'));
    symlinkSync(daemon.socket, join(host, 'userdb/io.dynuser.DynamicUser'));
    assert.deepEqual(await statusOn(daemon.environment), {
      status: 0,
      report: {
        reachable: true,
        service: { vendor: 'dynuser', product: 'dynuserd', version: '9.9.9' },
        users: 1,
        leases: 2,
        groups: 0,
        memberships: 0,
        ending: [],
        command: VERSION,
        socket: daemon.socket,
        lookups: { passwd: 'listed', group: 'listed', userDatabase: 'linked' },
      },
    });
    const { status, output } = await runCommand(['status'], { environment: daemon.environment });
    assert.equal(status, 0);
    assert.match(output, / +Daemon: running\n +Version: dynuserd 9\.9\.9\n +Command: dynuserctl .*: restart dynuserd/);
  } finally {
    await daemon.close();
  }
});

test('no daemon: everything that can be known is shown, and the exit status says it', async () => {
  const { status, output, errors } = await runCommand(['status'], { environment: { DYNUSER_RUNTIME_DIRECTORY: host } });
  assert.equal(status, 1);
  assert.equal(errors, '');
  assert.match(output, /Daemon: cannot reach dynuserd at .*: no such file: is it running\?/);
  assert.match(output, /passwd lookups: /);
});
