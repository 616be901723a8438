/**
 * What it takes to hand a tree on ext4 over to another user, next to chown -R, which changes the same inodes without checking
 * them, and to systemd's start of a unit with the same tree. One machine, one run, in turns.
 */
import { CHECKOUT } from '../src/tooling/checkout.ts';
import { Machine } from '../test/support/machine.ts';
import type { HandoverFigures } from './programs/handover-load.ts';
import { printTable, printTargets, type Target } from './support/report.ts';

const DEADLINE_MS = 19 * 60_000;

const milliseconds = (value: number): string => `${Number(value.toPrecision(3))} ms`;
const times = (value: number): string => `${value.toFixed(2)}×`;

function targetsOf(figures: HandoverFigures): Target[] {
  const { tree, chownChange, ourChange, chownNothing, ourNothing, ourMap } = figures;
  const change = ourChange / chownChange;
  const nothing = ourNothing / chownNothing;
  return [
    { what: `${tree}: change`, wanted: '≤ 0.9× chown -R', measured: times(change), reached: change <= 0.9 },
    { what: `${tree}: nothing`, wanted: '≤ 0.5× chown -R', measured: times(nothing), reached: nothing <= 0.5 },
    { what: `${tree}: mapped`, wanted: '≤ 5 ms', measured: milliseconds(ourMap), reached: ourMap <= 5 },
  ];
}

function report(all: readonly HandoverFigures[]): void {
  const row = (what: string, figure: (figures: HandoverFigures) => number): string[] => [
    what,
    ...all.map(figures => milliseconds(figure(figures))),
  ];
  printTable([
    ['', ...all.map(({ tree }) => tree)],
    row('chown -R to another owner', figures => figures.chownChange),
    row('dynuser to another owner', figures => figures.ourChange),
    row('chown -R, nothing to change', figures => figures.chownNothing),
    row('dynuser, every inode verified, nothing to change', figures => figures.ourNothing),
    row('dynuser, mapped for another user', figures => figures.ourMap),
    row('systemd-run --wait, no directory', figures => figures.systemdStart),
    row('the same with the tree, mapped', figures => figures.systemdMap),
    row('the same with the tree, to another owner', figures => figures.systemdChange),
  ]);
  // Small directories are shown for what they cost, and no target was set for them.
  printTargets(all.slice(1).flatMap(targetsOf));
}

const machine = await Machine.boot({ init: 'systemd', varLib: 'disk' });
try {
  const program = `${CHECKOUT}dist/benchmarks/programs/handover-load.js`;
  report(JSON.parse(await machine.output([process.execPath, program], { timeoutMs: DEADLINE_MS })));
} finally {
  await machine.stop();
}
