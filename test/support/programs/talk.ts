/**
 * Runs inside a machine: one process that talks to the daemon for as long as its standard input is open. Each line is a JSON
 * array: ["open"] makes a new connection, ["close"] closes it, ["closed"] waits until the daemon has, [method, parameters]
 * makes a call. Prints one line for each: {"done": …}, {"reply": …} or {"error": …, "parameters": …}.
 */
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, type VarlinkClient } from '../../../src/varlink/client.ts';
import { VarlinkError } from '../../../src/varlink/errors.ts';
import { SOCKET } from './daemon-process.ts';

const OPEN_DEADLINE_MS = 30_000;
let client: VarlinkClient | undefined;

/** The daemon may just be coming up. */
async function open(): Promise<VarlinkClient> {
  for (const deadline = Date.now() + OPEN_DEADLINE_MS; ; await sleep(10)) {
    try {
      return await connect(SOCKET);
    } catch (error) {
      if (Date.now() > deadline) {
        throw error;
      }
    }
  }
}

async function answer(line: string): Promise<unknown> {
  const [word, parameters] = JSON.parse(line);
  if (word === 'open') {
    client = await open();
    return { done: word };
  }
  if (word === 'close') {
    client?.close();
    return { done: word };
  }
  if (word === 'closed') {
    await client?.closed;
    return { done: word };
  }
  try {
    return { reply: await client?.call(word, parameters) };
  } catch (error) {
    if (!(error instanceof VarlinkError)) {
      throw error;
    }
    return { error: error.error, parameters: error.parameters };
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(await answer(line))}\n`);
}
