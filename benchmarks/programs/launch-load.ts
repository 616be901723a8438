/**
 * Runs inside a machine with systemd and dynuserd, and starts commands as users: each round by everyone in turn. Prints
 * one line of JSON; launch.bench.ts reads it.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { median } from '../support/statistics.ts';

const ROUNDS = 150;
/** systemd-run takes tens of milliseconds each: as many rounds would say no more, and take minutes. */
const SYSTEMD_ROUNDS = 40;
const PARALLEL = 200;
/** launch.bench.ts has put it where dynamic users can see it, which a checkout need not be. */
const RESIDENT = process.argv[2] ?? '';

export interface ParallelFigures {
  readonly count: number;
  readonly failures: number;
  /** milliseconds from the first start to the last end, over the count */
  readonly each: number;
}

/** Medians in milliseconds. */
export interface LaunchFigures {
  readonly spawned: number;
  readonly setpriv: number;
  readonly plain: number;
  readonly stateful: number;
  readonly systemdPlain: number;
  readonly systemdStateful: number;
  readonly parallel: ParallelFigures;
  readonly systemdParallel: ParallelFigures;
  /** the greatest resident size that the launcher had before it became the program, in KiB */
  readonly launcherKib: number;
}

const SYSTEMD = ['systemd-run', '--wait', '--quiet', '-p', 'DynamicUser=yes'];
const STATE = ['-p', 'StateDirectory=bench'];

const now = (): number => Number(process.hrtime.bigint()) / 1e6;

function timed(argv: readonly string[]): number {
  const before = now();
  const { status, stderr } = spawnSync(argv[0] ?? '', argv.slice(1), { stdio: ['ignore', 'ignore', 'pipe'] });
  const took = now() - before;
  if (status !== 0) {
    throw new Error(`${argv.join(' ')}: exit status ${status}: ${String(stderr)}`);
  }
  return took;
}

/** @returns the median of each, taken in turns so that what slows the machine for a moment slows all */
function inTurns<Name extends string>(
  rounds: number,
  commands: Readonly<Record<Name, readonly string[]>>,
): Record<Name, number> {
  const names = Object.keys(commands) as Name[];
  const taken = Object.fromEntries(names.map(name => [name, [] as number[]])) as Record<Name, number[]>;
  for (let round = -3; round < rounds; round++) {
    for (const name of names) {
      const took = timed(commands[name]);
      // The first rounds warm caches up.
      if (round >= 0) {
        taken[name].push(took);
      }
    }
  }
  return Object.fromEntries(names.map(name => [name, median(taken[name])])) as Record<Name, number>;
}

async function allAtOnce(argv: readonly string[]): Promise<ParallelFigures> {
  const before = now();
  const statuses = await Promise.all(
    Array.from({ length: PARALLEL }, async () => {
      const child = spawn(argv[0] ?? '', argv.slice(1), { stdio: 'ignore' });
      const [status] = await once(child, 'exit');
      return status;
    }),
  );
  const each = (now() - before) / PARALLEL;
  return { count: PARALLEL, failures: statuses.filter(status => status !== 0).length, each };
}

/**
 * The kernel keeps the greatest resident size of a process over execve(2), and over fork(2) it begins with the parent's: so
 * a shell, which is smaller than the launcher, is in between.
 * @returns KiB
 */
function launcherSize(): number {
  const script = 'dynuser-run "$1" & wait $!';
  const { status, stdout, stderr } = spawnSync('sh', ['-c', script, 'sh', RESIDENT], { encoding: 'utf8' });
  if (status !== 0) {
    throw new Error(`no size of the launcher: ${stderr}`);
  }
  return Number(stdout);
}

const figures: LaunchFigures = {
  ...inTurns(ROUNDS, {
    spawned: ['true'],
    setpriv: ['setpriv', '--reuid', '61184', '--regid', '61184', '--clear-groups', 'true'],
    plain: ['dynuser-run', 'true'],
    stateful: ['dynuser-run', ...STATE, 'true'],
  }),
  ...inTurns(SYSTEMD_ROUNDS, {
    systemdPlain: [...SYSTEMD, 'true'],
    systemdStateful: [...SYSTEMD, ...STATE, 'true'],
  }),
  parallel: await allAtOnce(['dynuser-run', 'true']),
  systemdParallel: await allAtOnce([...SYSTEMD, 'true']),
  launcherKib: launcherSize(),
};
process.stdout.write(`${JSON.stringify(figures)}\n`);
