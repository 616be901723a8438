/**
 * What the daemon costs: its start, an allocation, the last UID of a full range, and memory that does not grow. Measured
 * from a client in the same machine, every probe of the host made as on any other day.
 */
import { CHECKOUT } from '../src/tooling/checkout.ts';
import { Machine } from '../test/support/machine.ts';
import type { DaemonFigures } from './programs/daemon-load.ts';
import { printTable, printTargets } from './support/report.ts';

const DEADLINE_MS = 15 * 60_000;
/** What memory may grow from the first tenth of the lookups to the last, as a share. */
const FLAT = 0.05;

const whole = (value: number): string => String(Math.round(value));
const precise = (value: number): string => value.toFixed(2);

function report(figures: DaemonFigures): void {
  const { startMs, startWithLeasesMs, pairsPerSecond, acquisitions, firstMs, middleMs, lastMs } = figures;
  const { fillSeconds, rssIdleMb, rssFullMb, rssMb, lookupsPerSecond } = figures;
  const [firstRss = Number.NaN, lastRss = Number.NaN] = [rssMb[0], rssMb.at(-1)];
  printTable([
    ['figure', ''],
    ['exec to first answer', `${whole(startMs)} ms`],
    [`the same with ${acquisitions} leases to take up`, `${whole(startWithLeasesMs)} ms`],
    ['acquire and release, one connection', `${whole(pairsPerSecond)} pairs/s`],
    ['first acquisition of the range', `${precise(firstMs)} ms`],
    ['median acquisition', `${precise(middleMs)} ms`],
    [`acquisition ${acquisitions}, of the last free UID`, `${precise(lastMs)} ms`],
    [`all ${acquisitions}`, `${fillSeconds.toFixed(1)} s`],
    ['lookups over the socket, pipelined', `${whole(lookupsPerSecond)} a second`],
    ['resident memory, idle', `${whole(rssIdleMb)} MB`],
    [`the same with ${acquisitions} leases`, `${whole(rssFullMb)} MB`],
    ['the same after each 100,000 lookups', `${rssMb.map(whole).join(' ')} MB`],
  ]);
  const ratio = lastMs / firstMs;
  const growth = lastRss / firstRss - 1;
  const most = Math.max(rssFullMb, ...rssMb);
  printTargets([
    { what: 'start', wanted: '≤ 400 ms', measured: `${whole(startMs)} ms`, reached: startMs <= 400 },
    { what: 'pairs', wanted: '≥ 1000/s', measured: `${whole(pairsPerSecond)}/s`, reached: pairsPerSecond >= 1_000 },
    { what: 'last against first', wanted: '≤ 10×', measured: `${ratio.toFixed(1)}×`, reached: ratio <= 10 },
    { what: 'resident memory', wanted: '≤ 90 MB', measured: `${whole(most)} MB`, reached: most <= 90 },
    {
      what: 'growth over a million lookups',
      wanted: `≤ ${FLAT * 100} %`,
      measured: `${(growth * 100).toFixed(1)} %`,
      reached: growth <= FLAT,
    },
  ]);
}

const nsswitch = { passwd: 'files dynuser', group: 'files dynuser' };
const machine = await Machine.boot({ init: 'plain', stage: true, nsswitch });
try {
  const program = `${CHECKOUT}dist/benchmarks/programs/daemon-load.js`;
  report(JSON.parse(await machine.output([process.execPath, program], { timeoutMs: DEADLINE_MS })));
} finally {
  await machine.stop();
}
