/**
 * Runs inside a host of a fleet: the daemon is killed at every system call of a first use of a name, and at those by which its threads bring
 * the record of the hold to the disk. After each it is started again, and held against what was answered, what is recorded, and what the
 * store says. Prints {"kills": …, "missed": …, "records": how often there was one, "uids": {NAME: UID}}.
 *
 * usage: fleet-kill-steps HOST
 */
import { strict as assert } from 'node:assert';
import { setTimeout as sleep } from 'node:timers/promises';
import { ALLOCATOR_INTERFACE, type FleetStatusReply } from '../../../src/api/generated/io-dynuser-allocator.ts';
import { FLEET_INTERFACE, type HoldsOfReply, type NameReply } from '../../../src/api/generated/io-dynuser-fleet.ts';
import { COMPANION_SOCKET } from '../../../src/core/paths.ts';
import { ClientInterfaces, connect } from '../../../src/varlink/client.ts';
import type { JsonObject } from '../../../src/varlink/json.ts';
import { type CallPoint, CallTrace, type TracedCall } from './call-trace.ts';
import { callOnce, DaemonProcess, SOCKET } from './daemon-process.ts';

const HOST = process.argv[2] ?? '';
const MEMBER_MS = 30_000;
/** Which of the calls of a thread it is: a first use has fewer of each. */
const THREAD_CALLS = ['openat', 'fsync', 'rename'].flatMap(name => [1, 2, 3].map(nth => ({ name, nth })));
const INTERFACES = new ClientInterfaces([ALLOCATOR_INTERFACE, FLEET_INTERFACE], 'drop');

const daemon = new DaemonProcess();
/** What each name was seen with, wherever that was. */
const uids = new Map<string, number>();
let count = 0;
let records = 0;

async function ask<Reply>(path: string, method: string, parameters: JsonObject = {}): Promise<Reply> {
  const client = await connect(path, { interfaces: INTERFACES });
  try {
    return (await client.call(method, parameters)) as Reply;
  } finally {
    client.close();
  }
}

const status = () => ask<FleetStatusReply>(SOCKET, 'io.dynuser.Allocator.FleetStatus');

async function untilMember(): Promise<FleetStatusReply> {
  for (const deadline = Date.now() + MEMBER_MS; ; await sleep(20)) {
    const found = await status();
    if (found.state === 'member' || Date.now() > deadline) {
      assert.equal(found.state, 'member', found.reason);
      return found;
    }
  }
}

async function acquire(name: string): Promise<number> {
  const { uid } = await callOnce('io.dynuser.Allocator.Acquire', {
    ...{ unit: `${name}.service`, userName: name, lifetime: 'explicit' },
  });
  return Number(uid);
}

function note(name: string, uid: number): void {
  assert.equal(uids.get(name) ?? uid, uid, `${name} has another UID than before`);
  uids.set(name, uid);
  const others = [...uids].filter(([other, theirs]) => theirs === uid && other !== name);
  assert.deepEqual(others, [], `${name} has the UID ${uid} of another`);
}

/** The record, the store and what is answered agree on every name. */
async function check(): Promise<void> {
  const { holds: recorded } = await untilMember();
  const { holds } = await ask<HoldsOfReply>(COMPANION_SOCKET, 'io.dynuser.Fleet.HoldsOf', { host: HOST });
  const lines = (found: readonly { name: string; uid: number }[]) =>
    found.map(({ name, uid }) => `${name} ${uid}`).sort();
  assert.deepEqual(lines(recorded), lines(holds));
  for (const { name, uid } of holds) {
    note(name, uid);
    const bound = await ask<NameReply>(COMPANION_SOCKET, 'io.dynuser.Fleet.Name', { name });
    assert.deepEqual([bound.state, bound.uid], ['bound', uid], name);
  }
}

/** @returns the calls of a first use that nobody disturbs */
async function record(of: 'main' | 'threads'): Promise<readonly TracedCall[]> {
  const name = `f-step-${count++}`;
  const trace = await CallTrace.begin(daemon.pid ?? 0, undefined, of);
  note(name, await acquire(name));
  const calls = await trace.end();
  await check();
  await release(name);
  return calls;
}

async function release(name: string): Promise<void> {
  const client = await connect(SOCKET);
  try {
    for await (const reply of client.stream('io.dynuser.Allocator.List')) {
      const { userName, lease } = (reply['lease'] ?? reply) as { userName?: string; lease?: string };
      if (userName === name && lease !== undefined) {
        await callOnce('io.dynuser.Allocator.Release', { lease });
      }
    }
  } finally {
    client.close();
  }
}

/** @returns whether it was killed there */
async function killAt(point: CallPoint, of: 'main' | 'threads'): Promise<boolean> {
  const name = `f-step-${count++}`;
  const { ended } = daemon;
  let isGone = false;
  void ended.then(() => {
    isGone = true;
  });
  const trace = await CallTrace.begin(daemon.pid ?? 0, point, of);
  const answered = await Promise.race([acquire(name).catch(() => undefined), ended.then(() => undefined)]);
  // What follows an answer, such as the copy of the snapshot, is not waited for.
  const killed = isGone || answered === undefined;
  await daemon.kill();
  await ended;
  await trace.end();
  await daemon.start();
  const { holds } = await untilMember();
  const held = holds.find(hold => hold.name === name);
  if (answered !== undefined) {
    assert.equal(held?.uid, answered, `${name} was answered`);
    note(name, answered);
  }
  records += killed && held !== undefined ? 1 : 0;
  await check();
  const uid = await acquire(name);
  assert.equal(uid, held?.uid ?? uid, `${name} is held`);
  note(name, uid);
  await check();
  await release(name);
  return killed;
}

await daemon.start();
await untilMember();
let [kills, missed] = [0, 0];
const run = async (point: CallPoint, of: 'main' | 'threads', text = '') => {
  // If this program fails or is late, its standard error tells where.
  console.error(`${Math.round(performance.now())} ms: ${of}, ${point.name} ${point.nth} ${text}`);
  if (await killAt(point, of)) {
    kills++;
  } else {
    missed++;
  }
};
// The first of them prepares what later ones find.
await record('main');
for (const point of await record('main')) {
  await run(point, 'main', point.text);
}
for (const point of THREAD_CALLS) {
  await run(point, 'threads');
}
await daemon.kill('SIGTERM');
console.log(JSON.stringify({ kills, missed, records, uids: Object.fromEntries(uids) }));
process.exit(0);
