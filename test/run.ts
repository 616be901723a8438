/**
 * `npm test [-- [PATH...] [-t NAME...]]`: runs the compiled tests, each file in a process of its own and within a bound on its time,
 * and closes with the counts, what could not be tried on this host and why, and the slowest files. Without a path every tier but
 * those that are run on demand. Exit status 0 only if tests ran and every one passed.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { CHECKOUT } from '../src/tooling/checkout.ts';
import { findLacking, LACKING_VARIABLE, type Lacking, type Need, reasonFor } from './support/host.ts';
import { STAGED_VARIABLE, stageForMachines } from './support/staged.ts';
import { readTestFile, type TestFile } from './support/test-file.ts';

const TESTS = fileURLToPath(new URL('.', import.meta.url));
/** How long each file took when it last ran, in milliseconds: the longest start first, so that none is waited for at the end. */
const DURATIONS = `${CHECKOUT}dist/.test-durations.json`;
const SLOWEST_SHOWN = 10;
/** More than any file takes, and more again, for those that say that they take long. */
const NEVER_RAN_SEC = 3_600;
const EARLY_SEC = 36_000;
const USAGE = 'usage: npm test [-- [PATH...] [-t NAME...]]; a path is one below test/, or the beginning of one';

/** Tests mostly wait, for a boot or for an end: more of them at a time than there are processors, up to a bound for machines. */
const FILES_PER_PROCESSOR = 3;
const MACHINES_MAX = 8;
const FILES = Math.max(availableParallelism(), Math.min(MACHINES_MAX, FILES_PER_PROCESSOR * availableParallelism()));

/** Files that run under the same bounds. Neighbours with the same concurrency are one queue, so that no processor waits between them. */
interface Tier {
  readonly folders: readonly string[];
  /** how many files run at a time; those that declare it run alone, after the others */
  readonly concurrency: number;
  /** the bound on one file that declares none, in seconds */
  readonly limitSec: number;
  readonly needsRoot: boolean;
  /** only run if a path names it */
  readonly onDemand: boolean;
}

const TIERS: readonly Tier[] = [
  {
    folders: ['unit', 'contract'],
    concurrency: FILES,
    limitSec: 120,
    needsRoot: false,
    onDemand: false,
  },
  {
    folders: ['integration', 'native', 'system'],
    concurrency: FILES,
    limitSec: 300,
    needsRoot: true,
    onDemand: false,
  },
  // Load and long runs. What measures, loads the machine or races with somebody says that it runs alone.
  { folders: ['stress'], concurrency: availableParallelism(), limitSec: 300, needsRoot: true, onDemand: true },
  // The C with sanitizers; `npm run test:sanitized` also runs the files of other folders that try it, with that build.
  { folders: ['sanitized'], concurrency: FILES, limitSec: 300, needsRoot: true, onDemand: true },
  // Our packages, installed in a fresh Debian.
  { folders: ['packages'], concurrency: 1, limitSec: 600, needsRoot: true, onDemand: true },
  // Packages of Debian, fetched from a mirror.
  { folders: ['units'], concurrency: 1, limitSec: 600, needsRoot: true, onDemand: true },
];

/** What single tests of a file may ask for, by skipUnless(). */
const NEEDS_OF_SOME: readonly Need[] = ['user namespaces', 'id-mapped mounts'];

/** A file that is to run. */
interface Chosen {
  readonly file: TestFile;
  readonly tier: Tier;
}

interface Counts {
  tests: number;
  pass: number;
  fail: number;
  skipped: number;
  todo: number;
}

type Event = Parameters<InstanceType<typeof spec>['write']>[0];

/** What node:test says of a test that has another name than was asked for: it is left out of every count. */
const OTHER_NAME = 'test name does not match pattern';
const ENDS: ReadonlySet<string> = new Set(['test:pass', 'test:fail']);

const counts: Counts = { tests: 0, pass: 0, fail: 0, skipped: 0, todo: 0 };
/** The tests that were not tried, by the reason. */
const skipped = new Map<string, string[]>();
const durations: Record<string, number> = readDurations();
const ran: string[] = [];
const reporter = new spec();

function refuse(message: string): never {
  process.stderr.write(`test: ${message}\n`);
  process.exit(2);
}

function parseCommandLine(): { readonly paths: readonly string[]; readonly names: readonly string[] } {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: { 'test-name-pattern': { type: 'string', short: 't', multiple: true } },
    });
    const given = positionals.map(path => path.replace(/^(?:\.\/)?test\//, '').replace(/\.test\.ts$/, '.test.js'));
    // `npm run test:stress -- stress/soak` gives the folder as well as the file: the file is meant.
    const paths = given.filter(path => !given.some(other => other.startsWith(`${path}/`)));
    return { paths, names: values['test-name-pattern'] ?? [] };
  } catch (error) {
    refuse(`${error instanceof Error ? error.message : error}; ${USAGE}`);
  }
}

function readDurations(): Record<string, number> {
  try {
    return JSON.parse(readFileSync(DURATIONS, 'utf8'));
  } catch {
    return {};
  }
}

/** How long a file takes, in milliseconds: as long as last time. One that never ran comes first, by what it declares. */
function expectedMs({ path, declared }: TestFile): number {
  const unknownSec = NEVER_RAN_SEC + (declared.early === undefined ? 0 : EARLY_SEC) + (declared.limitSec ?? 0);
  return durations[path] ?? 1_000 * unknownSec;
}

/** @returns the test files of a tier that the paths choose */
function filesOf(tier: Tier, paths: readonly string[]): readonly TestFile[] {
  // "unit" is not a beginning of "units": what runs on demand is only run if its folder is named.
  const namesTier = (path: string): boolean => tier.folders.some(folder => `${path}/`.startsWith(`${folder}/`));
  const isChosen = (file: string): boolean =>
    paths.length === 0
      ? !tier.onDemand
      : paths.some(path => file.startsWith(path) && (!tier.onDemand || namesTier(path)));
  return tier.folders
    .flatMap(folder =>
      readdirSync(TESTS + folder, { recursive: true, encoding: 'utf8' }).map(path => `${folder}/${path}`),
    )
    .filter(path => path.endsWith('.test.js') && isChosen(path))
    .map(readTestFile);
}

/** The one that takes longest first; of files that never ran, machines before what is quick. */
function byStart(one: Chosen, other: Chosen): number {
  return (
    expectedMs(other.file) - expectedMs(one.file) ||
    other.tier.limitSec - one.tier.limitSec ||
    (one.file.path < other.file.path ? -1 : 1)
  );
}

/** Runs one file and gives its events in one piece, so that files that run at a time are not mixed up in the report. */
async function runFile({ path, declared }: TestFile, tier: Tier, names: readonly string[]): Promise<Event[]> {
  const events: Event[] = [];
  const timeout = (declared.limitSec ?? tier.limitSec) * 1_000;
  const testNamePatterns = names.map(name => new RegExp(name));
  const started = performance.now();
  for await (const event of run({ files: [TESTS + path], concurrency: 1, timeout, testNamePatterns })) {
    // The counts of each file, which its run ends with, would be taken for the counts of all.
    if (event.type !== 'test:diagnostic' || event.data.nesting > 0) {
      events.push(event);
    }
  }
  if (names.length === 0) {
    durations[path] = Math.round(performance.now() - started);
  }
  ran.push(path);
  return events;
}

/** What the report has of a file that this host cannot run. */
function skipFile({ path }: TestFile, skip: string): Event[] {
  const details = { duration_ms: 0, type: 'test' };
  return [{ type: 'test:pass', data: { name: path, nesting: 0, testNumber: 1, details, skip } } as Event];
}

function take(path: string, events: readonly Event[]): void {
  for (const event of names.length === 0 ? events : withoutOtherNames(events)) {
    if (event.type === 'test:pass' || event.type === 'test:fail') {
      count(path, event);
    }
    reporter.write(event);
  }
}

/** Leaves out the tests that have another name than was asked for, from their start to their end, and suites of such tests alone. */
function withoutOtherNames(events: readonly Event[]): Event[] {
  const kept: Event[] = [];
  for (const event of events) {
    if (event.type !== 'test:pass') {
      kept.push(event);
      continue;
    }
    const { name, nesting, skip, details } = event.data;
    const start = kept.findLastIndex(
      ({ type, data }) => type === 'test:start' && data.name === name && data.nesting === nesting,
    );
    const isEmptySuite = details.type === 'suite' && !kept.slice(start).some(({ type }) => ENDS.has(type));
    if (skip === OTHER_NAME || (isEmptySuite && skip === undefined)) {
      kept.splice(start, 1);
    } else {
      kept.push(event);
    }
  }
  return kept;
}

function count(path: string, { type, data }: Extract<Event, { type: 'test:pass' | 'test:fail' }>): void {
  const skip = data.skip;
  if (data.details.type === 'suite' && skip === undefined) {
    return;
  }
  counts.tests++;
  if (skip !== undefined) {
    counts.skipped++;
    const reason = typeof skip === 'string' ? skip : 'it says no reason';
    skipped.set(reason, [...(skipped.get(reason) ?? []), path.replace(/\.test\.js$/, '')]);
  } else if (data.todo !== undefined) {
    counts.todo++;
  } else {
    counts[type === 'test:pass' ? 'pass' : 'fail']++;
  }
}

async function runAtATime(concurrency: number, chosen: readonly Chosen[], work: (each: Chosen) => Promise<void>) {
  const waiting = [...chosen];
  const worker = async (): Promise<void> => {
    for (let each = waiting.shift(); each !== undefined; each = waiting.shift()) {
      await work(each);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
}

async function runQueue(queue: readonly Chosen[], names: readonly string[], lacking: Lacking) {
  const work = async ({ file, tier }: Chosen): Promise<void> => {
    const reason = reasonFor(lacking, file.needs);
    take(file.path, reason === undefined ? await runFile(file, tier, names) : skipFile(file, reason));
  };
  const alone = ({ file }: Chosen): boolean => file.declared.alone !== undefined;
  const together = queue.filter(each => !alone(each));
  await runAtATime(queue[0]?.tier.concurrency ?? 1, together, work);
  await runAtATime(1, queue.filter(alone), work);
}

/** @returns the lines that the run ends with */
function summary(durationMs: number): string[] {
  const slowest = ran.toSorted((one, other) => (durations[other] ?? 0) - (durations[one] ?? 0)).slice(0, SLOWEST_SHOWN);
  return [
    ...(names.length === 0 && ran.length > SLOWEST_SHOWN
      ? slowest.map(
          path => `# slow: ${((durations[path] ?? 0) / 1_000).toFixed(1)} s ${path.replace(/\.test\.js$/, '')}`,
        )
      : []),
    ...[...skipped].map(([reason, paths]) => {
      const where = [...new Set(paths)].map(path => `${path} (${paths.filter(other => other === path).length})`);
      return `# not tried: ${reason}: ${where.join(', ')}`;
    }),
    ...Object.entries(counts).map(([name, number]) => `# ${name} ${number}`),
    `# duration_ms ${Math.round(durationMs)}`,
  ];
}

const { paths, names } = parseCommandLine();
const plan = TIERS.map(tier => ({ tier, files: filesOf(tier, paths) })).filter(({ files }) => files.length > 0);
const unknown = paths.find(path => !plan.some(({ files }) => files.some(file => file.path.startsWith(path))));
if (plan.length === 0 || unknown !== undefined) {
  refuse(
    `there are no tests${unknown === undefined ? '' : ` in ${unknown}`}; ${USAGE}; folders: ${TIERS.flatMap(({ folders }) => folders).join(', ')}`,
  );
}
if (process.getuid?.() !== 0 && plan.some(({ tier }) => tier.needsRoot)) {
  refuse('all tests but unit and contract need root; without it: npm test -- unit contract');
}

const started = performance.now();
const lacking = await findLacking(
  new Set(
    plan.flatMap(({ tier, files }) => [...(tier.needsRoot ? NEEDS_OF_SOME : []), ...files.flatMap(file => file.needs)]),
  ),
);
process.env[LACKING_VARIABLE] = JSON.stringify(lacking);
if (plan.some(({ tier }) => tier.needsRoot)) {
  process.env[STAGED_VARIABLE] = stageForMachines();
}
reporter.pipe(process.stdout);
const queues: Chosen[][] = [];
for (const { tier, files } of plan) {
  const chosen = files.map(file => ({ file, tier }));
  const last = queues.at(-1);
  if (last?.[0]?.tier.concurrency === tier.concurrency) {
    last.push(...chosen);
  } else {
    queues.push(chosen);
  }
}
for (const queue of queues) {
  await runQueue(queue.sort(byStart), names, lacking);
}
await new Promise<void>(resolve => {
  reporter.once('end', resolve);
  reporter.end();
});
writeFileSync(DURATIONS, `${JSON.stringify(durations, null, 1)}\n`);
process.stdout.write(`${summary(performance.now() - started).join('\n')}\n`);
process.exitCode = counts.tests > 0 && counts.fail === 0 ? 0 : 1;
