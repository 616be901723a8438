/**
 * The server's side of one connection as a pure state machine: it takes bytes, and gives one call at a time, each of which gets exactly one
 * final reply. It knows no socket, no clock and no method.
 */
import { FrameReader } from './framing.ts';
import { type MethodCall, type ReadCall, readCall, writeErrorReply, writeReply } from './message.ts';

export class ServerSession {
  readonly #frames: FrameReader;
  #underWay: Pick<MethodCall, 'more' | 'oneway'> | undefined;

  constructor(maxFrameBytes: number) {
    this.#frames = new FrameReader(maxFrameBytes);
  }

  /** Takes input in pieces of any size; the chunk must not be written to again. */
  receive(chunk: Buffer): void {
    this.#frames.push(chunk);
  }

  /** whether a call waits for its final reply */
  get busy(): boolean {
    return this.#underWay !== undefined;
  }

  /** bytes of input that no step was made of yet */
  get buffered(): number {
    return this.#frames.buffered;
  }

  /**
   * @returns undefined while a call is under way or the next frame is not complete. A call is to be answered with
   *   continuing() if it is `more`, and with one final(); so is one that is refused. After a broken frame the connection
   *   cannot be used any more: it is to be closed once the replies so far are out.
   */
  next(): ReadCall | undefined {
    const frame = this.#underWay === undefined ? this.#frames.next() : undefined;
    if (frame === undefined) {
      return undefined;
    }
    if (frame === 'too long') {
      return { kind: 'broken', reason: 'is longer than allowed' };
    }
    const read = readCall(frame);
    if (read.kind !== 'broken') {
      this.#underWay = read.kind === 'call' ? read.call : { more: false, oneway: read.oneway };
    }
    return read;
  }

  /**
   * @param parameters the text of an object
   * @returns one reply of several, to be sent as it is
   * @throws Error if the call under way is not `more`
   */
  continuing(parameters: string): string {
    if (this.#underWay?.more !== true) {
      throw new Error('a reply that is not the last answers no call, or one without "more"');
    }
    return writeReply(parameters, true);
  }

  /**
   * @param error the qualified name, if it is an error
   * @returns the last reply to the call under way, or undefined if that wants none
   */
  final(parameters: string, error?: string): string | undefined {
    const ended = this.#underWay;
    if (ended === undefined) {
      throw new Error('a final reply answers no call, or one that has had its own');
    }
    this.#underWay = undefined;
    if (ended.oneway) {
      return undefined;
    }
    return error === undefined ? writeReply(parameters, false) : writeErrorReply(error, parameters);
  }
}
