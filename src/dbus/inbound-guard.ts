/**
 * Stands between the bus and dbus-next's reader. The reader takes any length and any number of values, decodes whatever has come in one
 * go, and throws from inside a stream event, which would end the daemon: at a file descriptor that was never sent (libdbus does not
 * look at such values when it validates), or at a message that was cut short. Here what a message holds is counted before it is
 * decoded, calls and signals wait for the turn of their sender, and a message that cannot be read costs itself alone.
 */
import type { Duplex } from 'node:stream';
import { reasonOf } from '../core/errors.ts';
import {
  MESSAGE_BYTES_MAX,
  QUEUED_BYTES_MAX,
  QUEUED_PER_SENDER_MAX,
  VALUES_FROM_BUS_MAX,
  VALUES_MAX,
} from './limits.ts';
import { DRIVER } from './message.ts';
import type { BusTask, BusTurns } from './port.ts';
import {
  checkBody,
  FIXED_BYTES,
  type Head,
  METHOD_CALL,
  readHead,
  restLength,
  SIGNAL,
  Unreadable,
} from './raw-message.ts';

export interface InboundOptions {
  /** when calls and signals are read, by sender */
  readonly turns: BusTurns;
  /** Told of each message that was not read, and why. */
  onDropped(reason: string): void;
  /** Told of each of them that was a call whose caller waits for an answer. */
  onRefused(call: Pick<Head, 'sender' | 'serial'>, reason: string): void;
}

interface RawMessage {
  readonly fixed: Buffer;
  readonly rest: Buffer;
}

interface Checked extends RawMessage {
  readonly head: Head;
}

/** What one sender has waiting. */
interface Lane extends BusTask {
  readonly waiting: Checked[];
  bytes: number;
}

class Inbound {
  readonly #options: InboundOptions;
  /** hands a message to dbus-next; throws what that throws */
  readonly #read: (message: RawMessage) => void;
  readonly #lanes = new Map<string, Lane>();
  #bytes = 0;

  constructor(options: InboundOptions, read: (message: RawMessage) => void) {
    this.#options = options;
    this.#read = read;
  }

  take(message: RawMessage): void {
    let head: Head | undefined;
    try {
      head = readHead(message.fixed, message.rest);
      checkBody(message.fixed, message.rest, head, head.sender === DRIVER ? VALUES_FROM_BUS_MAX : VALUES_MAX);
    } catch (error) {
      if (!(error instanceof Unreadable)) {
        throw error;
      }
      this.#refuse(head, error.message);
      return;
    }
    // Somebody waits for an answer; and nobody else can speak as the bus.
    if (head.sender === DRIVER || (head.type !== METHOD_CALL && head.type !== SIGNAL)) {
      this.#deliver({ ...message, head });
    } else {
      this.#queue({ ...message, head });
    }
  }

  /** Has everything read that waits for its turn. */
  flush(): void {
    for (const lane of this.#lanes.values()) {
      while (lane.step()) {
        // Until the sender has nothing left.
      }
    }
  }

  #queue(message: Checked): void {
    const { head } = message;
    const lane = this.#lanes.get(head.sender) ?? this.#newLane(head.sender);
    if (lane.waiting.length >= QUEUED_PER_SENDER_MAX) {
      this.#refuse(head, `${QUEUED_PER_SENDER_MAX} messages of its sender wait already`);
      return;
    }
    this.#lanes.set(head.sender, lane);
    lane.waiting.push(message);
    this.#account(lane, message.rest.length);
    if (this.#bytes > QUEUED_BYTES_MAX) {
      this.#dropOfMost();
    }
    this.#options.turns.run(lane);
  }

  #newLane(owner: string): Lane {
    const lane: Lane = { level: 'bus', owner, waiting: [], bytes: 0, step: () => this.#deliverFirst(lane) };
    return lane;
  }

  /** Whoever has the most waiting pays for all. */
  #dropOfMost(): void {
    let most: Lane | undefined;
    for (const lane of this.#lanes.values()) {
      most = most === undefined || lane.bytes > most.bytes ? lane : most;
    }
    const message = most?.waiting.pop();
    if (most !== undefined && message !== undefined) {
      this.#account(most, -message.rest.length);
      this.#refuse(message.head, `more than ${QUEUED_BYTES_MAX} bytes wait, most of them of its sender`);
    }
  }

  #deliverFirst(lane: Lane): boolean {
    const message = lane.waiting.shift();
    if (message !== undefined) {
      this.#account(lane, -message.rest.length);
      this.#deliver(message);
    }
    if (lane.waiting.length === 0) {
      this.#lanes.delete(lane.owner);
    }
    return lane.waiting.length > 0;
  }

  #account(lane: Lane, bytes: number): void {
    lane.bytes += bytes;
    this.#bytes += bytes;
  }

  #deliver(message: Checked): void {
    try {
      this.#read(message);
    } catch (error) {
      this.#refuse(message.head, `it cannot be decoded: ${reasonOf(error)}`);
    }
  }

  #refuse(head: Head | undefined, reason: string): void {
    this.#options.onDropped(reason);
    if (head !== undefined && head.type === METHOD_CALL && head.replyExpected && head.sender !== '') {
      this.#options.onRefused(head, reason);
    }
  }
}

export type InboundGuard = Pick<Inbound, 'flush'>;

/** Puts itself before the reader that dbus-next has attached to the stream. Called between that and the first message. */
export function guardInbound(stream: Duplex, options: InboundOptions): InboundGuard {
  const next = rawMessages(stream, reason => options.onDropped(reason));
  const read = stream.read.bind(stream);
  const readers = stream.listeners('readable');
  const parts: Buffer[] = [];
  // The reader asks for the fixed part of a message and then for its rest, in turn, until there is no more. Node asks for more with 0.
  stream.read = size => (size === 0 ? read(0) : (parts.shift() ?? null));
  const inbound = new Inbound(options, ({ fixed, rest }) => {
    parts.push(fixed, rest);
    try {
      for (const reader of readers) {
        Reflect.apply(reader, stream, []);
      }
    } finally {
      parts.length = 0;
    }
  });
  stream.removeAllListeners('readable');
  stream.on('readable', () => {
    for (let message = next(); message !== undefined; message = next()) {
      inbound.take(message);
    }
  });
  return inbound;
}

/** @returns gives the next message that is there as a whole; too long a one is skipped over */
function rawMessages(stream: Duplex, onDropped: (reason: string) => void): () => RawMessage | undefined {
  const read = stream.read.bind(stream);
  let fixed: Buffer | undefined;
  let skip = 0;

  /** All of it or nothing: at the end of the stream, what is left of a message is dropped with it. */
  const take = (size: number): Buffer | undefined => {
    const chunk: unknown = size === 0 ? Buffer.alloc(0) : read(size);
    return Buffer.isBuffer(chunk) && chunk.length === size ? chunk : undefined;
  };
  const skipped = (): boolean => {
    while (skip > 0) {
      const chunk: unknown = read(Math.min(skip, stream.readableLength) || undefined);
      if (!Buffer.isBuffer(chunk)) {
        return false;
      }
      skip -= chunk.length;
    }
    return true;
  };

  return () => {
    while (skipped()) {
      fixed ??= take(FIXED_BYTES);
      if (fixed === undefined) {
        return undefined;
      }
      const length = restLength(fixed);
      if (length <= MESSAGE_BYTES_MAX) {
        const rest = take(length);
        const message = rest === undefined ? undefined : { fixed, rest };
        fixed = rest === undefined ? fixed : undefined;
        return message;
      }
      fixed = undefined;
      skip = length;
      onDropped(`it has ${FIXED_BYTES + length} bytes, more than ${MESSAGE_BYTES_MAX}`);
    }
    return undefined;
  };
}
