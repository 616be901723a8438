/** The daemon asks the sources that the glibc of this host takes from a line of nsswitch.conf, comments and all. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { CHECKOUT } from '../../../src/tooling/checkout.ts';
import { withInstalled } from '../../support/installed.ts';
import { buildNative, PLAIN } from '../../support/native.ts';

const LINES = [
  'passwd: files dutest',
  'passwd: files',
  'passwd: files # dutest',
  'passwd: files #dutest',
  'passwd: files#dutest',
  'passwd: # dutest files',
  'passwd files dutest',
  'passwd : files dutest',
  '# passwd: files dutest',
  'passwd: files # [NOTFOUND=return] dutest',
];

test('a name is taken for the daemon if it is for programs', async () => {
  await withInstalled({}, async host => {
    const { machine } = host;
    buildNative('helper-tests', PLAIN);
    const multiarch = execFileSync('gcc', ['-print-multiarch'], { encoding: 'utf8' }).trim();
    const library = `${CHECKOUT}dist/native/test/helper/libnss_dutest.so.2`;
    await machine.output(['cp', library, `/usr/lib/${multiarch}/`]);
    await host.startDaemon();
    const programs: boolean[] = [];
    const daemon: boolean[] = [];
    for (const line of LINES) {
      await machine.write('/etc/nsswitch.conf', `${line}\ngroup: files\n`);
      programs.push((await machine.run(['getent', 'passwd', 'du-user'])).status === 0);
      const { stdout } = await host.ctl(['explain', '--json=short', '--user=du-user', 'web.service']);
      daemon.push(JSON.parse(stdout).outcome !== 'allocate');
    }
    const told = (known: readonly boolean[]) => LINES.map((line, index) => `${line} → ${known[index]}`);
    assert.deepEqual(told(daemon), told(programs));
    assert.deepEqual(programs.slice(0, 2), [true, false]);
  });
});
