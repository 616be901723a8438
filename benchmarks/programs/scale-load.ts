/**
 * Runs inside a machine and gives its daemon as many users as its argument says. Prints one line of JSON;
 * scale.bench.ts reads it.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { CHECKOUT } from '../../src/tooling/checkout.ts';
import { connect, type VarlinkClient } from '../../src/varlink/client.ts';
import { DaemonProcess, SOCKET } from '../../test/support/programs/daemon-process.ts';
import { median } from '../support/statistics.ts';

/** The first and the last so many are compared: one alone is a matter of luck. */
const SAMPLE = 1_000;
/** Requests that are under way at a time, between the first and the last. */
const AT_A_TIME = 16;
const STARTS = 3;
const LISTS = 5;
/** A program in C starts them: to start one from this program takes longer the more memory it has. */
const SPAWN_TIMES = `${CHECKOUT}dist/native/spawn-times`;
const LOOKUPS = 301;
/** A busy machine may take many times the target. */
const START_DEADLINE_MS = 120_000;
const OUTPUT_BYTES_MAX = 1024 * 1024 * 1024;

export interface ScaleFigures {
  readonly users: number;
  readonly firstMs: number;
  readonly lastMs: number;
  readonly perSecond: number;
  readonly rssIdleMb: number;
  readonly rssFullMb: number;
  readonly startMs: number;
  readonly listMs: number;
  readonly watchMs: number;
  readonly lookupFirstMs: number;
  readonly lookupLastMs: number;
  readonly enumerateMs: number;
}

const daemon = new DaemonProcess();
const users = Number(process.argv[2]);

const now = (): number => Number(process.hrtime.bigint()) / 1e6;

async function timed(action: () => unknown): Promise<number> {
  const before = now();
  await action();
  return now() - before;
}

async function medianOf(count: number, action: () => unknown): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < count; round++) {
    times.push(await timed(action));
  }
  return median(times);
}

/** The most that it was, up to now. */
function rssMb(): number {
  const status = readFileSync(`/proc/${daemon.pid}/status`, 'utf8');
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
}

/** @returns its output */
function run(program: string, ...argv: string[]): string {
  return execFileSync(program, argv, { encoding: 'utf8', maxBuffer: OUTPUT_BYTES_MAX });
}

/**
 * In turns: a machine is faster at one time than at another, by more than what is looked for.
 * @returns the medians in milliseconds, of a runtime directory with one user and of the daemon's
 */
function lookupsMs(name: string): readonly [one: number, all: number] {
  const one = '/run/one-user';
  for (const [directory, link, text] of [
    ['by-uid', '1000000', 'web'],
    ['by-name', 'web', '1000000'],
  ] as const) {
    mkdirSync(`${one}/${directory}`, { recursive: true });
    symlinkSync(text, `${one}/${directory}/${link}`);
  }
  const lookup = (directory: string, user: string) => [
    'env',
    `DYNUSER_RUNTIME_DIRECTORY=${directory}`,
    'getent',
    'passwd',
    user,
  ];
  const commands = [...lookup(one, 'web'), ',', ...lookup(dirname(SOCKET), name)];
  const lines = run(SPAWN_TIMES, 'turns', String(LOOKUPS), ...commands).split('\n');
  const medianOfCommand = (command: number) =>
    median(lines.filter(line => line.startsWith(`${command} `)).map(line => Number(line.slice(2)) / 1_000));
  return [medianOfCommand(0), medianOfCommand(1)];
}

function check(isWell: boolean, what: string): void {
  if (!isWell) {
    throw new Error(what);
  }
}

async function acquire(client: VarlinkClient, name: string): Promise<void> {
  await client.call('io.dynuser.Allocator.Acquire', { unit: `${name}.service`, lifetime: 'explicit' });
}

async function watch(client: VarlinkClient): Promise<void> {
  for await (const { event } of client.stream('io.dynuser.Allocator.Watch')) {
    if (event === 'ready') {
      return;
    }
  }
}

async function restart(): Promise<number> {
  await daemon.kill('SIGTERM');
  return timed(() => daemon.start(START_DEADLINE_MS));
}

async function measure(): Promise<ScaleFigures> {
  await daemon.start();
  let client = await connect(SOCKET);
  const rssIdleMb = rssMb();
  await acquire(client, 'web');
  let next = 1;
  const sample = async (): Promise<number> => {
    const times: number[] = [];
    for (const end = next + SAMPLE; next < end; next++) {
      times.push(await timed(() => acquire(client, `u${next}`)));
    }
    return median(times);
  };
  const firstMs = await sample();
  const fillMs = await timed(() =>
    Promise.all(
      Array.from({ length: AT_A_TIME }, async () => {
        while (next < users - SAMPLE) {
          await acquire(client, `u${next++}`);
        }
      }),
    ),
  );
  const lastMs = await sample();
  const [lookupFirstMs, lookupLastMs] = lookupsMs(`u${users - 1}`);
  const listMs = await medianOf(LISTS, () => {
    const lines = run('dynuserctl', 'list', '--no-legend').trimEnd().split('\n').length;
    check(lines === users, `${lines} leases are listed`);
  });
  const enumerateMs = await medianOf(LISTS, () => {
    const listed = run('getent', 'passwd').match(/:Dynamic User:/g)?.length ?? 0;
    check(listed === users, `${listed} users are enumerated`);
  });
  const watcher = await connect(SOCKET);
  const watchMs = await timed(() => watch(watcher));
  watcher.close();
  const rssBefore = rssMb();
  client.close();
  const starts: number[] = [];
  for (let round = 0; round < STARTS; round++) {
    starts.push(await restart());
  }
  client = await connect(SOCKET);
  await acquire(client, 'after');
  client.close();
  const rssFullMb = Math.max(rssBefore, rssMb());
  await daemon.kill('SIGTERM');
  return {
    users,
    perSecond: (users - 2 * SAMPLE) / (fillMs / 1_000),
    ...{
      firstMs,
      lastMs,
      rssIdleMb,
      rssFullMb,
      startMs: median(starts),
      listMs,
      watchMs,
      lookupFirstMs,
      lookupLastMs,
      enumerateMs,
    },
  };
}

process.stdout.write(`${JSON.stringify(await measure())}\n`);
