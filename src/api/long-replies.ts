/**
 * Lists that may be long. They are read from the table while they are sent: a peer that reads slowly costs no memory, and one that reads fast
 * keeps nobody else waiting.
 */
import type { JsonObject } from '../varlink/json.ts';
import type { Call } from '../varlink/server.ts';

/** @returns the last of the replies, which is the final one of the call; undefined without any */
export async function sendAllButLast<P>(
  call: Pick<Call<P>, 'sendAll'>,
  replies: Iterable<JsonObject>,
): Promise<JsonObject | undefined> {
  let last: JsonObject | undefined;
  function* others(): Generator<JsonObject, void, undefined> {
    for (const reply of replies) {
      if (last !== undefined) {
        yield last;
      }
      last = reply;
    }
  }
  await call.sendAll(others());
  return last;
}

/**
 * Goes through a part of the table that changes meanwhile: entries that go are left out, and new ones are at the end.
 * @param size how many there are at the beginning: a list has no more, or it would not end while others come
 */
export function* firstOf<Value>(values: Iterable<Value>, size: number): Generator<Value, void, undefined> {
  let left = size;
  for (const value of values) {
    if (left-- <= 0) {
      return;
    }
    yield value;
  }
}
