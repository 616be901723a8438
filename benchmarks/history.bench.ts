/**
 * What the history costs an allocation, how fast ten million records answer, and the search for files of former users next to find(1).
 */
import { CHECKOUT } from '../src/tooling/checkout.ts';
import { Machine } from '../test/support/machine.ts';
import type { HistoryFigures } from './programs/history-load.ts';
import { printTable, printTargets } from './support/report.ts';

const DEADLINE_MS = 19 * 60_000;
const ms = (value: number): string => `${Number(value.toPrecision(3))} ms`;

function report({
  pairMs,
  records,
  segments,
  nodeMs,
  versionMs,
  atMs,
  atOfUidMs,
  files,
  findMs,
  orphansMs,
}: HistoryFigures): void {
  printTable([
    ['figure', ''],
    ['acquire and release, with the history', ms(pairMs.on)],
    ['the same without it (HistoryKeep=no)', ms(pairMs.off)],
    ['node --eval=0, for comparison', ms(nodeMs)],
    ['dynuserctl --version', ms(versionMs)],
    [`dynuserctl history --at, ${records} records in ${segments} files, 2,000 users live`, ms(atMs)],
    ['the same of one UID', ms(atOfUidMs)],
    [`find -uid +61183, ${files} files`, ms(findMs)],
    [`dynuserctl orphans, ${files} files`, ms(orphansMs)],
  ]);
  const slower = pairMs.on / pairMs.off - 1;
  const ratio = orphansMs / findMs;
  printTargets([
    {
      what: 'history on against off',
      wanted: '≤ 3 %',
      measured: `${(slower * 100).toFixed(1)} %`,
      reached: slower <= 0.03,
    },
    {
      what: 'history --at, without the start of Node',
      wanted: '≤ 100 ms',
      measured: ms(Math.max(atMs, atOfUidMs) - nodeMs),
      reached: Math.max(atMs, atOfUidMs) - nodeMs <= 100,
    },
    { what: 'orphans against find', wanted: '≤ 1×', measured: `${ratio.toFixed(2)}×`, reached: ratio <= 1 },
  ]);
}

const nsswitch = { passwd: 'files dynuser', group: 'files dynuser' };
const machine = await Machine.boot({ init: 'plain', stage: true, nsswitch, varLib: 'disk' });
try {
  const program = `${CHECKOUT}dist/benchmarks/programs/history-load.js`;
  report(JSON.parse(await machine.output([process.execPath, program], { timeoutMs: DEADLINE_MS })));
} finally {
  await machine.stop();
}
