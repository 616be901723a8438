/**
 * `npm test [-- ROOM[/PATH]...]`: runs the compiled tests, each file in a process of its own and within a bound on its
 * time, room after room, and closes with the counts. Exit status 0 only where tests ran and every one passed.
 */
import { existsSync, readdirSync } from 'node:fs';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { fileURLToPath } from 'node:url';

const TESTS = fileURLToPath(new URL('.', import.meta.url));

interface Room {
  readonly name: string;
  /** files that run at a time: rooms that look at the machine as a whole have it to themselves */
  readonly concurrency: number;
  /** the bound on one file, in milliseconds */
  readonly fileTimeoutMs: number;
  readonly needsRoot: boolean;
}

const ROOMS: readonly Room[] = [
  { name: 'unit', concurrency: 2, fileTimeoutMs: 60_000, needsRoot: false },
  { name: 'contract', concurrency: 1, fileTimeoutMs: 60_000, needsRoot: false },
  { name: 'regression', concurrency: 1, fileTimeoutMs: 120_000, needsRoot: true },
  { name: 'integration', concurrency: 1, fileTimeoutMs: 300_000, needsRoot: true },
  { name: 'native', concurrency: 1, fileTimeoutMs: 300_000, needsRoot: true },
  { name: 'system', concurrency: 1, fileTimeoutMs: 300_000, needsRoot: true },
];

interface Counts {
  tests: number;
  pass: number;
  fail: number;
  skipped: number;
  todo: number;
}

type Event = Parameters<InstanceType<typeof spec>['write']>[0];

function testFiles(room: Room, chosen: readonly string[]): string[] {
  const directory = `${TESTS}${room.name}`;
  if (!existsSync(directory)) {
    return [];
  }
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter(path => path.endsWith('.test.js'))
    .map(path => `${room.name}/${path}`)
    .filter(path => chosen.length === 0 || chosen.some(prefix => path.startsWith(prefix)))
    .sort();
}

/** Runs one file and gives its events in one piece, so that files that run at a time are not mixed up in the report. */
async function runFile(path: string, timeout: number): Promise<Event[]> {
  const events: Event[] = [];
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

async function runRoom(room: Room, files: readonly string[], take: (events: readonly Event[]) => void): Promise<void> {
  const waiting = [...files];
  const worker = async (): Promise<void> => {
    for (let path = waiting.shift(); path !== undefined; path = waiting.shift()) {
      take(await runFile(path, room.fileTimeoutMs));
    }
  };
  await Promise.all(Array.from({ length: room.concurrency }, worker));
}

function refuse(message: string): never {
  process.stderr.write(`test: ${message}\n`);
  process.exit(2);
}

const chosen = process.argv.slice(2);
const plan = ROOMS.map(room => ({ room, files: testFiles(room, chosen) })).filter(({ files }) => files.length > 0);
const unknown = chosen.find(prefix => !plan.some(({ files }) => files.some(path => path.startsWith(prefix))));
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
