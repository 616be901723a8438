/**
 * A hundred thousand users of a range of a million UIDs: what the last one costs against the first, what the daemon takes for them,
 * how long it takes to take them up again, and what those who look see of it.
 */
import { CHECKOUT } from '../src/tooling/checkout.ts';
import { Machine } from '../test/support/machine.ts';
import type { ScaleFigures } from './programs/scale-load.ts';
import { printTable, printTargets } from './support/report.ts';

const DEADLINE_MS = 20 * 60_000;

const whole = (value: number): string => String(Math.round(value));
const precise = (value: number): string => value.toFixed(2);

function report(figures: ScaleFigures): void {
  const { users, firstMs, lastMs, perSecond, rssIdleMb, rssFullMb, startMs, listMs, watchMs } = figures;
  const { lookupFirstMs, lookupLastMs, enumerateMs } = figures;
  printTable([
    ['figure', ''],
    ['acquisition, median of the first 1000', `${precise(firstMs)} ms`],
    ['acquisition, median of the last 1000', `${precise(lastMs)} ms`],
    ['acquisitions, 16 at a time', `${whole(perSecond)}/s`],
    ['resident memory, idle', `${whole(rssIdleMb)} MB`],
    [`the same with ${users} users`, `${whole(rssFullMb)} MB`],
    ['exec to first answer, with all to take up', `${whole(startMs)} ms`],
    ['dynuserctl list', `${whole(listMs)} ms`],
    ['Watch, until it is ready', `${whole(watchMs)} ms`],
    ['env getent passwd NAME, with one user', `${precise(lookupFirstMs)} ms`],
    ['the same with all', `${precise(lookupLastMs)} ms`],
    ['getent passwd, all of them', `${whole(enumerateMs)} ms`],
  ]);
  const [ratio, lookups] = [lastMs / firstMs, lookupLastMs / lookupFirstMs];
  printTargets([
    { what: 'last against first', wanted: '≤ 2×', measured: `${ratio.toFixed(2)}×`, reached: ratio <= 2 },
    { what: 'resident memory', wanted: '≤ 250 MB', measured: `${whole(rssFullMb)} MB`, reached: rssFullMb <= 250 },
    { what: 'restart', wanted: '≤ 3 s', measured: `${(startMs / 1_000).toFixed(2)} s`, reached: startMs <= 3_000 },
    {
      what: 'dynuserctl list',
      wanted: '≤ 1.5 s',
      measured: `${(listMs / 1_000).toFixed(2)} s`,
      reached: listMs <= 1_500,
    },
    { what: 'getent passwd NAME', wanted: '≤ 1.1×', measured: `${lookups.toFixed(2)}×`, reached: lookups <= 1.1 },
  ]);
}

const nsswitch = { passwd: 'files dynuser', group: 'files dynuser' };
const machine = await Machine.boot({ init: 'plain', stage: true, nsswitch });
try {
  // A page of tmpfs for each lease file: what /run has in a machine is not enough.
  await machine.output(['mount', '-t', 'tmpfs', '-o', 'mode=0755,size=2g', 'tmpfs', '/run/dynuser']).catch(async () => {
    await machine.output(['mkdir', '-p', '/run/dynuser']);
    await machine.output(['mount', '-t', 'tmpfs', '-o', 'mode=0755,size=2g', 'tmpfs', '/run/dynuser']);
  });
  await machine.output(['mkdir', '-p', '/etc/dynuser']);
  await machine.write('/etc/dynuser/dynuserd.conf', 'UidRange=1000000-1999999\nMaxLeases=200000\nLogLevel=warn\n');
  const program = `${CHECKOUT}dist/benchmarks/programs/scale-load.js`;
  const count = process.env['SCALE_USERS'] ?? '100000';
  report(JSON.parse(await machine.output([process.execPath, program, count], { timeoutMs: DEADLINE_MS })));
} finally {
  await machine.stop();
}
