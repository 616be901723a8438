/**
 * Runs inside a machine, as root: makes new connections to the daemon's socket one after the other, each for one question, and says
 * how long it took from connect(2) to the answer. Then it acquires and releases users. Arguments: the path of the socket, the number
 * of connections, the number of users. Prints {"answers": [milliseconds…], "acquires": [milliseconds…], "failures": […]}.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from '../../../src/varlink/client.ts';

const [path = '', tries = '200', users = '20'] = process.argv.slice(2);
const PAUSE_MS = 5;
const TIMEOUT_MS = 60_000;

const failures: string[] = [];

async function timed(what: () => Promise<void>): Promise<number> {
  const before = performance.now();
  try {
    await what();
  } catch (error) {
    failures.push(String(error));
  }
  return performance.now() - before;
}

async function withClient(use: (client: Awaited<ReturnType<typeof connect>>) => Promise<unknown>): Promise<void> {
  const client = await connect(path, { timeoutMs: TIMEOUT_MS });
  try {
    await use(client);
  } finally {
    client.close();
  }
}

const answers: number[] = [];
for (let count = 0; count < Number(tries); count++) {
  answers.push(await timed(() => withClient(client => client.call('org.varlink.service.GetInfo'))));
  await sleep(PAUSE_MS);
}
const acquires: number[] = [];
for (let count = 0; count < Number(users); count++) {
  acquires.push(
    await timed(() =>
      withClient(async client => {
        const parameters = { unit: `root-${count}.service`, lifetime: 'explicit' };
        const { lease } = await client.call('io.dynuser.Allocator.Acquire', parameters);
        await client.call('io.dynuser.Allocator.Release', { lease: String(lease) });
      }),
    ),
  );
}
process.stdout.write(JSON.stringify({ answers, acquires, failures }));
