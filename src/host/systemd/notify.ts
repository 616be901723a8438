/**
 * What the service manager is told of our state, by the protocol of sd_notify(3): one datagram of NAME=VALUE lines to
 * the socket that $NOTIFY_SOCKET names.
 */
import { attempt, hostError } from '../host-error.ts';
import { ADDRESS_BYTES_MAX, sendUnixDatagram } from '../libc/descriptor-socket.ts';

/** How long the manager's queue may be full; the protocol has no answer to wait for. */
const SEND_TIMEOUT_MS = 5_000;

/** What can be told. A status is one line for people. */
export type Notification =
  | { readonly state: 'ready'; readonly status: string }
  | { readonly state: 'reloading' }
  | { readonly state: 'reloaded' }
  | { readonly state: 'stopping' }
  | { readonly state: 'status'; readonly status: string };

/** Tells the manager; does nothing if there is none. @throws DynuserError HostFailed, LimitReached */
export type Notify = (notification: Notification) => void;

/**
 * Takes $NOTIFY_SOCKET out of the environment, so that no child speaks in our name.
 * @throws DynuserError HostFailed if its value is neither an absolute path nor an abstract name
 */
export function openNotify(environment: NodeJS.ProcessEnv): Notify {
  const socket = environment['NOTIFY_SOCKET'];
  delete environment['NOTIFY_SOCKET'];
  if (socket === undefined || socket === '') {
    return () => {};
  }
  const address = notifyAddress(socket);
  if (address === undefined || Buffer.byteLength(address) >= ADDRESS_BYTES_MAX) {
    throw hostError(new Error(`"${socket}" is not a path or abstract name of a UNIX socket`), 'NOTIFY_SOCKET');
  }
  return notification =>
    attempt(`cannot notify the service manager at ${socket}`, () =>
      sendUnixDatagram(address, encode(notification), SEND_TIMEOUT_MS),
    );
}

/** @param socket $NOTIFY_SOCKET. @returns it as connect(2) takes it; undefined if it is neither an absolute path nor an abstract name */
export function notifyAddress(socket: string): string | undefined {
  return /^[/@]./s.test(socket) ? socket.replace(/^@/, '\0') : undefined;
}

function encode(notification: Notification): string {
  switch (notification.state) {
    case 'ready':
      return `READY=1\nMAINPID=${process.pid}\n${statusLine(notification.status)}`;
    case 'reloading':
      // CLOCK_MONOTONIC in microseconds, which Type=notify-reload asks for; hrtime is that clock.
      return `RELOADING=1\nMONOTONIC_USEC=${process.hrtime.bigint() / 1_000n}\n`;
    case 'reloaded':
      return 'READY=1\n';
    case 'stopping':
      return 'STOPPING=1\n';
    case 'status':
      return statusLine(notification.status);
  }
}

/** A newline in a value would start the next assignment. */
function statusLine(status: string): string {
  return `STATUS=${status.replaceAll('\n', ' ')}\n`;
}
