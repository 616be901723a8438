/**
 * How long it takes to run a command as a dynamic user: dynuser-run next to systemd-run, which does the same, and to
 * setpriv(1), which only changes the user. One machine with systemd, one run, in turns.
 */
import { CHECKOUT } from '../src/tooling/checkout.ts';
import { Machine } from '../test/support/machine.ts';
import type { LaunchFigures } from './programs/launch-load.ts';
import { printTable, printTargets } from './support/report.ts';

const DEADLINE_MS = 10 * 60_000;
const MEMORY_MAX_KIB = 2_048;
/** Where dynamic users can see it, which a checkout need not be. */
const RESIDENT = '/usr/local/bin/resident';

const milliseconds = (value: number): string => `${Number(value.toPrecision(3))} ms`;
const times = (value: number): string => `${value.toFixed(1)}×`;

function report(figures: LaunchFigures): void {
  const {
    first,
    next,
    later,
    spawned,
    setpriv,
    plain,
    stateful,
    hardened,
    systemdPlain,
    systemdStateful,
    systemdHardened,
    parallel,
    systemdParallel,
  } = figures;
  printTable([
    ['one at a time, median', ''],
    ['true alone', milliseconds(spawned)],
    ['setpriv --reuid … true', milliseconds(setpriv)],
    ['dynuser-run true', milliseconds(plain)],
    ['dynuser-run -p StateDirectory=… true', milliseconds(stateful)],
    ['dynuser-run with the thirty properties of a hardened unit, true', milliseconds(hardened)],
    ['systemd-run --wait -p DynamicUser=yes true', milliseconds(systemdPlain)],
    ['systemd-run --wait -p DynamicUser=yes -p StateDirectory=… true', milliseconds(systemdStateful)],
    ['systemd-run --wait with the same thirty properties, true', milliseconds(systemdHardened)],
    [`dynuser-run, ${parallel.count} at a time, each`, milliseconds(parallel.each)],
    [`systemd-run, ${systemdParallel.count} at a time, each`, milliseconds(systemdParallel.each)],
    ["the daemon's first 50 launches", milliseconds(first)],
    ['the 300 after them', milliseconds(next)],
    ['of a daemon that has run for a while', milliseconds(later)],
    ['memory of the launcher at exec', `${figures.launcherKib} KiB`],
  ]);
  const plainFactor = systemdPlain / plain;
  const statefulFactor = systemdStateful / stateful;
  const rateFactor = systemdParallel.each / parallel.each;
  const over = plain - setpriv;
  printTargets([
    { what: 'true', wanted: '≥ 10× faster than systemd-run', measured: times(plainFactor), reached: plainFactor >= 10 },
    {
      what: 'true, with a state directory',
      wanted: '≥ 10× faster than systemd-run',
      measured: times(statefulFactor),
      reached: statefulFactor >= 10,
    },
    {
      what: 'true, hardened',
      wanted: '≥ 5× faster than systemd-run',
      measured: times(systemdHardened / hardened),
      reached: systemdHardened >= 5 * hardened,
    },
    {
      what: 'true, hardened, over true alone',
      wanted: '≤ 1 ms',
      measured: milliseconds(hardened - plain),
      reached: hardened - plain <= 1,
    },
    { what: 'over setpriv', wanted: '≤ 1.5 ms', measured: milliseconds(over), reached: over <= 1.5 },
    {
      what: `${parallel.count} at a time`,
      wanted: '≥ 5× the rate of systemd-run',
      measured: times(rateFactor),
      reached: rateFactor >= 5,
    },
    {
      what: `failures of ${parallel.count} at a time`,
      wanted: '0',
      measured: String(parallel.failures),
      reached: parallel.failures === 0,
    },
    {
      what: 'the first 50 launches',
      wanted: '≤ 1.2× the later ones',
      measured: `${(first / later).toFixed(2)}×`,
      reached: first <= 1.2 * later,
    },
    {
      what: 'memory of the launcher at exec',
      wanted: '≤ 2 MiB',
      measured: `${figures.launcherKib} KiB`,
      reached: figures.launcherKib <= MEMORY_MAX_KIB,
    },
  ]);
}

const nsswitch = { passwd: 'files dynuser systemd', group: 'files dynuser systemd' };
const machine = await Machine.boot({ init: 'systemd', stage: true, nsswitch, varLib: 'disk' });
try {
  await machine.write('/etc/dynuser/dynuserd.conf', 'LogLevel=warn\n');
  await machine.output(['systemctl', 'start', 'dynuserd.service']);
  await machine.output(['install', '-m', '755', `${CHECKOUT}dist/native/resident`, RESIDENT]);
  const program = `${CHECKOUT}dist/benchmarks/programs/launch-load.js`;
  report(JSON.parse(await machine.output([process.execPath, program, RESIDENT], { timeoutMs: DEADLINE_MS })));
} finally {
  await machine.stop();
}
