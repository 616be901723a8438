/**
 * One connection to a message bus: calls have a deadline, calls and signals that come in say who sent them, and the end is told once. It
 * knows no interface, and bus.ts opens it again.
 */
import type { EventEmitter } from 'node:events';
import type { Duplex } from 'node:stream';
import { DBusError, Message, MessageFlag, MessageType, sessionBus, Variant } from '@jellybrick/dbus-next';
import { reasonOf } from '../core/errors.ts';
import { guardInbound, type InboundGuard, type InboundOptions } from './inbound-guard.ts';
import { CALL_TIMEOUT_MS, OPEN_TIMEOUT_MS, OUTPUT_BYTES_MAX } from './limits.ts';
import {
  BusError,
  DRIVER,
  DRIVER_PATH,
  type IncomingCall,
  type Question,
  type Signal,
  type TypedValue,
} from './message.ts';
import type { BusTurns } from './port.ts';

/** What happens on a connection. None of these may throw. */
export interface ConnectionEvents {
  signal(signal: Signal): void;
  call(call: IncomingCall): void;
  /** the connection is gone; told once, and not after close() */
  lost(reason: string): void;
  /** a message was not read; the connection stays */
  dropped(reason: string): void;
}

export interface BusConnection {
  /** @returns the body of the answer. @throws BusError if it is an error; Error if there is none in time */
  call(question: Question): Promise<readonly unknown[]>;
  /** Sends signals to whoever listens, in one write; nothing if the connection is gone. */
  emit(signals: readonly Omit<Signal, 'sender'>[]): void;
  /** Has everything told that came in and waits for the turn of its sender. */
  flush(): void;
  close(): void;
}

/** All messages are told at once, however many they are. */
const AT_ONCE: BusTurns = {
  run: task => {
    while (task.step()) {
      // One message after the other.
    }
  },
};

/**
 * @param socket the path of the bus's socket, from systemBusSocket()
 * @param turns when calls and signals are told
 * @throws Error that says why there is no connection, within a bound
 */
export async function openConnection(
  socket: string,
  events: ConnectionEvents,
  turns: BusTurns = AT_ONCE,
): Promise<BusConnection> {
  // Before the connection is open there is nobody to answer to.
  let refuse = (_answer: Message): unknown => undefined;
  const { bus, stream, guard } = await openWire(socket, {
    turns,
    onDropped: reason => events.dropped(reason),
    onRefused: (call, reason) => refuse(refusal(call, reason)),
  });
  if (stream.destroyed) {
    throw new Error(`the message bus at ${socket} closed the connection`);
  }
  const waiting = new Set<(reason: string) => void>();
  let over = false;

  const end = (reason: string): boolean => {
    if (over) {
      return false;
    }
    over = true;
    stream.destroy();
    for (const giveUp of waiting) {
      giveUp(reason);
    }
    return true;
  };
  const lose = (reason: string): void => {
    if (end(reason)) {
      events.lost(reason);
    }
  };
  const send = (message: Message): boolean => {
    if (over || !stream.writable) {
      return false;
    }
    bus.send(message);
    if (stream.writableLength > OUTPUT_BYTES_MAX) {
      lose('the message bus does not take what it is sent');
    }
    return !over;
  };

  refuse = send;
  stream.once('close', () => lose('the message bus closed the connection'));
  bus.on('message', message => {
    if (!over && message.type === MessageType.SIGNAL) {
      events.signal(message);
    }
  });
  // Ours is asked first and always answers, so that the library's own objects and their errors are never reached.
  bus.addMethodHandler(message => {
    if (!over) {
      events.call(incomingCall(message, send));
    }
    return true;
  });

  return {
    async call(question) {
      if (over) {
        throw new Error('the connection to the message bus is gone');
      }
      let giveUp = (_reason: string): void => {};
      const noAnswer = new Promise<never>((_, reject) => {
        giveUp = reason => reject(new Error(`${question.member}: ${reason}`));
      });
      const timer = setTimeout(giveUp, CALL_TIMEOUT_MS, `no answer within ${CALL_TIMEOUT_MS / 1_000} s`);
      waiting.add(giveUp);
      try {
        const answer = await Promise.race([bus.call(toMessage(question)), noAnswer]);
        // Buses with a lax policy deliver answers that were never asked for.
        if (answer?.sender !== question.destination) {
          throw new Error(`${question.member}: the answer came from somebody else`);
        }
        return answer.body;
      } catch (error) {
        throw error instanceof DBusError ? new BusError(error.type, error.text) : error;
      } finally {
        clearTimeout(timer);
        waiting.delete(giveUp);
      }
    },
    emit(signals) {
      stream.cork();
      for (const { path, interface: name, member, signature, body } of signals) {
        send(Message.newSignal(path, name, member, signature, [...body]));
      }
      stream.uncork();
    },
    flush() {
      guard.flush();
    },
    close() {
      end('the connection was closed');
    },
  };
}

/**
 * Connects, authenticates by the kernel's credentials alone, and says Hello, with what the library leaves to its user: a
 * bound on the time, a guard on what comes in, and a view of the stream, whose 'close' is the end of the connection.
 * @throws Error that says why there is no connection, within OPEN_TIMEOUT_MS
 */
async function openWire(socket: string, inbound: InboundOptions) {
  // Of the library's two functions for whatever bus, this is the one that takes an address.
  const bus = sessionBus({ busAddress: `unix:path=${socket}`, authMethods: ['EXTERNAL'] });
  // The library has this, and does not declare it, nor its own "error" event.
  const connection: EventEmitter & { readonly stream?: Duplex } = Reflect.get(bus, '_connection');
  const errors: EventEmitter = bus;
  let open = false;
  let guard: InboundGuard | undefined;
  const opened = new Promise<void>((resolve, reject) => {
    // A listener for errors has to stay for good: what nobody listens to would end the daemon.
    errors.on('error', (error: unknown) => {
      const isOfStream = error instanceof Error && 'syscall' in error;
      if (!open) {
        reject(error);
      } else if (!isOfStream) {
        inbound.onDropped(reasonOf(error));
      }
      // After an error of the stream it closes, and that is told.
    });
    connection.once('end', () => reject(new Error('it closed the connection')));
    connection.once('connect', () => {
      // The library attaches its reader right after this event, and nothing is read before the next tick.
      process.nextTick(() => {
        guard = connection.stream && guardInbound(connection.stream, inbound);
      });
    });
    bus.once('connect', () => resolve());
  });
  try {
    await within(OPEN_TIMEOUT_MS, opened);
    open = true;
    const { stream } = connection;
    if (stream === undefined || guard === undefined) {
      throw new Error('dbus-next has no reader');
    }
    return { bus, stream, guard };
  } catch (error) {
    connection.stream?.destroy();
    throw new Error(`cannot use the message bus at ${socket}: ${reasonOf(error)}`);
  }
}

/** @throws Error if the promise does not resolve in time */
async function within<Value>(milliseconds: number, promise: Promise<Value>): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${milliseconds / 1_000} s`)), milliseconds);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Asks the bus itself. */
export function askDriver(
  connection: BusConnection,
  member: string,
  signature = '',
  ...body: readonly unknown[]
): Promise<readonly unknown[]> {
  return connection.call({ destination: DRIVER, path: DRIVER_PATH, interface: DRIVER, member, signature, body });
}

/** @returns the type and the value of a variant that came in, or undefined if the value is not one */
export function typedValue(value: unknown): TypedValue | undefined {
  return value instanceof Variant ? value : undefined;
}

function toMessage({ destination, path, interface: name, member, signature = '', body = [] }: Question): Message {
  // Whoever is asked is there already: a question must not start a service.
  const flags = MessageFlag.NO_AUTO_START;
  return new Message({ destination, path, interface: name, member, signature, body: [...body], flags });
}

/** The answer to a call that was not decoded: a caller without one would wait for it. */
function refusal({ sender, serial }: { readonly sender: string; readonly serial: number }, reason: string): Message {
  const type = MessageType.ERROR;
  const errorName = `${DRIVER}.Error.LimitsExceeded`;
  const body = [`the message was not read: ${reason}`];
  return new Message({ type, errorName, destination: sender, replySerial: serial, signature: 's', body });
}

function incomingCall(message: Message, send: (message: Message) => boolean): IncomingCall {
  const answerWanted = (message.flags & MessageFlag.NO_REPLY_EXPECTED) === 0;
  const answer = (make: () => Message): boolean => answerWanted && send(make());
  return {
    sender: message.sender,
    path: message.path,
    interface: message.interface,
    member: message.member,
    signature: message.signature,
    body: message.body,
    answerWanted,
    reply: (signature, body) => answer(() => Message.newMethodReturn(message, signature, [...body])),
    // A string of D-Bus cannot hold a NUL.
    fail: (error, reason) => {
      answer(() => Message.newError(message, error, reason.replaceAll('\0', '\ufffd')));
    },
  };
}
