/**
 * Runs inside a machine: reads calls from standard input, one JSON array [method, parameters] a line, makes them one after
 * the other on one connection, and prints what came of each: {"reply": …} or {"error": …, "parameters": …}.
 */
import { createInterface } from 'node:readline';
import { connect } from '../../../src/varlink/client.ts';
import { VarlinkError } from '../../../src/varlink/errors.ts';
import { SOCKET } from './daemon-process.ts';

const client = await connect(SOCKET);
const results: string[] = [];
for await (const line of createInterface({ input: process.stdin })) {
  const [method, parameters] = JSON.parse(line);
  try {
    results.push(JSON.stringify({ reply: await client.call(method, parameters) }));
  } catch (error) {
    if (!(error instanceof VarlinkError)) {
      throw error;
    }
    results.push(JSON.stringify({ error: error.error, parameters: error.parameters }));
  }
}
client.close();
process.stdout.write(`${results.join('\n')}\n`);
