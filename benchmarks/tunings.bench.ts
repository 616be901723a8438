/**
 * What each tuning gives that costs a concept: the daemon with it and without it, in turns, on a host with systemd, and beside 5,000
 * threads. A tuning stays if the main job takes a tenth less of time or processor with it; processor time counts that of the
 * daemon and its helpers, and depends less on what else the machine does.
 */
import { CHECKOUT } from '../src/tooling/checkout.ts';
import { Machine } from '../test/support/machine.ts';
import type { Variant, VariantFigures } from './programs/tunings-load.ts';
import { printTable } from './support/report.ts';

/** Each start of the daemon is measured when it optimizes sooner, too: src/host/tier-up.ts says after how long. */
const DEADLINE_MS = 45 * 60_000;
const ROUNDS = 4;
const CROWD = 5_000;
const CROWD_ROUNDS = 4;

const BASE: Variant = { name: 'as it is' };
const WITHOUT_THREADS: Variant = {
  name: 'without kept descriptors of threads',
  helper: `${CHECKOUT}dist/native/without/kept_threads`,
};
const WITHOUT_SHORTCUTS: Variant = {
  name: 'without the ways around nss-systemd',
  helper: `${CHECKOUT}dist/native/without/nss_shortcuts`,
};
const WITHOUT_HEAP_FLAGS: Variant = {
  name: "without V8's flags for the heap",
  flags: ['--no-global-search-paths'],
};

/** As the native start gives them to Node. */
const HEAP_FLAGS = ['--no-global-search-paths', '--max-semi-space-size=2', '--heap-growing-percent=40'];
const IGNORE_FLAGS =
  "import v8 from 'node:v8'; import m from 'node:module'; v8.setFlagsFromString = () => {}; m.syncBuiltinESMExports();";
const WITHOUT_TIER_UP: Variant = {
  name: "with V8's compilers as they are by default",
  flags: [...HEAP_FLAGS, '--import', `data:text/javascript,${encodeURIComponent(IGNORE_FLAGS)}`],
};

const milliseconds = (value: number): string => `${Number(value.toPrecision(3))} ms`;

async function run(rounds: number, crowd: number, variants: readonly Variant[]): Promise<VariantFigures[]> {
  const nsswitch = { passwd: 'files dynuser systemd', group: 'files dynuser systemd' };
  const machine = await Machine.boot({ init: 'systemd', stage: true, nsswitch });
  try {
    const program = `${CHECKOUT}dist/benchmarks/programs/tunings-load.js`;
    const argv = [String(rounds), String(crowd), ...variants.map(variant => JSON.stringify(variant))];
    return JSON.parse(await machine.output([process.execPath, program, ...argv], { timeoutMs: DEADLINE_MS }));
  } finally {
    await machine.stop();
  }
}

const usual = await run(ROUNDS, 0, [BASE, WITHOUT_THREADS, WITHOUT_SHORTCUTS, WITHOUT_HEAP_FLAGS, WITHOUT_TIER_UP]);
printTable([
  ['acquire and release, median', 'time', 'processor', 'the first 50', 'processor', 'resident memory'],
  ...usual.map(({ name, pair, processor, firstPair, firstProcessor, rssMb }) => [
    name,
    ...[pair, processor, firstPair, firstProcessor].map(milliseconds),
    `${Math.round(rssMb)} MB`,
  ]),
]);
const crowded = await run(CROWD_ROUNDS, CROWD, [BASE, WITHOUT_THREADS]);
printTable([
  [`beside ${CROWD.toLocaleString('en')} threads`, 'time', 'processor'],
  ...crowded.map(({ name, pair, processor }) => [name, milliseconds(pair), milliseconds(processor)]),
]);
