/** Splits incoming bytes into frames, each of which ends with a NUL. It holds no more than one incomplete frame and one chunk. */

const NUL = 0;

export class FrameReader {
  readonly #maxFrameBytes: number;
  #buffer: Buffer = Buffer.alloc(0);
  /** the bytes of the buffer that are input */
  #start = 0;
  #end = 0;
  /** up to where there is no NUL: a frame that comes byte by byte is looked through once, not once a byte */
  #searched = 0;

  constructor(maxFrameBytes: number) {
    this.#maxFrameBytes = maxFrameBytes;
  }

  /** bytes that are not yet handed out */
  get buffered(): number {
    return this.#end - this.#start;
  }

  /** Takes the chunk over: whoever gave it must not write to it again. */
  push(chunk: Buffer): void {
    if (this.buffered === 0) {
      this.#buffer = chunk;
      this.#start = 0;
      this.#end = chunk.length;
      this.#searched = 0;
      return;
    }
    if (this.#end + chunk.length > this.#buffer.length) {
      this.#grow(this.buffered + chunk.length);
    }
    chunk.copy(this.#buffer, this.#end);
    this.#end += chunk.length;
  }

  /** @returns the next frame without its NUL, undefined if it is not complete, or 'too long' as soon as that shows */
  next(): Buffer | 'too long' | undefined {
    const nul = this.#buffer.subarray(0, this.#end).indexOf(NUL, this.#searched);
    const length = (nul === -1 ? this.#end : nul) - this.#start;
    if (length > this.#maxFrameBytes) {
      return 'too long';
    }
    if (nul === -1) {
      this.#searched = this.#end;
      return undefined;
    }
    const frame = this.#buffer.subarray(this.#start, nul);
    this.#start = nul + 1;
    this.#searched = this.#start;
    return frame;
  }

  /** Doubling makes the copies of a frame in many pieces add up to about its length. */
  #grow(needed: number): void {
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.buffered, 256));
    this.#buffer.copy(grown, 0, this.#start, this.#end);
    this.#searched -= this.#start;
    this.#end -= this.#start;
    this.#start = 0;
    this.#buffer = grown;
  }
}
