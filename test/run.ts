/**
 * `npm test [-- --all | ROOM[/PATH]...]`: runs the compiled tests, each file in a process of its own and within a bound on
 * its time, room after room, and closes with the counts. Without arguments every room but `stress`, with `--all` that one
 * too. Exit status 0 only if tests ran and every one passed.
 */
import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { fileURLToPath } from 'node:url';
import { CHECKOUT } from '../src/tooling/checkout.ts';
import { type Declared, declaredIn } from './support/declared.ts';

const TESTS = fileURLToPath(new URL('.', import.meta.url));

/** Machines mostly wait, for a boot or for an end: more of them at a time than there are processors, up to a bound. */
const MACHINES_PER_PROCESSOR = 2;
const MACHINES_MAX = 8;
const MACHINES = Math.min(MACHINES_MAX, MACHINES_PER_PROCESSOR * availableParallelism());

interface Room {
  readonly name: string;
  /** how many files run at a time; those that declare that they run alone come after the others */
  readonly concurrency: number;
  /** the bound on one file that declares none, in seconds */
  readonly limitSec: number;
  readonly needsRoot: boolean;
  /** only run if it is named, or with --all */
  readonly onDemand?: true;
}

const ROOMS: readonly Room[] = [
  { name: 'unit', concurrency: 2, limitSec: 60, needsRoot: false },
  { name: 'contract', concurrency: 1, limitSec: 60, needsRoot: false },
  { name: 'integration', concurrency: MACHINES, limitSec: 300, needsRoot: true },
  { name: 'native', concurrency: MACHINES, limitSec: 300, needsRoot: true },
  { name: 'system', concurrency: MACHINES, limitSec: 300, needsRoot: true },
  // Load and long runs: one file at a time, since some of them measure.
  { name: 'stress', concurrency: 1, limitSec: 300, needsRoot: true, onDemand: true },
];

interface TestFile {
  /** below test/, such as unit/config.test.js */
  readonly path: string;
  readonly declared: Declared;
}

interface Counts {
  tests: number;
  pass: number;
  fail: number;
  skipped: number;
  todo: number;
}

type Event = Parameters<InstanceType<typeof spec>['write']>[0];

/** @returns every test file of a room, in order */
function filesOf(room: Room): readonly TestFile[] {
  return readdirSync(`${TESTS}${room.name}`, { recursive: true, encoding: 'utf8' })
    .filter(path => path.endsWith('.test.js'))
    .sort()
    .map(path => `${room.name}/${path}`)
    .map(path => ({ path, declared: declaredIn(`${CHECKOUT}test/${path.replace(/\.js$/, '.ts')}`) }));
}

/** Runs one file and gives its events in one piece, so that files that run at a time are not mixed up in the report. */
async function runFile({ path, declared }: TestFile, room: Room): Promise<Event[]> {
  const events: Event[] = [];
  const timeout = (declared.limitSec ?? room.limitSec) * 1_000;
  for await (const event of run({ files: [TESTS + path], concurrency: 1, timeout })) {
    // The counts of each file, which its run ends with, would be taken for the counts of all.
    if (event.type !== 'test:diagnostic' || event.data.nesting > 0) {
      events.push(event);
    }
  }
  return events;
}

function count(counts: Counts, event: Event): void {
  if ((event.type !== 'test:pass' && event.type !== 'test:fail') || event.data.details.type === 'suite') {
    return;
  }
  counts.tests++;
  if (event.data.skip !== undefined) {
    counts.skipped++;
  } else if (event.data.todo !== undefined) {
    counts.todo++;
  } else {
    counts[event.type === 'test:pass' ? 'pass' : 'fail']++;
  }
}

type Take = (events: readonly Event[]) => void;

async function runAtATime(concurrency: number, files: readonly TestFile[], room: Room, take: Take): Promise<void> {
  const waiting = [...files];
  const worker = async (): Promise<void> => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
      take(await runFile(file, room));
    }
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
}

async function runRoom(room: Room, files: readonly TestFile[], take: Take): Promise<void> {
  const alone = ({ declared }: TestFile): boolean => declared.alone !== undefined;
  const together = files.filter(file => !alone(file));
  await runAtATime(room.concurrency, together, room, take);
  await runAtATime(1, files.filter(alone), room, take);
}

function refuse(message: string): never {
  process.stderr.write(`test: ${message}\n`);
  process.exit(2);
}

const words = process.argv.slice(2);
const all = words.includes('--all');
const chosen = words.filter(word => word !== '--all');
const option = chosen.find(word => word.startsWith('-'));
if (option !== undefined || (all && chosen.length > 0)) {
  refuse(`${option ?? '--all'}: usage: npm test [-- --all | ROOM[/PATH]...]`);
}
const isChosen = (room: Room, path: string): boolean =>
  chosen.length === 0 ? all || room.onDemand !== true : chosen.some(prefix => path.startsWith(prefix));
const plan = ROOMS.map(room => ({ room, files: filesOf(room).filter(({ path }) => isChosen(room, path)) })).filter(
  ({ files }) => files.length > 0,
);
const unknown = chosen.find(prefix => !plan.some(({ files }) => files.some(({ path }) => path.startsWith(prefix))));
if (plan.length === 0 || unknown !== undefined) {
  refuse(
    `there are no tests${unknown === undefined ? '' : ` in ${unknown}`}; rooms: ${ROOMS.map(r => r.name).join(', ')}`,
  );
}
const rootless = plan.filter(({ room }) => room.needsRoot).map(({ room }) => room.name);
if (process.getuid?.() !== 0 && rootless.length > 0) {
  refuse(`the rooms ${rootless.join(', ')} need root; without it: npm test -- unit contract`);
}

const started = process.hrtime.bigint();
const counts: Counts = { tests: 0, pass: 0, fail: 0, skipped: 0, todo: 0 };
const reporter = new spec();
reporter.pipe(process.stdout);
for (const { room, files } of plan) {
  await runRoom(room, files, events => {
    for (const event of events) {
      count(counts, event);
      reporter.write(event);
    }
  });
}
await new Promise<void>(resolve => {
  reporter.once('end', resolve);
  reporter.end();
});
const duration = Number(process.hrtime.bigint() - started) / 1e6;
process.stdout.write(
  `${Object.entries(counts)
    .map(([name, number]) => `# ${name} ${number}\n`)
    .join('')}# duration_ms ${Math.round(duration)}\n`,
);
process.exitCode = counts.tests > 0 && counts.fail === 0 ? 0 : 1;
