/** What was built, laid out once for all machines of a run of the tests: they copy it, which is twenty times cheaper than to stage. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { CHECKOUT } from '../../src/tooling/checkout.ts';

/** By this the files of a run are told where it is. */
export const STAGED_VARIABLE = 'DYNUSER_TEST_STAGED';

/** @returns a directory that goes with this process */
export function stageForMachines(): string {
  const directory = mkdtempSync(`${CHECKOUT}dist/.staged-`);
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
  for (const signal of ['SIGHUP', 'SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => process.exit(1));
  }
  chmodSync(directory, 0o755);
  // As a package has it: without the list that `npm run stage` leaves.
  execFileSync(process.execPath, [`${CHECKOUT}dist/src/tooling/stage.js`, '--package=all', directory]);
  return directory;
}
