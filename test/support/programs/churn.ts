/**
 * Runs inside a machine: many clients acquire and release at random while the daemon is killed again and again. Knows
 * what each client was answered, and holds the daemon's own view against it after every start. Prints one line of JSON.
 */
import { strict as assert } from 'node:assert';
import { readdirSync, readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from '../../../src/varlink/client.ts';
import { VarlinkError } from '../../../src/varlink/errors.ts';
import { callOnce, DaemonProcess, SOCKET } from './daemon-process.ts';

const CLIENTS = 200;
const KILLS = 50;
const NAMES = 150;
const LEASES_PER_CLIENT = 5;
const PAUSE_MS = 40;
const RETRY_MS = 5;

interface Lease {
  readonly lease: string;
  readonly uid: number;
  readonly userName: string;
}

/** Leases that a client was answered and has not asked to release. */
const held = new Map<string, Lease>();
/** Leases whose release was asked for and not answered yet, or never: they may be there or not. */
const doubtful = new Set<string>();
let unansweredAcquires = 0;
let answers = 0;
let running = true;

function note(lease: Lease): void {
  for (const other of held.values()) {
    assert.equal(other.uid === lease.uid, other.userName === lease.userName, `${JSON.stringify([other, lease])}`);
  }
  held.set(lease.lease, lease);
  answers++;
}

async function step(mine: Lease[], random: () => number): Promise<void> {
  const client = await connect(SOCKET);
  try {
    while (running) {
      const acquires = mine.length === 0 || (mine.length < LEASES_PER_CLIENT && random() < 0.5);
      if (acquires) {
        const unit = `churn${Math.floor(random() * NAMES)}.service`;
        unansweredAcquires++;
        const reply = await client.call('io.dynuser.Allocator.Acquire', { unit, lifetime: 'explicit' });
        unansweredAcquires--;
        const lease = { lease: String(reply['lease']), uid: Number(reply['uid']), userName: String(reply['userName']) };
        note(lease);
        mine.push(lease);
      } else {
        const [lease] = mine.splice(Math.floor(random() * mine.length), 1);
        assert.ok(lease);
        held.delete(lease.lease);
        doubtful.add(lease.lease);
        await client.call('io.dynuser.Allocator.Release', { lease: lease.lease });
        doubtful.delete(lease.lease);
        answers++;
      }
    }
  } finally {
    client.close();
  }
}

async function clientLoop(seed: number): Promise<void> {
  const random = generator(seed);
  const mine: Lease[] = [];
  while (running) {
    try {
      await step(mine, random);
    } catch (error) {
      if (error instanceof VarlinkError || error instanceof assert.AssertionError) {
        throw error;
      }
      // The daemon was killed; what this client was answered, it still has.
      await sleep(RETRY_MS);
    }
  }
}

/** What the daemon says it has. */
async function listed(): Promise<Map<string, Lease>> {
  const { leases } = await callOnce('io.dynuser.Allocator.List');
  assert.ok(Array.isArray(leases));
  const view = new Map<string, Lease>();
  const nameOf = new Map<number, string>();
  const uidOf = new Map<string, number>();
  for (const each of leases) {
    const lease = { lease: String(each.lease), uid: Number(each.uid), userName: String(each.userName) };
    view.set(lease.lease, lease);
    assert.equal(nameOf.get(lease.uid) ?? lease.userName, lease.userName, 'a UID has two names');
    assert.equal(uidOf.get(lease.userName) ?? lease.uid, lease.uid, 'a name has two UIDs');
    nameOf.set(lease.uid, lease.userName);
    uidOf.set(lease.userName, lease.uid);
  }
  return view;
}

async function compare(before: ReadonlyMap<string, Lease>): Promise<number> {
  const view = await listed();
  for (const lease of before.values()) {
    if (held.has(lease.lease)) {
      assert.deepEqual(view.get(lease.lease), lease, 'a lease that was answered is not there');
    }
  }
  return view.size;
}

function hostUids(): { links: number[]; names: number[]; locks: number[]; leases: string[] } {
  const numbers = (path: string) => readdirSync(path).map(Number).toSorted();
  const names = readdirSync('/run/dynuser/by-name').map(name => Number(readlinkSync(`/run/dynuser/by-name/${name}`)));
  return {
    links: numbers('/run/dynuser/by-uid'),
    names: names.toSorted(),
    locks: numbers('/run/systemd/dynamic-uid'),
    leases: readdirSync('/run/dynuser/leases').toSorted(),
  };
}

/** A small generator with a seed, so that a run can be told from another (xorshift32). */
function generator(seed: number): () => number {
  let state = seed | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 0x1_0000_0000;
  };
}

const daemon = new DaemonProcess();
await daemon.start();
const random = generator(Date.now());
const clients = Array.from({ length: CLIENTS }, (_, index) => clientLoop(index * 7919 + 1));
const failed = Promise.race(clients);
failed.catch(() => undefined);
for (let kill = 0; kill < KILLS; kill++) {
  await sleep(random() * PAUSE_MS);
  const before = new Map(held);
  await daemon.kill();
  await daemon.start();
  await compare(before);
}
running = false;
await Promise.all(clients);

const view = await listed();
for (const lease of held.values()) {
  assert.deepEqual(view.get(lease.lease), lease, 'a lease that was answered and not released is not there');
}
const extra = [...view.keys()].filter(lease => !held.has(lease) && !doubtful.has(lease));
assert.ok(extra.length <= unansweredAcquires, 'there are leases that nobody asked for');
const uids = [...new Set([...view.values()].map(lease => lease.uid))].toSorted();
assert.deepEqual(hostUids(), { links: uids, names: uids, locks: uids, leases: uids.map(String).toSorted() });

for (const lease of view.keys()) {
  await callOnce('io.dynuser.Allocator.Release', { lease });
}
assert.deepEqual(hostUids(), { links: [], names: [], locks: [], leases: [] });
await daemon.kill('SIGTERM');
console.log(JSON.stringify({ answers, live: held.size, extra: extra.length, doubtful: doubtful.size }));
