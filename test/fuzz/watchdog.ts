/** Ends a fuzzer that hangs over one input: a thread of its own sees that, since the one that hangs cannot. The input is written first. */
import { Worker } from 'node:worker_threads';

/** How long one input may take, in milliseconds, also on a machine that has much else to do. */
export const INPUT_TIME_MAX_MS = 30_000;
const LOOK_MS = 1_000;
/** The words of the shared head: how many inputs were begun, and how long the last one is. */
const COUNT = 0;
const LENGTH = 1;
const HEAD_BYTES = 8;

const THREAD = `
  const { workerData, parentPort } = require('node:worker_threads');
  const { mkdirSync, writeFileSync, writeSync } = require('node:fs');
  const { shared, directory, name, most, look } = workerData;
  const head = new Int32Array(shared, 0, 2);
  let last = -1, since = Date.now();
  const timer = setInterval(() => {
    const count = Atomics.load(head, ${COUNT});
    if (count !== last) { last = count; since = Date.now(); return; }
    if (Date.now() - since < most) return;
    const file = directory + '/' + name + '-hang';
    mkdirSync(directory, { recursive: true });
    writeFileSync(file, Buffer.from(shared, ${HEAD_BYTES}, Atomics.load(head, ${LENGTH})));
    writeSync(2, name + ': one input takes more than ' + most / 1000 + ' s: ' + file + '\\n');
    process.kill(process.pid, 'SIGKILL');
  }, look);
  parentPort.on('message', () => { clearInterval(timer); parentPort.close(); });
`;

export class Watchdog {
  readonly #shared: SharedArrayBuffer;
  readonly #head: Int32Array;
  readonly #worker: Worker;

  /** @param bytesMax the longest input */
  constructor(name: string, bytesMax: number, directory = 'dist/fuzz/found') {
    this.#shared = new SharedArrayBuffer(HEAD_BYTES + bytesMax);
    this.#head = new Int32Array(this.#shared, 0, 2);
    const workerData = { shared: this.#shared, directory, name, most: INPUT_TIME_MAX_MS, look: LOOK_MS };
    this.#worker = new Worker(THREAD, { eval: true, workerData });
    this.#worker.unref();
  }

  /** An input is tried from now on. */
  begin(input: Buffer): void {
    new Uint8Array(this.#shared, HEAD_BYTES).set(input.subarray(0, this.#shared.byteLength - HEAD_BYTES));
    Atomics.store(this.#head, LENGTH, input.length);
    Atomics.add(this.#head, COUNT, 1);
  }

  async stop(): Promise<void> {
    await this.#worker.terminate();
  }
}
