/** A bounded queue of replies between the socket, which pushes them, and a reader, who pulls them. */
import type { JsonObject } from './json.ts';
import { CLIENT_STREAM_AHEAD_MAX } from './limits.ts';

export interface StreamSource {
  pause(): void;
  resume(): void;
  /** the reader left before the end */
  abandon(): void;
}

interface Reader {
  resolve(result: IteratorResult<JsonObject, undefined>): void;
  reject(error: unknown): void;
}

export class ReplyStream implements AsyncIterableIterator<JsonObject> {
  readonly #source: StreamSource;
  readonly #queue: JsonObject[] = [];
  readonly #readers: Reader[] = [];
  #isComplete = false;
  #failure: { readonly error: unknown } | undefined;

  constructor(source: StreamSource) {
    this.#source = source;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** @returns a reply that is there already, as most of a long list are: to wait for each would take longer than everything else */
  take(): JsonObject | undefined {
    const value = this.#queue.shift();
    if (value !== undefined && this.#queue.length === CLIENT_STREAM_AHEAD_MAX / 2) {
      this.#source.resume();
    }
    return value;
  }

  next(): Promise<IteratorResult<JsonObject, undefined>> {
    return new Promise((resolve, reject) => {
      const value = this.take();
      if (value !== undefined) {
        resolve({ value, done: false });
      } else if (this.#failure !== undefined) {
        const { error } = this.#failure;
        // Told once; then the iteration is over.
        this.#failure = undefined;
        this.#isComplete = true;
        reject(error);
      } else if (this.#isComplete) {
        resolve({ value: undefined, done: true });
      } else {
        this.#readers.push({ resolve, reject });
      }
    });
  }

  /** Called by `for await` when its body is left. */
  return(): Promise<IteratorResult<JsonObject, undefined>> {
    this.#queue.length = 0;
    if (!this.#isComplete) {
      this.#complete();
      this.#source.abandon();
    }
    return Promise.resolve({ value: undefined, done: true });
  }

  push(value: JsonObject, isLast: boolean): void {
    const reader = this.#readers.shift();
    if (reader === undefined) {
      this.#queue.push(value);
      if (this.#queue.length === CLIENT_STREAM_AHEAD_MAX) {
        this.#source.pause();
      }
    } else {
      reader.resolve({ value, done: false });
    }
    if (isLast) {
      this.#complete();
      this.#source.resume();
    }
  }

  /** Ends the iteration with an error, behind the replies that wait to be read. The first error is the one that is told. */
  fail(error: unknown): void {
    if (this.#isComplete || this.#failure !== undefined) {
      return;
    }
    const reader = this.#readers.shift();
    if (reader === undefined) {
      this.#failure = { error };
      return;
    }
    reader.reject(error);
    this.#complete();
  }

  #complete(): void {
    this.#isComplete = true;
    for (const reader of this.#readers.splice(0)) {
      reader.resolve({ value: undefined, done: true });
    }
  }
}
