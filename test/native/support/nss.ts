/** The NSS module that is tried, and how its C tests are run. */
import { execFile } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { BUILD } from '../../support/native.ts';

export const NSS_MODULE = `${BUILD.lib}/libnss_dynuser.so.2`;

/** More than any C test takes on a busy machine; those that wait for a time-out of the module take 8 s, the long lists much more. */
const RUN_DEADLINE_MS = 240_000;

export interface Finished {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program in the environment of the test, without its DYNUSER_ variables and with those given. */
export function run(
  program: string,
  parameters: readonly string[],
  variables: Readonly<Record<string, string>> = {},
): Promise<Finished> {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('DYNUSER_'));
  const options = { env: { ...Object.fromEntries(inherited), ...variables }, timeout: RUN_DEADLINE_MS };
  return new Promise((resolve, reject) => {
    execFile(program, parameters, options, (failure, stdout, stderr) => {
      if (failure === null) {
        resolve({ status: 0, stdout, stderr });
      } else if (typeof failure.code === 'number') {
        resolve({ status: failure.code, stdout, stderr });
      } else {
        reject(new Error(`${program} ${parameters.join(' ')} did not end by itself: ${stderr}`, { cause: failure }));
      }
    });
  });
}

/**
 * A directory for a test, gone when its process ends. Everybody may look into it: some tests drop their rights, and some have a
 * setgid program in it, which has no effect in /tmp where that is mounted nosuid, as Debian 13 has it.
 */
export function temporaryDirectory(): string {
  const directory = mkdtempSync('/var/tmp/dynuser-native-');
  chmodSync(directory, 0o755);
  process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
  return directory;
}
