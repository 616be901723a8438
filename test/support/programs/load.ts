/**
 * Runs inside a machine: many clients acquire and release without a pause, and one holds a lease of its connection, which
 * it claims whenever the daemon was restarted. Until its standard input ends; then what was answered is held against what
 * the daemon says. Prints one line of JSON.
 */
import { strict as assert } from 'node:assert';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, type VarlinkClient } from '../../../src/varlink/client.ts';
import { ConnectionError } from '../../../src/varlink/errors.ts';
import { callOnce, SOCKET } from './daemon-process.ts';

const CLIENTS = 40;
const LEASES_PER_CLIENT = 4;
const RETRY_MS = 5;

let running = true;
let answers = 0;
let lost = 0;
let claims = 0;
/** leases that were answered and not asked to be released */
const held = new Set<string>();
/** leases whose release was asked for and not answered, and how many requests for one were not */
const doubtful = new Set<string>();
let unanswered = 0;

/** Continues after every loss of the connection, as long as it is wanted; any other error ends this program. */
async function again(
  use: (client: VarlinkClient) => Promise<void>,
  wanted: () => boolean = () => running,
): Promise<void> {
  while (wanted()) {
    try {
      const client = await connect(SOCKET);
      try {
        await use(client);
      } finally {
        client.close();
      }
    } catch (error) {
      if (!(error instanceof ConnectionError)) {
        throw error;
      }
      lost++;
      await sleep(RETRY_MS);
    }
  }
}

async function churn(number: number): Promise<void> {
  const mine: string[] = [];
  await again(async client => {
    for (let turn = 0; running; turn++) {
      if (mine.length < LEASES_PER_CLIENT) {
        unanswered++;
        const unit = `load${number}-${turn % 10}.service`;
        const { lease } = await client.call('io.dynuser.Allocator.Acquire', { unit, lifetime: 'explicit' });
        unanswered--;
        held.add(String(lease));
        mine.push(String(lease));
      } else {
        const lease = mine.shift() ?? '';
        held.delete(lease);
        doubtful.add(lease);
        await client.call('io.dynuser.Allocator.Release', { lease });
        doubtful.delete(lease);
      }
      answers++;
    }
  });
}

async function hold(): Promise<void> {
  let lease: string | undefined;
  let compared = false;
  const use = async (client: VarlinkClient): Promise<void> => {
    if (lease === undefined) {
      lease = String((await client.call('io.dynuser.Allocator.Acquire', { unit: 'connected.service' }))['lease']);
    } else {
      await client.call('io.dynuser.Allocator.Claim', { lease });
      claims++;
    }
    await Promise.race([client.closed, ended]);
    if (running) {
      throw new ConnectionError('the daemon is gone');
    }
    await compare(lease);
    compared = true;
  };
  // To the comparison, also if the last restart is noticed when all others have ended.
  await again(use, () => !compared);
}

/** While the connection of that lease is open. */
async function compare(connected: string): Promise<void> {
  await churning;
  const { leases } = await callOnce('io.dynuser.Allocator.List');
  assert.ok(Array.isArray(leases));
  const there = new Set(leases.map(({ lease }) => String(lease)));
  for (const lease of [connected, ...held]) {
    assert.ok(there.has(lease), `a lease that was answered is not there: ${lease}`);
  }
  const others = [...there].filter(lease => lease !== connected && !held.has(lease) && !doubtful.has(lease));
  assert.ok(others.length <= unanswered, `${others.length} leases that nobody asked for`);
}

const ended = once(process.stdin.resume(), 'end').then(() => {
  running = false;
});
const churning = Promise.all(Array.from({ length: CLIENTS }, (_, index) => churn(index)));
await Promise.all([churning, hold()]);
process.stdout.write(JSON.stringify({ answers, lost, claims, held: held.size }));
