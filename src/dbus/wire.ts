/**
 * Opens a dbus-next connection, with what the library leaves to its user: a bound on the time, a guard on what comes in,
 * and a view of the stream, since it tells nobody when its connection ends. Knows nothing of messages.
 */
import { EventEmitter } from 'node:events';
import { Duplex } from 'node:stream';
import { type MessageBus, sessionBus } from '@jellybrick/dbus-next';
import { guardInbound, type InboundGuard, type InboundOptions } from './inbound-guard.ts';
import { OPEN_TIMEOUT_MS } from './limits.ts';

export interface Wire {
  readonly bus: MessageBus;
  /** its 'close' is the end of the connection */
  readonly stream: Duplex;
  readonly guard: InboundGuard;
}

/**
 * Connects, authenticates by the kernel's credentials alone, and says Hello.
 * @param socket the path of the bus's socket, one that address.ts let through
 * @param inbound how what comes in is read, and who is told of what is not
 * @throws Error that says why there is no connection, within OPEN_TIMEOUT_MS
 */
export async function openWire(socket: string, inbound: InboundOptions): Promise<Wire> {
  // Of the library's two functions for whatever bus, this is the one that takes an address.
  const bus = sessionBus({ busAddress: `unix:path=${socket}`, authMethods: ['EXTERNAL'] });
  const connection = connectionOf(bus);
  // The library's types leave its "error" event out.
  const errors: EventEmitter = bus;
  let open = false;
  let guard: InboundGuard | undefined;
  const opened = new Promise<Duplex>((resolve, reject) => {
    // A listener for errors has to stay for good: what nobody listens to would end the daemon.
    errors.on('error', (error: unknown) => {
      const words = error instanceof Error ? error.message : String(error);
      return open ? inbound.onDropped(words) : reject(new Error(words));
    });
    connection.once('end', () => reject(new Error('it closed the connection')));
    connection.once('connect', () => {
      // The library attaches its reader right after this event, and nothing is read before the next tick.
      process.nextTick(() => {
        const stream = streamOf(connection);
        if (stream !== undefined) {
          guard = guardInbound(stream, inbound);
        }
      });
    });
    bus.once('connect', () => {
      const stream = streamOf(connection);
      return stream === undefined ? reject(new Error('dbus-next has no stream')) : resolve(stream);
    });
  });
  try {
    const stream = await within(OPEN_TIMEOUT_MS, opened);
    open = true;
    if (guard === undefined) {
      throw new Error('dbus-next has no reader');
    }
    return { bus, stream, guard };
  } catch (error) {
    streamOf(connection)?.destroy();
    const words = error instanceof Error ? error.message : String(error);
    throw new Error(`cannot use the message bus at ${socket}: ${words}`);
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

/** The library has these, and does not declare them: looked up by name, and believed for what they are found to be. */
function connectionOf(bus: MessageBus): EventEmitter {
  const connection: unknown = Reflect.get(bus, '_connection');
  if (!(connection instanceof EventEmitter)) {
    throw new Error('this dbus-next has no connection that could be watched');
  }
  return connection;
}

function streamOf(connection: EventEmitter): Duplex | undefined {
  const stream: unknown = Reflect.get(connection, 'stream');
  return stream instanceof Duplex ? stream : undefined;
}
