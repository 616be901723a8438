/** `npm run watch [-- PATH... [-t NAME]]`: after each change builds, and runs the tests that are named; without any, unit and contract. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { CHECKOUT } from '../../src/tooling/checkout.ts';
import { build, onChange } from './rebuild.ts';

const tests = process.argv.length > 2 ? process.argv.slice(2) : ['unit', 'contract'];

async function buildAndTest(): Promise<void> {
  if (await build()) {
    const argv = ['test/support/disk.sh', process.execPath, 'dist/test/run.js', ...tests];
    await once(spawn('sh', argv, { cwd: CHECKOUT, stdio: 'inherit' }), 'exit');
  }
  process.stdout.write('watch: waits for a change; Ctrl-C ends\n');
}

onChange(buildAndTest);
await buildAndTest();
