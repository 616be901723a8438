/** `npm run dev`: a shell in a throw-away machine where the daemon runs. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { it } from 'node:test';
import { promisify } from 'node:util';
import { CHECKOUT } from '../../src/tooling/checkout.ts';

const DEADLINE_MS = 60_000;

for (const mode of [[], ['--systemd']]) {
  it(`${['npm run dev', ...mode].join(' ')}: the daemon answers in the shell`, async () => {
    const program = promisify(execFile)(process.execPath, [`${CHECKOUT}dist/test/dev/dev.js`, ...mode], {
      timeout: DEADLINE_MS,
    });
    program.child.stdin?.end(
      'cat /run/disposable-machine && dynuserctl acquire dynamic-user-test.service\nid -u dynamic-user-test\n',
    );
    const { stdout } = await program;
    assert.match(stdout, /^64642\n64642\n/m);
  });
}
