/**
 * Runs inside a machine with systemd and dynuserd, and starts commands as users: each round by everyone in turn. Prints
 * one line of JSON; launch.bench.ts reads it.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { DELAY_MS as TIER_UP_DELAY_MS } from '../../src/host/tier-up.ts';
import { CHECKOUT } from '../../src/tooling/checkout.ts';
import { median } from '../support/statistics.ts';

const ROUNDS = 150;
/** systemd-run takes tens of milliseconds each: as many rounds would say no more, and take minutes. */
const SYSTEMD_ROUNDS = 40;
const PARALLEL = 200;
const PARALLEL_ROUNDS = 5;
const SPAWN_TIMES = `${CHECKOUT}dist/native/spawn-times`;
/** How often the daemon is started anew, the launches right after that, and those after them, before and after V8 optimizes sooner. */
const STARTS = 4;
const FIRST = 50;
const LATER = 300;
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
  /** the first launches after the daemon's start, those directly after them, and those of a daemon that has run for a while */
  readonly first: number;
  readonly next: number;
  readonly later: number;
  readonly spawned: number;
  readonly setpriv: number;
  readonly plain: number;
  readonly stateful: number;
  readonly hardened: number;
  readonly systemdPlain: number;
  readonly systemdHardened: number;
  readonly systemdStateful: number;
  readonly parallel: ParallelFigures;
  readonly systemdParallel: ParallelFigures;
  /** the greatest resident size that the launcher had before it became the program, in KiB */
  readonly launcherKib: number;
}

const SYSTEMD = ['systemd-run', '--wait', '--quiet', '-p', 'DynamicUser=yes'];
const STATE = ['-p', 'StateDirectory=bench'];
/** Thirty properties, as a unit has them whose authors took what `systemd-analyze security` asks for. */
const HARDENED = [
  ...['PrivateTmp=yes', 'PrivateDevices=yes', 'PrivateUsers=yes', 'PrivateIPC=yes', 'PrivateMounts=yes'],
  ...['ProtectSystem=strict', 'ProtectHome=yes', 'ProtectKernelTunables=yes', 'ProtectKernelModules=yes'],
  ...['ProtectKernelLogs=yes', 'ProtectControlGroups=yes', 'ProtectClock=yes', 'ProtectHostname=yes'],
  ...['ProtectProc=invisible', 'ProcSubset=pid', 'NoNewPrivileges=yes', 'RestrictSUIDSGID=yes', 'RestrictRealtime=yes'],
  ...['RestrictNamespaces=yes', 'RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6', 'LockPersonality=yes'],
  ...['MemoryDenyWriteExecute=yes', 'SystemCallArchitectures=native', 'SystemCallFilter=@system-service'],
  ...['SystemCallFilter=~@privileged @resources', 'SystemCallErrorNumber=EPERM', 'CapabilityBoundingSet='],
  ...['UMask=0077', 'RemoveIPC=yes', 'LimitNOFILE=4096'],
].flatMap(property => ['-p', property]);

const spawnTimes = (...argv: string[]): string => execFileSync(SPAWN_TIMES, argv, { encoding: 'utf8' }).trimEnd();

/** @returns the median of each in milliseconds, measured in turns, so that a slow moment of the machine slows all */
function inTurns<Name extends string>(
  rounds: number,
  commands: Readonly<Record<Name, readonly string[]>>,
): Record<Name, number> {
  const names = Object.keys(commands) as Name[];
  const words = names.flatMap((name, index) => [...(index === 0 ? [] : [',']), ...commands[name]]);
  const taken = spawnTimes('turns', String(rounds), ...words)
    .split('\n')
    .map(line => line.split(' ').map(Number));
  const medianOf = (index: number): number =>
    median(taken.flatMap(([command, microseconds]) => (command === index ? [Number(microseconds) / 1_000] : [])));
  return Object.fromEntries(names.map((name, index) => [name, medianOf(index)])) as Record<Name, number>;
}

/** The median of some rounds in which all are started at once, and all failures. */
function allAtOnce(argv: readonly string[]): ParallelFigures {
  const rounds = Array.from({ length: PARALLEL_ROUNDS }, () =>
    spawnTimes('parallel', String(PARALLEL), ...argv)
      .split(' ')
      .map(Number),
  );
  return {
    count: PARALLEL,
    failures: rounds.reduce((sum, [, failures = 0]) => sum + failures, 0),
    each: median(rounds.map(([microseconds = 0]) => microseconds / 1_000 / PARALLEL)),
  };
}

/** The medians over some starts of the daemon, of the medians of its launches. */
function afterStart(): Pick<LaunchFigures, 'first' | 'next' | 'later'> {
  const launches = (count: number): number => {
    const lines = spawnTimes('first', String(count), 'dynuser-run', 'true').split('\n');
    return median(lines.map(line => Number(line.split(' ')[1]) / 1_000));
  };
  const rounds = Array.from({ length: STARTS }, () => {
    execFileSync('systemctl', ['restart', 'dynuserd.service']);
    const [first, next] = [launches(FIRST), launches(LATER)];
    execFileSync('sleep', [String(TIER_UP_DELAY_MS / 1_000 + 1)]);
    launches(LATER);
    return { first, next, later: launches(LATER) };
  });
  const over = (name: 'first' | 'next' | 'later'): number => median(rounds.map(round => round[name]));
  return { first: over('first'), next: over('next'), later: over('later') };
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
  ...afterStart(),
  ...inTurns(ROUNDS, {
    spawned: ['true'],
    setpriv: ['setpriv', '--reuid', '61184', '--regid', '61184', '--clear-groups', 'true'],
    plain: ['dynuser-run', 'true'],
    stateful: ['dynuser-run', ...STATE, 'true'],
    hardened: ['dynuser-run', ...HARDENED, 'true'],
  }),
  ...inTurns(SYSTEMD_ROUNDS, {
    systemdPlain: [...SYSTEMD, 'true'],
    systemdStateful: [...SYSTEMD, ...STATE, 'true'],
    systemdHardened: [...SYSTEMD, ...HARDENED, 'true'],
  }),
  parallel: allAtOnce(['dynuser-run', 'true']),
  systemdParallel: allAtOnce([...SYSTEMD, 'true']),
  launcherKib: launcherSize(),
};
process.stdout.write(`${JSON.stringify(figures)}\n`);
