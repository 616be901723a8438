/**
 * Runs inside a machine with systemd: uses the daemon in every way, over and over, and holds what it has at the end
 * against what it had when it was warm: descriptors, locks, helpers, memory, the registry, the file system. Arguments: how
 * many uses at least, and how many milliseconds at least. Prints one line of JSON.
 */
import { strict as assert } from 'node:assert';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { ACQUIRING_LIMITS, PUBLIC_LIMITS } from '../../../src/host/helper/pool.ts';
import { connect, type VarlinkClient } from '../../../src/varlink/client.ts';
import { DaemonProcess, SOCKET } from './daemon-process.ts';
import { assertComplete, countUsers } from './registry-view.ts';
import { KINDS } from './soak-kinds.ts';

const WORKERS = 6;
/** Uses until everything that is made once is made: helpers, buffers, compiled code. */
const WARM_USES = 1_000;
const SETTLE_MS = 20_000;
/** Memory is sampled for as long as the soak lasts, and one part of the samples held against another. */
const SAMPLE_MS = 100;
/** State directories of callers that left once they were made: these stay, as those of all others do. */
const OF_THE_GONE = /^(?:private\/)?gone\d+$/;
const KIB_ALLOWED = 6 * 1024;
const TREES = ['/run/dynuser', '/run/systemd/dynamic-uid', '/run/private', '/var/lib/private'];
/** Of names and UIDs, of places, and of what is left; each helper has one socket to be asked and one to answer. */
const POOLS = 3;
/** Those of all pools, and of the one whose questions come from users that may not acquire. */
const ALL_HELPERS_MAX = POOLS * ACQUIRING_LIMITS.helpers + PUBLIC_LIMITS.helpers;
const SOCKETS_PER_HELPER = 2;
const SOCKETS = 'socket:[N]';
const PLACES = ['/run', '/var/lib', '/dev/shm'];

const ROUND = KINDS.flatMap(([kind, times]) => Array.from({ length: times }, () => kind));
const daemon = new DaemonProcess();
let turns = 0;

/** Each client takes the next use, of another kind than its last. @param more whether another is to begin */
async function work(more: () => boolean): Promise<void> {
  const client = await connect(SOCKET);
  while (more()) {
    const turn = turns++;
    // By a step that shares no divisor with the length, so that the kinds are mixed.
    const kind = ROUND[(turn * 17) % ROUND.length];
    await kind?.(client, turn);
  }
  client.close();
}

async function useAll(more: () => boolean): Promise<void> {
  await Promise.all(Array.from({ length: WORKERS }, () => work(more)));
}

/** What the daemon has on the host, each thing by its kind and how often. */
function possessions(): Record<string, unknown> {
  const pid = daemon.pid ?? 0;
  const kinds = new Map<string, number>();
  for (const fd of readdirSync(`/proc/${pid}/fd`)) {
    const kind = readlinkSync(`/proc/${pid}/fd/${fd}`).replace(/\d+/g, 'N');
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  }
  // A pool grows to its bound at the moment at which so many questions happen to be asked at a time, be it late.
  const helpers = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').length;
  assert.ok(helpers <= ALL_HELPERS_MAX, `${helpers} helpers`);
  kinds.set(SOCKETS, (kinds.get(SOCKETS) ?? 0) - SOCKETS_PER_HELPER * helpers);
  const { users } = countUsers();
  const files = [
    ...TREES.map(tree => readdirSync(tree, { recursive: true }).map(String)),
    ...PLACES.map(place => readdirSync(place)),
  ].map(names => names.filter(name => !OF_THE_GONE.test(name)).toSorted());
  const mounts = readFileSync(`/proc/${pid}/mounts`, 'utf8').split('\n').length;
  return { kinds: [...kinds].toSorted(), users, files, mounts };
}

/** Waits until nothing is under way. @returns what the daemon has then */
async function quiet(): Promise<Record<string, unknown>> {
  const deadline = Date.now() + SETTLE_MS;
  for (let last = '', same = 0; ; await sleep(50)) {
    try {
      const now = possessions();
      const text = JSON.stringify(now);
      same = text === last && now['users'] === 0 ? same + 1 : 0;
      last = text;
      if (same === 10 || Date.now() > deadline) {
        return now;
      }
    } catch (error) {
      // What is closed or removed while it is looked at: it is not quiet yet.
      assert.ok(Date.now() < deadline, String(error));
    }
  }
}

function rssKib(): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${daemon.pid}/status`, 'utf8'))?.[1]);
}

/** The most of those that nine of ten are below: a moment of much garbage is not a leak. */
function usual(samples: readonly number[]): number {
  return samples.toSorted((a, b) => a - b)[Math.floor(samples.length * 0.9)] ?? Number.NaN;
}

/** Everything that is told of users, from before the first to after the last. */
async function count(client: VarlinkClient, events: Map<unknown, number>): Promise<void> {
  for await (const { event } of client.stream('io.dynuser.Allocator.Watch')) {
    events.set(event, (events.get(event) ?? 0) + 1);
  }
}

const [uses = 0, atLeastMs = 0] = process.argv.slice(2).map(Number);
await daemon.start();
const watcher = await connect(SOCKET);
const events = new Map<unknown, number>();
const counting = count(watcher, events).catch(() => undefined);

await useAll(() => turns < WARM_USES);
const before = await quiet();
assertComplete(daemon.pid ?? 0);

const samples: number[] = [];
const sampling = setInterval(() => samples.push(rssKib()), SAMPLE_MS);
const started = performance.now();
await useAll(() => turns < WARM_USES + uses || performance.now() < started + atLeastMs);
clearInterval(sampling);
const after = await quiet();
assert.deepEqual(after, before, 'what the daemon has at the end is not what it had');
assertComplete(daemon.pid ?? 0);

// Not the first quarter: there it still grows into what it needs under this load.
const quarter = Math.floor(samples.length / 4);
const memory = [1, 2, 3].map(index => usual(samples.slice(index * quarter, (index + 1) * quarter)));
const [early = 0, , late = 0] = memory;
assert.ok(late <= early + KIB_ALLOWED, `memory grows, in KiB: ${memory.join(', ')}`);

watcher.close();
await counting;
assert.equal(events.get('allocated'), events.get('released'), 'each lease is told of twice');
await daemon.kill('SIGTERM');
console.log(JSON.stringify({ uses: turns - WARM_USES, leases: events.get('allocated'), memory }));
process.exit(0);
