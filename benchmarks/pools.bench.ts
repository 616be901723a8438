/**
 * How many short jobs a pool gets done, each as another user with a scratch directory that goes with it, fifty at a time: dynuser-run next to
 * systemd-run, and to podman if containers can be run in the machine. xargs(1) is the pool of all three. They have their turns, since the speed
 * of a virtual machine changes within a minute.
 */
import { installPodman } from '../test/support/containers.ts';
import { Machine } from '../test/support/machine.ts';
import { printTable, printTargets } from './support/report.ts';

const JOBS = 1_000;
/** What is slower does fewer; the rate is what counts. */
const FEWER = 200;
const TURNS = 4;
const AT_A_TIME = 50;
const DEADLINE_MS = 10 * 60_000;
/** A container is tried once, and given up if it has not ended by then. */
const TRIAL_SECONDS = 20;
const SCRIPT = 'echo made >file && test -s file';

const PODMAN = [
  ...['podman', 'run', '--rm', '--tmpfs', '/scratch', '--workdir', '/scratch', '--volume', '/usr:/usr:ro'],
  ...['--rootfs', '/srv/pools'],
];

const nsswitch = { passwd: 'files dynuser systemd', group: 'files dynuser systemd' };
const machine = await Machine.boot({ init: 'systemd', stage: true, nsswitch, varLib: 'disk' });

/** @param argv of a job; {} is its number @returns how long they took, in milliseconds @throws Error if one fails */
async function timeOf(count: number, argv: readonly string[]): Promise<number> {
  const script = `seq ${count} | xargs -P ${AT_A_TIME} -I '{}' "$@"`;
  const begin = performance.now();
  await machine.output(['sh', '-c', script, 'sh', ...argv], { timeoutMs: DEADLINE_MS });
  return performance.now() - begin;
}

/** @returns the rate of each in jobs per second */
async function ratesInTurns(
  pools: readonly { readonly count: number; readonly argv: readonly string[] }[],
): Promise<number[]> {
  const times = pools.map(() => 0);
  for (let turn = 0; turn < TURNS; turn++) {
    for (const [index, { count, argv }] of pools.entries()) {
      times[index] = (times[index] ?? 0) + (await timeOf(count / TURNS, argv));
    }
  }
  return pools.map(({ count }, index) => (count * 1_000) / (times[index] ?? Number.NaN));
}

async function containersRun(): Promise<boolean> {
  await installPodman(machine);
  await machine.sh(`cd /srv && mkdir -p pools && cd pools && mkdir -p scratch usr proc sys dev etc run tmp
    for name in bin lib lib64; do ln -sfn usr/$name $name; done`);
  const trial = await machine.run(['timeout', '-k', '1', `${TRIAL_SECONDS}`, ...PODMAN, '/bin/sh', '-c', 'exit 0'], {
    timeoutMs: 2 * TRIAL_SECONDS * 1_000,
  });
  return trial.status === 0;
}

try {
  await machine.write('/etc/dynuser/dynuserd.conf', 'LogLevel=warn\n');
  await machine.output(['systemctl', 'start', 'dynuserd.service']);
  const job = ['sh', '-c', SCRIPT];
  const directory = ['-p', 'RuntimeDirectory=job-{}', '-p', 'WorkingDirectory=/run/job-{}'];
  const options = ['-u', 'job-{}', ...directory, ...job];
  const launch = ['dynuser-run', ...options];
  const asUnit = ['systemd-run', '--quiet', '--wait', '--collect', '-p', 'DynamicUser=yes', ...options];
  const hasContainers = await containersRun();
  await timeOf(FEWER, launch);
  const [own = Number.NaN, systemd = Number.NaN, podman] = await ratesInTurns([
    { count: JOBS, argv: launch },
    { count: FEWER, argv: asUnit },
    ...(hasContainers ? [{ count: FEWER, argv: [...PODMAN, '/bin/sh', '-c', SCRIPT] }] : []),
  ]);
  const [untrusted = Number.NaN] = await ratesInTurns([
    { count: JOBS, argv: ['dynuser-run', '--untrusted', ...options] },
  ]);
  const shown = (value: number): string => `${value.toFixed(0)} jobs/s`;
  printTable([
    [`${JOBS} jobs, ${AT_A_TIME} at a time`, ''],
    ['dynuser-run', shown(own)],
    ['dynuser-run --untrusted', shown(untrusted)],
    [`systemd-run --wait -p DynamicUser=yes (${FEWER} jobs)`, shown(systemd)],
    [`podman run (${FEWER} jobs)`, podman === undefined ? 'does not run here' : shown(podman)],
  ]);
  const target = (name: string, peer: number) => ({
    ...{ what: `a pool, against ${name}`, wanted: '≥ 5× the rate', measured: `${(own / peer).toFixed(1)}×` },
    reached: own >= 5 * peer,
  });
  printTargets([target('systemd-run', systemd), ...(podman === undefined ? [] : [target('podman run', podman)])]);
} finally {
  await machine.stop();
}
