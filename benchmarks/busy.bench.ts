/**
 * How soon the daemon answers while a million files are handed over, next to how soon it does when it has nothing else to do:
 * lookups through glibc over its socket, and acquisitions of another name. One daemon, one run, by turns.
 */
import { CHECKOUT } from '../src/tooling/checkout.ts';
import { Machine } from '../test/support/machine.ts';
import type { BusyFigures } from './programs/busy-load.ts';
import { microseconds, printTable, printTargets } from './support/report.ts';

const DIRECTORIES = 1_000;
const ROUNDS = 4;
const DEADLINE_MS = 15 * 60_000;
const NS_PER_MS = 1e6;

const time = (milliseconds: number): string => microseconds(milliseconds * NS_PER_MS);
const times = (value: number): string => `${value.toFixed(2)}×`;

function report({ files, handoverMs, usual, busy }: BusyFigures): void {
  const meanwhile = `while ${files.toLocaleString('en')} files are handed over`;
  printTable([
    ['', 'usually', meanwhile],
    ['lookup over the socket, mean', time(usual.lookupMean), time(busy.lookupMean)],
    // Two processes that answer each other share a processor or do not, which is most of a median.
    ['lookup over the socket, median', time(usual.lookupMedian), time(busy.lookupMedian)],
    ['acquisition of another name, mean', time(usual.acquireMean), time(busy.acquireMean)],
    ['acquisition of another name, median', time(usual.acquireMedian), time(busy.acquireMedian)],
    ['lookups and acquisitions', count(usual), count(busy)],
    ['a handover meanwhile', '', `${Math.round(handoverMs)} ms`],
  ]);
  const lookup = busy.lookupMean / usual.lookupMean;
  const acquisition = busy.acquireMean / usual.acquireMean;
  const wanted = '≤ 2× its usual time';
  printTargets([
    { what: `lookup ${meanwhile}`, wanted, measured: times(lookup), reached: lookup <= 2 },
    { what: `acquisition ${meanwhile}`, wanted, measured: times(acquisition), reached: acquisition <= 2 },
  ]);
}

function count({ lookups, acquisitions }: BusyFigures['usual']): string {
  return `${lookups.toLocaleString('en')} and ${acquisitions.toLocaleString('en')}`;
}

const nsswitch = { passwd: 'files dynuser', group: 'files dynuser' };
const machine = await Machine.boot({ init: 'plain', stage: true, nsswitch, varLib: 'disk' });
try {
  const program = `${CHECKOUT}dist/benchmarks/programs/busy-load.js`;
  const argv = [process.execPath, program, String(DIRECTORIES), String(ROUNDS)];
  report(JSON.parse(await machine.output(argv, { timeoutMs: DEADLINE_MS })));
} finally {
  await machine.stop();
}
