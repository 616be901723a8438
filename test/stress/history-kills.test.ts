/**
 * The history while its writer is killed, or its disk is full, at each call by which it opens, continues, rotates, bounds and syncs
 * its files: nobody reads of a user that was not, and after the next daemon every user is there.
 */
// time limit: 600 s
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { after, before, describe, it } from 'node:test';
import { encodeRecord, type HistoryRecord, LINE_BYTES, type Span, segmentName } from '../../src/history/format.ts';
import { History } from '../../src/history/read.ts';
import { CHECKOUT } from '../../src/tooling/checkout.ts';
import { afterwards, COMING, GOING, SHORT, STAYING } from '../support/programs/history-users.ts';

const PROGRAM = `${CHECKOUT}dist/test/support/programs/history-writer.js`;
const CALLS = 'openat,pwrite64,fdatasync,fsync,rename,unlink,ftruncate,fchmod,mkdir';
/** Those in which the kernel may find no room, or a fault. */
const MAY_FAIL = new Set(['openat', 'pwrite64', 'fdatasync', 'fsync', 'rename', 'unlink', 'ftruncate']);
const SEGMENTS = 3;
const SEGMENT_LINES = 8_192;
/** So long ago that no clock is taken for one that was set back. */
const BEGIN = Date.UTC(2025, 0, 2);
const SEGMENT_MS = 3_600_000;

interface Call {
  readonly name: string;
  /** which one of that name it is */
  readonly nth: number;
  readonly text: string;
}

interface Run {
  readonly calls: readonly Call[];
  readonly signal: NodeJS.Signals | null;
  readonly said: string;
}

/** Segments that are full but for a line: the first one of the next daemon fills them, so that it rotates, and removes the oldest. */
function writeSegments(directory: string): void {
  mkdirSync(directory, { mode: 0o700 });
  for (let number = 1; number <= SEGMENTS; number++) {
    const time = BEGIN + number * SEGMENT_MS;
    const live = [...STAYING, ...GOING];
    const records: HistoryRecord[] = [
      { kind: 'format', time, uptime: 1, text: '1 test' },
      ...live.map((span): HistoryRecord => ({ kind: 'lives', time, uptime: 1, span })),
    ];
    const lines = number === SEGMENTS ? SEGMENT_LINES - 1 : SEGMENT_LINES;
    for (let count = 0; records.length < lines; count++) {
      const span = SHORT[Math.floor(count / 2) % SHORT.length] ?? assert.fail();
      const at = time + Math.floor(count / 2) * 100;
      records.push({ kind: count % 2 === 0 ? 'begin' : 'end', time: at, uptime: 1, span: { ...span, since: at } });
    }
    // The last one has begun, and not ended: it is taken for one that has ended unseen.
    const text = Buffer.concat(records.map(encodeRecord));
    writeFileSync(`${directory}/${segmentName(number, time, false)}`, text, { mode: 0o600 });
  }
}

const LIMIT = String(SEGMENTS * SEGMENT_LINES * LINE_BYTES);

/** @param inject what strace does to a call; undefined: it only looks */
async function write(directory: string, log: string, inject?: string, ...more: readonly string[]): Promise<Run> {
  // One thread for all calls, so that the n-th of a name is the same one each time.
  const env = { ...process.env, UV_THREADPOOL_SIZE: '1' };
  const child = spawn(process.execPath, [PROGRAM, directory, LIMIT, ...more], {
    env,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  let said = '';
  const ready = once(child.stdout, 'data');
  child.stdout.on('data', text => {
    said += text;
  });
  await ready;
  const options = ['-f', '-p', String(child.pid), '-o', log, '-e', `trace=${CALLS}`, '-e', 'signal=none', '-s', '200'];
  const strace = spawn('strace', [...options, ...(inject === undefined ? [] : ['-e', `inject=${inject}`])], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const traced = once(strace, 'exit');
  for await (const line of createInterface({ input: strace.stderr })) {
    if (/ attached/.test(line)) {
      break;
    }
  }
  strace.stderr.resume();
  child.stdin.end('go\n');
  const [, signal] = await ended;
  await traced;
  return { calls: callsOf(readFileSync(log, 'utf8')), signal, said };
}

/** @returns the calls of the thread that works for the writer */
function callsOf(log: string): readonly Call[] {
  const lines = log.split('\n').flatMap(line => {
    const [, thread, name] = /^(\d+) +(\w+)\(/.exec(line) ?? [];
    return thread === undefined || name === undefined ? [] : [{ thread, name, text: line }];
  });
  const worker = lines.find(({ name }) => name === 'pwrite64')?.thread;
  const counts = new Map<string, number>();
  return lines
    .filter(({ thread }) => thread === worker)
    .map(({ name, text }) => {
      const nth = (counts.get(name) ?? 0) + 1;
      counts.set(name, nth);
      return { name, nth, text };
    });
}

const names = (spans: readonly Span[]): string[] => spans.map(({ name }) => name).sort();

/** What the history says of a moment before: the same whatever happened to its writer. */
function assertPast(directory: string, what: string): void {
  const history = History.open(directory);
  const time = BEGIN + SEGMENTS * SEGMENT_MS + 50;
  assert.deepEqual(names(history.at(time).flatMap(({ spans }) => spans)), names([...STAYING, ...GOING]), what);
  assert.equal(history.damaged, 0, what);
}

function assertWhole(directory: string, what: string): void {
  assertPast(directory, what);
  const history = History.open(directory);
  assert.deepEqual(names(history.at(Date.now()).flatMap(({ spans }) => spans)), names(afterwards()), what);
  for (const { name } of GOING) {
    const { spans } = history.find({ name, max: 10 });
    assert.deepEqual(
      spans.map(({ until }) => until !== undefined),
      [true],
      `${what}: ${name}`,
    );
  }
  for (const { name, since } of [...STAYING, ...COMING]) {
    const { spans } = history.find({ name, max: 10 });
    assert.deepEqual(
      spans.map(span => [span.since, span.until]),
      [[since, undefined]],
      `${what}: ${name}`,
    );
  }
  const files = readdirSync(directory);
  assert.ok(
    files.every(name => name.endsWith('.log')),
    `${what}: ${files.join(' ')}`,
  );
  const bytes = files.reduce((sum, name) => sum + statSync(`${directory}/${name}`).size, 0);
  assert.ok(bytes <= Number(LIMIT) + 100 * LINE_BYTES, `${what}: ${bytes} bytes`);
}

const canTrace = spawnSync('strace', ['-o', '/dev/null', 'true']).status === 0;

describe('the writer of the history', { skip: canTrace ? false : 'strace(1) cannot trace here' }, () => {
  let parent: string;
  let calls: readonly Call[];
  before(async () => {
    parent = mkdtempSync('/var/tmp/dynuser-history-');
    writeSegments(`${parent}/before`);
    calls = (await run(undefined)).calls;
    assertWhole(`${parent}/history`, 'undisturbed');
    for (const name of ['openat', 'pwrite64', 'fdatasync', 'fsync', 'rename', 'unlink', 'ftruncate']) {
      assert.ok(
        calls.some(call => call.name === name),
        `no ${name} among ${calls.map(({ text }) => text).join('\n')}`,
      );
    }
  });
  after(() => rmSync(parent, { recursive: true, force: true }));

  const run = (inject: string | undefined) => {
    rmSync(`${parent}/history`, { recursive: true, force: true });
    cpSync(`${parent}/before`, `${parent}/history`, { recursive: true, preserveTimestamps: true });
    return write(`${parent}/history`, `${parent}/log`, inject);
  };

  it('killed at any step leaves a history that reads whole, and that the next one completes', async context => {
    let kills = 0;
    for (const { name, nth, text } of calls) {
      const { signal } = await run(`${name}:signal=SIGKILL:when=${nth}`);
      kills += signal === 'SIGKILL' ? 1 : 0;
      assertPast(`${parent}/history`, `killed at ${text}`);
      await write(`${parent}/history`, `${parent}/log`, undefined, 'again');
      assertWhole(`${parent}/history`, `after a kill at ${text}`);
    }
    context.diagnostic(`${kills} kills at ${calls.length} calls`);
    assert.ok(kills >= calls.length - 1, `${kills} kills at ${calls.length} calls`);
  });

  for (const error of ['ENOSPC', 'EIO'] as const) {
    it(`with ${error} at any step says so, and has all of it when that has passed`, async () => {
      let said = 0;
      for (const { name, nth, text } of calls.filter(call => MAY_FAIL.has(call.name))) {
        const run1 = await run(`${name}:error=${error}:when=${nth}`);
        said += /^trouble: /m.test(run1.said) ? 1 : 0;
        assertPast(`${parent}/history`, `${error} at ${text}`);
        await write(`${parent}/history`, `${parent}/log`, undefined, 'again');
        assertWhole(`${parent}/history`, `after ${error} at ${text}`);
      }
      assert.ok(said > 0);
    });
  }
});
