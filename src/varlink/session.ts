/**
 * The server's side of one connection as a pure state machine: bytes in, steps out, one call at a time, and to each
 * exactly one final reply. Knows no socket, no clock and no method.
 */
import type { VarlinkError } from './errors.ts';
import { FrameReader } from './framing.ts';
import { type MethodCall, readCall, writeErrorReply, writeReply } from './message.ts';

export type SessionStep =
  /** answer it with continuing() where it is `more`, and with one final() or fail(); until then there is no other step */
  | { readonly kind: 'call'; readonly call: MethodCall }
  /** the call under way is this error's, so fail() is to follow */
  | { readonly kind: 'refused'; readonly error: VarlinkError }
  /** the connection is beyond repair: close it once the replies so far are out */
  | { readonly kind: 'broken'; readonly reason: string };

interface CallUnderWay {
  readonly more: boolean;
  readonly oneway: boolean;
}

export class ServerSession {
  readonly #frames: FrameReader;
  #underWay: CallUnderWay | undefined;

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

  /** @returns undefined while a call is under way or the next frame is not complete */
  next(): SessionStep | undefined {
    if (this.#underWay !== undefined) {
      return undefined;
    }
    const frame = this.#frames.next();
    if (frame === undefined) {
      return undefined;
    }
    if (frame === 'too long') {
      return { kind: 'broken', reason: 'is longer than allowed' };
    }
    const read = readCall(frame);
    switch (read.kind) {
      case 'call':
        this.#underWay = read.call;
        return read;
      case 'refused':
        this.#underWay = { more: false, oneway: read.oneway };
        return { kind: 'refused', error: read.error };
      case 'broken':
        return read;
    }
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

  /** @returns the last reply to the call under way, or undefined if that wants none */
  final(parameters: string): string | undefined {
    return this.#end().oneway ? undefined : writeReply(parameters, false);
  }

  /** @returns the error reply to the call under way, or undefined if that wants none */
  fail(error: string, parameters: string): string | undefined {
    return this.#end().oneway ? undefined : writeErrorReply(error, parameters);
  }

  #end(): CallUnderWay {
    const ended = this.#underWay;
    if (ended === undefined) {
      throw new Error('a final reply answers no call, or one that has had its own');
    }
    this.#underWay = undefined;
    return ended;
  }
}
