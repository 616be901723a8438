/**
 * Runs inside a machine: acquires users of four lifetimes, and looks each of them up without a pause, until its standard input ends. Prints
 * a line of JSON when all are there, and one at the end, with the leases that were lost and the lookups that failed. Of the leases that
 * outlive it, it then leaves as many as it is told.
 */
import { execFileSync, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from '../../../src/client/connect.ts';

const LIFETIMES = ['explicit', 'timed', 'connection', 'process'] as const;
const SECONDS = 3_600;
/** Each look is a process that asks for all of them. */
const PAUSE_MS = 20;

const [count = 0, left = 0] = process.argv.slice(2).map(Number);
const client = await connect();
const lost: string[] = [];
client.on('lost', (lease, reason) => lost.push(`${lease.unit}: ${reason.message}`));
const users: Record<string, number> = {};
const lasting: string[] = [];
const holder = spawn('sleep', ['infinity'], { stdio: 'ignore' });
for (let number = 0; number < count; number++) {
  const lifetime = LIFETIMES[number % LIFETIMES.length] ?? 'explicit';
  const lease = await client.acquire({
    unit: `held${number}.service`,
    lifetime,
    ...(lifetime === 'timed' ? { seconds: SECONDS } : {}),
    ...(lifetime === 'process' ? { pid: holder.pid ?? 0 } : {}),
  });
  users[lease.userName] = lease.uid;
  if (lifetime === 'explicit' || lifetime === 'timed') {
    lasting.push(lease.id);
  }
}
process.stdout.write(`${JSON.stringify(users)}\n`);

let asked = true;
process.stdin.on('end', () => {
  asked = false;
});
process.stdin.resume();
let looks = 0;
const failures: string[] = [];
const names = Object.keys(users);
while (asked) {
  looks++;
  try {
    const lines = execFileSync('getent', ['passwd', ...names], { encoding: 'utf8' })
      .trim()
      .split('\n');
    const found = new Map(lines.map(line => line.split(':')).map(([name = '', , uid]) => [name, Number(uid)]));
    failures.push(...names.filter(name => found.get(name) !== users[name]));
  } catch (error) {
    failures.push(String(error));
  }
  await sleep(PAUSE_MS);
}
for (const lease of lasting.slice(left)) {
  await client.release(lease);
}
holder.kill();
await client.close();
process.stdout.write(`${JSON.stringify({ lost, looks, failures: failures.slice(0, 10) })}\n`);
process.exit(0);
