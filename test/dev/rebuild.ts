/** Builds again after each change of the sources. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { watch } from 'node:fs';
import { CHECKOUT } from '../../src/tooling/checkout.ts';

const WATCHED = ['src', 'native', 'test', 'systemd'];
/** An editor saves in several steps, and a rename is two changes. */
const QUIET_MS = 200;

/** Calls back after each change below the watched folders, once for changes that come together; never while a call is running. */
export function onChange(callBack: () => Promise<void>): void {
  let timer: NodeJS.Timeout | undefined;
  let running = false;
  let again = false;
  const call = async (): Promise<void> => {
    if (running) {
      again = true;
      return;
    }
    running = true;
    await callBack().finally(() => {
      running = false;
    });
    if (again) {
      again = false;
      await call();
    }
  };
  for (const folder of WATCHED) {
    watch(CHECKOUT + folder, { recursive: true }, () => {
      clearTimeout(timer);
      timer = setTimeout(() => void call(), QUIET_MS);
    });
  }
}

/** Builds what is out of date; errors of the compilers go to the terminal. @returns whether all of it could be built */
export async function build(): Promise<boolean> {
  const prepare = spawn('sh', ['.ci/prepare', 'build'], { cwd: CHECKOUT, stdio: ['ignore', 'inherit', 'inherit'] });
  const [status] = await once(prepare, 'exit');
  return status === 0;
}
