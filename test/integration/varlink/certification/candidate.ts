/** The client of the certification: takes every step, and fails at the first answer that is not the expected one. */
import assert from 'node:assert/strict';
import type { VarlinkClient } from '../../../../src/varlink/client.ts';
import type { JsonObject } from '../../../../src/varlink/json.ts';
import { CERTIFICATION, STEPS, type Step } from './steps.ts';

/** @returns the id that the server gave. @throws AssertionError; VarlinkError where the server finds fault */
export async function becomeCertified(client: VarlinkClient, steps: readonly Step[] = STEPS): Promise<string> {
  const { client_id } = await client.call(`${CERTIFICATION}.Start`);
  assert.ok(typeof client_id === 'string' && client_id !== '');
  for (const step of steps) {
    const replies = await take(client, step, { client_id, ...step.parameters });
    assert.deepEqual(replies, step.replies, step.name);
  }
  return client_id;
}

async function take(client: VarlinkClient, { name, mode }: Step, parameters: JsonObject): Promise<JsonObject[]> {
  const method = `${CERTIFICATION}.${name}`;
  switch (mode) {
    case 'once':
      return [await client.call(method, parameters)];
    case 'more': {
      const replies: JsonObject[] = [];
      for await (const reply of client.stream(method, parameters)) {
        replies.push(reply);
      }
      return replies;
    }
    case 'oneway':
      await client.oneway(method, parameters);
      return [];
  }
}
