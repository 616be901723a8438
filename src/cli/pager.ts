/**
 * The pager, as the tools of systemd have one: for what is longer than the terminal, with the variables of this program's own name before
 * PAGER. If this runs as root for somebody who has not logged in as root (sudo(8)), only less(1) in its secure mode is used: from any
 * other pager a shell is one key away. Without less there is no pager then.
 */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';

type Environment = Readonly<Record<string, string | undefined>>;

/** As systemd asks of less(1): end at once if all is seen, colours, long lines are cut, no other screen, end on ^C. */
const LESS_OPTIONS = 'FRSXMK';
/** What is tried if the environment names none. */
const USUAL: readonly (readonly [string, ...string[]])[] = [['pager'], ['less'], ['more']];

/** Programs to try one after the other, and their environment. */
interface PagerChoice {
  readonly programs: readonly (readonly [string, ...string[]])[];
  readonly environment: Environment;
}

/**
 * @param isLoggedIn whether who runs this has logged in as the user that it runs as
 * @returns undefined if no pager is wanted
 */
export function choosePager(environment: Environment, isLoggedIn: boolean): PagerChoice | undefined {
  const wanted = (environment['DYNUSER_PAGER'] ?? environment['PAGER'])?.trim();
  if (wanted === '' || wanted === 'cat' || environment['TERM'] === 'dumb') {
    return undefined;
  }
  const [program, ...argv] = wanted?.split(/\s+/) ?? [];
  const programs = program === undefined ? USUAL : [[program, ...argv] as const, ...USUAL];
  const said = environment['DYNUSER_PAGERSECURE'];
  const isSecure = said === undefined ? !isLoggedIn : !['0', 'no', 'false', 'off'].includes(said);
  const { LESSSECURE: _, ...others } = environment;
  return {
    programs: isSecure ? programs.filter(([name]) => basename(name) === 'less') : programs,
    environment: {
      ...others,
      LESS: environment['DYNUSER_LESS'] ?? LESS_OPTIONS,
      ...(isSecure ? { LESSSECURE: '1' } : {}),
    },
  };
}

/** Whether this process runs as who logged in (proc_pid_loginuid(5)); an ordinary user needs no login to be itself. */
export function isLoggedIn(): boolean {
  const uid = process.geteuid?.() ?? 0;
  try {
    return uid !== 0 || Number(readFileSync('/proc/self/loginuid', 'latin1')) === uid;
  } catch {
    return false;
  }
}

/** Shows a text, and waits until the pager is left. @returns false if no program could be started: nothing was shown */
export async function page(text: string, { programs, environment }: PagerChoice): Promise<boolean> {
  // ^C is for the pager alone, which is in the same group of processes.
  const ignore = (): void => undefined;
  process.on('SIGINT', ignore);
  try {
    for (const [program, ...argv] of programs) {
      if (await runPager(program, argv, text, environment)) {
        return true;
      }
    }
    return false;
  } finally {
    process.removeListener('SIGINT', ignore);
  }
}

function runPager(program: string, argv: readonly string[], text: string, environment: Environment): Promise<boolean> {
  return new Promise(resolve => {
    const child = spawn(program, argv, { env: { ...environment }, stdio: ['pipe', 'inherit', 'inherit'] });
    child.on('error', () => resolve(false));
    child.on('close', () => resolve(true));
    // The pager was left before it had read everything.
    child.stdin.on('error', () => undefined);
    child.stdin.end(text);
  });
}
