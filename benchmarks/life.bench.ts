/**
 * How users end, with nothing left behind: from the call of Release, and from the end of the process that a lease is bound
 * to, until link, lock and lease file are gone; and what it costs to watch over thousands of processes. Nobody else does
 * this for a caller, so there is no peer; the targets are what a service manager does not notice.
 */
import { CHECKOUT } from '../src/tooling/checkout.ts';
import { Machine } from '../test/support/machine.ts';
import type { LifeFigures } from './programs/life-load.ts';
import { printTable, printTargets } from './support/report.ts';

const RELEASES = 500;
const PROCESSES = 4_000;
const EXITS = 200;
const IDLE_SECONDS = 20;
const DEADLINE_MS = 10 * 60_000;

const milliseconds = (value: number): string => `${Number(value.toPrecision(3))} ms`;
const percent = (share: number): string => `${(share * 100).toFixed(3)} %`;

function report({ release, releaseOfProcess, processes, exit, idleSeconds, idleShare }: LifeFigures): void {
  const bound = `${processes.toLocaleString('en')} leases bound to processes`;
  printTable([
    ['', 'median', 'slowest'],
    ['Release until the UID is free', milliseconds(release.median), milliseconds(release.slowest)],
    ['the same with a process to end', milliseconds(releaseOfProcess.median), milliseconds(releaseOfProcess.slowest)],
    [`${bound}: exit of one until its lease is released`, milliseconds(exit.median), milliseconds(exit.slowest)],
    [`the same, idle for ${idleSeconds} s: processor time`, percent(idleShare), ''],
  ]);
  printTargets([
    {
      what: 'Release until the UID is free, median',
      wanted: '≤ 5 ms',
      measured: milliseconds(release.median),
      reached: release.median <= 5,
    },
    {
      what: `${bound}: one more exit, median`,
      wanted: '≤ 10 ms',
      measured: milliseconds(exit.median),
      reached: exit.median <= 10,
    },
    { what: `${bound}: idle`, wanted: '< 0.5 %', measured: percent(idleShare), reached: idleShare < 0.005 },
  ]);
}

const nsswitch = { passwd: 'files dynuser', group: 'files dynuser' };
const machine = await Machine.boot({ init: 'plain', stage: true, nsswitch });
try {
  const program = `${CHECKOUT}dist/benchmarks/programs/life-load.js`;
  const argv = [RELEASES, PROCESSES, EXITS, IDLE_SECONDS].map(String);
  report(JSON.parse(await machine.output([process.execPath, program, ...argv], { timeoutMs: DEADLINE_MS })));
} finally {
  await machine.stop();
}
