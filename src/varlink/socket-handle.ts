/** What lies below the sockets and servers of node:net. Node keeps that to itself, so nothing else in this project looks there. */
import { closeSync, writeSync } from 'node:fs';
import { type Server, Socket } from 'node:net';
import { getSystemErrorName } from 'node:util';
import { OUTPUT_HIGH_WATER_BYTES } from './limits.ts';

/** @returns the descriptor, which stays the socket's own, or undefined if it is closed; so for a server that listens */
export function socketDescriptor(socket: Socket | Server): number | undefined {
  return descriptorOf(Reflect.get(socket, '_handle'));
}

function descriptorOf(handle: unknown): number | undefined {
  const descriptor: unknown = isObject(handle) ? Reflect.get(handle, 'fd') : undefined;
  return typeof descriptor === 'number' && descriptor >= 0 ? descriptor : undefined;
}

/** Takes what a peer sends. */
export interface SocketReader {
  /** what is read is put here; sockets may share it, since it is read before the next of them reads */
  readonly buffer: Buffer;
  /** @param length of what was read, from the start of the buffer */
  read(length: number): void;
}

/** A connection before node:net has a socket for it, which costs ten times as much as to accept and close it. */
export interface AcceptedSocket {
  readonly descriptor: number;
  /**
   * Begins to read; the descriptor is the socket's from then on. Unlike others it stops reading at once when it is paused. A peer that
   * shuts down its sending still gets its replies.
   */
  open(reader: SocketReader): Socket;
  /** Closes it instead of opening it. */
  close(): void;
}

/** @param descriptor a connected socket that nobody else closes */
export function acceptedDescriptor(descriptor: number): AcceptedSocket {
  return {
    descriptor,
    open: reader => openSocket({ fd: descriptor }, reader),
    close: () => closeSync(descriptor),
  };
}

/**
 * Has the connections of a listening server come here, before there are sockets for them. libuv 1.45 and later accepts one in each
 * turn of the event loop.
 * @param take given each, or the error of accept(2)
 * @throws Error if this Node has no such server
 */
export function takeConnections(server: Server, take: (accepted: AcceptedSocket | Error) => void): void {
  const handle: unknown = Reflect.get(server, '_handle');
  if (!isObject(handle) || typeof Reflect.get(handle, 'onconnection') !== 'function') {
    throw new Error('the server does not listen, or this Node has no handle that connections could be taken from');
  }
  Reflect.set(handle, 'onconnection', (status: number, client: unknown) => {
    const descriptor = descriptorOf(client);
    if (status !== 0 || !isObject(client) || descriptor === undefined) {
      take(new Error(`accept: ${status < 0 ? getSystemErrorName(status) : 'no connection'}`));
      return;
    }
    take({
      descriptor,
      open: reader => openSocket({ handle: client }, reader),
      close: () => {
        Reflect.apply(Reflect.get(client, 'close'), client, []);
      },
    });
  });
}

function openSocket(source: { fd: number } | { handle: object }, { buffer, read }: SocketReader): Socket {
  const onread = {
    buffer,
    callback: (length: number) => {
      read(length);
      return true;
    },
  };
  const options = { readable: true, writable: true, allowHalfOpen: true, highWaterMark: OUTPUT_HIGH_WATER_BYTES };
  // The types know `onread` for connect() alone, and `handle` not at all.
  return Reflect.construct(Socket, [{ ...source, ...options, onread }]);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

const NOTHING = Buffer.alloc(0);

/**
 * Whether the other side has closed altogether. One that has only shut down its sending looks the same to a reader, but
 * it still takes output: to write no bytes to it succeeds, and gives EPIPE if nobody can read any more (unix(7)).
 */
export function isPeerGone(socket: Socket): boolean {
  const descriptor = socketDescriptor(socket);
  if (descriptor === undefined) {
    return true;
  }
  try {
    writeSync(descriptor, NOTHING);
    return false;
  } catch {
    return true;
  }
}
