/**
 * Runs inside a host of a fleet: users of random names come and go, each with a process that its lease lasts as long as, until it is killed.
 * Prints what came of each request, one JSON object a line.
 *
 * usage: fleet-churn NAMES
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { ALLOCATOR_INTERFACE } from '../../../src/api/generated/io-dynuser-allocator.ts';
import { FLEET_INTERFACE } from '../../../src/api/generated/io-dynuser-fleet.ts';
import { COMPANION_SOCKET } from '../../../src/core/paths.ts';
import { ClientInterfaces, connect, type VarlinkClient } from '../../../src/varlink/client.ts';
import { VarlinkError } from '../../../src/varlink/errors.ts';
import { SOCKET } from './daemon-process.ts';

const NAMES = Number(process.argv[2]);
/** How many users live at a time, and for how long, in milliseconds. */
const LIVE_MAX = 12;
const LIVES_MS = 4_000;
const CALL_MS = 60_000;
const PAUSE_MS = 40;
const INTERFACES = new ClientInterfaces([ALLOCATOR_INTERFACE, FLEET_INTERFACE], 'drop');

/** Names that this host has held since this program started, with their UIDs, and has not forgotten. */
const known = new Map<string, number>();
const live = new Set<string>();
const clients = new Map<string, VarlinkClient>();

function say(what: object): void {
  process.stdout.write(`${JSON.stringify({ time: Date.now(), ...what })}\n`);
}

/** @returns the error's name, without the interface's, or the reply */
async function call(path: string, method: string, parameters: Readonly<Record<string, string | number | boolean>>) {
  try {
    const client = clients.get(path) ?? (await connect(path, { timeoutMs: CALL_MS, interfaces: INTERFACES }));
    clients.set(path, client);
    return { reply: await client.call(method, parameters) };
  } catch (error) {
    if (error instanceof VarlinkError) {
      return { error: error.error.split('.').at(-1) ?? '', reason: String(error.parameters['reason'] ?? '') };
    }
    // The daemon was killed; what was asked may have happened.
    clients.get(path)?.close();
    clients.delete(path);
    await sleep(PAUSE_MS);
    return { error: 'ConnectionLost', reason: String(error) };
  }
}

/** The process waits for its UID on its standard input, so that its lease is there before it is the user. */
function start(name: string): ChildProcessByStdio<Writable, null, null> {
  const seconds = ((Math.random() * LIVES_MS) / 1_000).toFixed(2);
  const script = `read -r uid && exec setpriv --reuid="$uid" --regid="$uid" --clear-groups sleep ${seconds}`;
  return spawn('sh', ['-c', script], {
    stdio: ['pipe', 'ignore', 'ignore'],
    env: { ...process.env, FLEET_NAME: name },
  });
}

async function acquire(name: string): Promise<void> {
  live.add(name);
  const child = start(name);
  child.stdin.on('error', () => undefined);
  const before = known.get(name);
  const asked = Date.now();
  const found = await call(SOCKET, 'io.dynuser.Allocator.Acquire', {
    ...{ unit: `${name}.service`, userName: name, lifetime: 'process', pid: child.pid ?? 0 },
  });
  const uid = 'reply' in found ? found.reply['uid'] : undefined;
  say({ what: 'acquire', name, asked, before, uid, ...('error' in found ? found : {}) });
  if (typeof uid !== 'number') {
    child.kill('SIGKILL');
    live.delete(name);
    return;
  }
  known.set(name, uid);
  child.on('exit', () => live.delete(name));
  child.stdin.end(`${uid}\n`);
}

async function forget(name: string): Promise<void> {
  const found = await call(SOCKET, 'io.dynuser.Allocator.FleetForget', { name });
  say({ what: 'forget', name, ...('error' in found ? found : {}) });
  // The record goes first: whatever came of it, the name may be unknown now.
  known.delete(name);
}

for (;;) {
  const name = `f-${Math.floor(Math.random() * NAMES)}`;
  const dice = Math.random();
  const [old] = known.keys();
  if (dice < 0.25 && old !== undefined && !live.has(old)) {
    await forget(old);
  } else if (dice < 0.3) {
    const found = await call(COMPANION_SOCKET, 'io.dynuser.Fleet.Name', { name });
    say({ what: 'look', name, ...('error' in found ? found : {}) });
  } else if (live.size < LIVE_MAX && !live.has(name)) {
    await acquire(dice < 0.6 && old !== undefined && !live.has(old) ? old : name);
  }
  await sleep(PAUSE_MS);
}
