/**
 * Runs inside a machine and measures its daemon from a client's side: start, pairs of acquire and release, a range filled
 * to its end, and memory over a million lookups. Prints one line of JSON; daemon.bench.ts reads it.
 */
import { readFileSync } from 'node:fs';
import { DEFAULT_RANGE, rangeSize, SYSTEMD_INTERVAL } from '../../src/core/range.ts';
import { connect, type VarlinkClient } from '../../src/varlink/client.ts';
import { DaemonProcess, SOCKET } from '../../test/support/programs/daemon-process.ts';
import { median } from '../support/statistics.ts';

const STARTS = 9;
const PAIR_ROUNDS = 9;
const PAIRS_PER_ROUND = 1_000;
const FILLS = 3;
/** How often the last free UID is acquired: how long that takes depends on where the search begins. */
const LASTS = 200;
const LOOKUPS = 1_000_000;
/** Calls that are under way at a time; a client that waits for each reply would measure its own latency. */
const PIPELINE = 64;

export interface DaemonFigures {
  readonly startMs: number;
  readonly startWithLeasesMs: number;
  readonly pairsPerSecond: number;
  readonly acquisitions: number;
  readonly firstMs: number;
  readonly middleMs: number;
  readonly lastMs: number;
  readonly fillSeconds: number;
  readonly rssIdleMb: number;
  readonly rssFullMb: number;
  /** after each tenth of the lookups */
  readonly rssMb: readonly number[];
  readonly lookupsPerSecond: number;
}

const daemon = new DaemonProcess();

const now = (): number => Number(process.hrtime.bigint()) / 1e6;

async function timed(action: () => Promise<unknown>): Promise<number> {
  const before = now();
  await action();
  return now() - before;
}

function rssMb(): number {
  const status = readFileSync(`/proc/${daemon.pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
}

/** From exec to the first answer. @returns milliseconds; the daemon runs afterwards */
async function start(): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < STARTS; round++) {
    await daemon.kill('SIGTERM');
    times.push(await timed(() => daemon.start()));
  }
  return median(times);
}

async function acquire(client: VarlinkClient, unit: string): Promise<string> {
  const reply = await client.call('io.dynuser.Allocator.Acquire', { unit, lifetime: 'explicit' });
  return String(reply['lease']);
}

/** Pairs a second, one after the other on one connection. */
async function pairs(client: VarlinkClient): Promise<number> {
  const rates: number[] = [];
  for (let round = 0; round < PAIR_ROUNDS; round++) {
    const elapsed = await timed(async () => {
      for (let pair = 0; pair < PAIRS_PER_ROUND; pair++) {
        const lease = await acquire(client, `pair${pair % 100}.service`);
        await client.call('io.dynuser.Allocator.Release', { lease });
      }
    });
    rates.push((PAIRS_PER_ROUND * 1_000) / elapsed);
  }
  return median(rates);
}

/** Takes every UID of the range, one acquisition after the other. @returns how long each took, and their leases */
async function fill(client: VarlinkClient): Promise<{ times: number[]; leases: string[] }> {
  const times: number[] = [];
  const leases: string[] = [];
  for (let index = 0; index < rangeSize(DEFAULT_RANGE); index++) {
    times.push(await timed(async () => leases.push(await acquire(client, `fill${index}.service`))));
  }
  return { times, leases };
}

/** @param lease one of the full range, which is released for others. @returns the median time to acquire the only UID that is free */
async function acquireLast(client: VarlinkClient, lease: string): Promise<number> {
  const times: number[] = [];
  let last = lease;
  for (let index = 0; index < LASTS; index++) {
    await client.call('io.dynuser.Allocator.Release', { lease: last });
    times.push(
      await timed(async () => {
        last = await acquire(client, `last${index}.service`);
      }),
    );
  }
  return median(times);
}

async function release(client: VarlinkClient, leases: readonly string[]): Promise<void> {
  for (const lease of leases) {
    await client.call('io.dynuser.Allocator.Release', { lease });
  }
}

async function lookUp(client: VarlinkClient, count: number): Promise<void> {
  let sent = 0;
  const worker = async (): Promise<void> => {
    while (sent < count) {
      const uid = SYSTEMD_INTERVAL.first + (sent++ % rangeSize(DEFAULT_RANGE));
      const question = { service: 'io.dynuser.DynamicUser', uid };
      await client.call('io.systemd.UserDatabase.GetUserRecord', question);
    }
  };
  await Promise.all(Array.from({ length: PIPELINE }, worker));
}

async function measure(): Promise<DaemonFigures> {
  const startMs = await start();
  const rssIdleMb = rssMb();
  let client = await connect(SOCKET);
  const pairsPerSecond = await pairs(client);
  const fills: number[][] = [];
  let held: readonly string[] = [];
  for (let round = 0; round < FILLS; round++) {
    const { times, leases } = await fill(client);
    fills.push(times);
    held = leases;
    if (round < FILLS - 1) {
      await release(client, leases);
    }
  }
  const lastMs = await acquireLast(client, held.at(-1) ?? '');
  const rssFullMb = rssMb();
  const at = (index: number): number => median(fills.map(times => times.at(index) ?? Number.NaN));
  const rss: number[] = [];
  const lookupsMs = await timed(async () => {
    for (let tenth = 0; tenth < 10; tenth++) {
      await lookUp(client, LOOKUPS / 10);
      rss.push(rssMb());
    }
  });
  client.close();
  const startWithLeasesMs = await start();
  client = await connect(SOCKET);
  client.close();
  await daemon.kill('SIGTERM');
  return {
    startMs,
    startWithLeasesMs,
    pairsPerSecond,
    acquisitions: rangeSize(DEFAULT_RANGE),
    firstMs: at(0),
    middleMs: median(fills.flat()),
    lastMs,
    fillSeconds: median(fills.map(times => times.reduce((sum, time) => sum + time, 0))) / 1_000,
    rssIdleMb,
    rssFullMb,
    rssMb: rss,
    lookupsPerSecond: (LOOKUPS * 1_000) / lookupsMs,
  };
}

process.stdout.write(`${JSON.stringify(await measure())}\n`);
