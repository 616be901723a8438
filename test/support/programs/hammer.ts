/**
 * Runs inside a machine: calls the daemon around the moments at which it exits for having nothing to do. In each round, as
 * long after the last one as the daemon waits and a bit, many connections come within a few milliseconds, each with one
 * call; some acquire a user and release it. Arguments: rounds, connections in a round, milliseconds to wait and to vary.
 * Prints {"calls": …, "failures": […]}.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from '../../../src/varlink/client.ts';
import { SOCKET } from './daemon-process.ts';

const [rounds = 0, connections = 0, waitMs = 0, varyMs = 0] = process.argv.slice(2).map(Number);
const SPREAD_MS = 60;
let calls = 0;
const failures: string[] = [];

async function one(index: number): Promise<void> {
  await sleep(Math.random() * SPREAD_MS);
  try {
    const client = await connect(SOCKET);
    if (index % 5 === 0) {
      const unit = `hammer-${index}.service`;
      const { lease } = await client.call('io.dynuser.Allocator.Acquire', { unit, lifetime: 'explicit' });
      await client.call('io.dynuser.Allocator.Release', { lease: String(lease) });
    } else {
      await client.call('io.dynuser.Allocator.List');
    }
    client.close();
    calls++;
  } catch (error) {
    failures.push(String(error));
  }
}

for (let round = 0; round < rounds; round++) {
  await Promise.all(Array.from({ length: connections }, (_, index) => one(index)));
  await sleep(waitMs + Math.random() * varyMs);
}
process.stdout.write(JSON.stringify({ calls, failures }));
