/** A client of the daemon whose calls end in time. All that can go wrong is thrown as a CommandFailure that says what to do. */
import { type Client, openClient } from '../client/client.ts';
import { socketPaths } from '../client/connection.ts';
import { DynuserError, type DynuserErrorCode } from '../client/errors.ts';
import { DIRECTORY_KINDS } from '../core/directory.ts';
import { RUNTIME_DIRECTORY_VARIABLE } from '../core/paths.ts';
import { VarlinkError } from '../varlink/errors.ts';
import { ownValue } from '../varlink/json.ts';
import { CommandFailure } from './failure.ts';
import { REPLY_TIMEOUT_MS } from './limits.ts';
import type { ProcessIo } from './process-io.ts';
import { renderJson } from './render/json.ts';
import { printable } from './render/text.ts';
import { OPTIONS_OF_PARAMETERS } from './request.ts';

/** Connects, lends the client, and closes it in the end, with all leases that last as long as it. @throws CommandFailure */
export async function withClient<T>(io: ProcessIo, use: (client: Client) => Promise<T>): Promise<T> {
  return await withSockets(io, async paths => {
    await using client = await openClient({ paths, timeoutMs: REPLY_TIMEOUT_MS, reconnect: true });
    return await use(client);
  });
}

/** Lends the sockets of the daemon to what connects by itself. @throws CommandFailure */
export async function withSockets<T>(io: ProcessIo, use: (paths: readonly string[]) => Promise<T>): Promise<T> {
  const paths = daemonSockets(io.environment);
  try {
    return await use(paths);
  } catch (error) {
    throw error instanceof DynuserError
      ? new CommandFailure(describeError(error, paths.at(-1) ?? ''), { cause: error })
      : error;
  }
}

/** @returns the socket that everybody can connect to. @throws CommandFailure if the environment names none */
export function publicSocket(environment: ProcessIo['environment']): string {
  return daemonSockets(environment).at(-1) ?? '';
}

function daemonSockets(environment: ProcessIo['environment']): readonly string[] {
  try {
    return socketPaths(undefined, environment);
  } catch (error) {
    const words = error instanceof DynuserError ? error.reason : String(error);
    throw new CommandFailure(`${RUNTIME_DIRECTORY_VARIABLE}: ${printable(words)}`, { status: 2, cause: error });
  }
}

const START = "Start it with 'systemctl start dynuserd' or 'dynuserd'";

/** By the error codes of connect(2) and path_resolution(7). */
const CONNECT_WORDS: ReadonlyMap<string, string> = new Map([
  ['ENOENT', `no such file: is it running? ${START}`],
  ['ECONNREFUSED', `the socket is there, but nobody listens on it: the daemon has ended. ${START}`],
  ['EACCES', 'permission denied: the socket should have the mode 0666, and the directories above it 0755'],
  ['ENOTDIR', 'a part of the path is not a directory: is DYNUSER_RUNTIME_DIRECTORY what you mean?'],
  ['ENOTSOCK', 'that is not a socket: is DYNUSER_RUNTIME_DIRECTORY what you mean?'],
  ['EAGAIN', 'too many programs are waiting for it: try again in a moment'],
]);

/** What went wrong between this command and the daemon, and what to do. @param path of the daemon's socket */
export function describeError(error: DynuserError, path: string): string {
  switch (error.code) {
    case 'ConnectionFailed':
      return describeLostConnection(error, path);
    case 'Timeout':
      return `dynuserd at ${printable(path)} does not answer (${printable(error.reason)}): it hangs, or the host is overloaded; see 'journalctl -u dynuserd'`;
    case 'InvalidParameter':
      return `dynuserd does not accept the parameter '${printable(error.field ?? '')}'`;
    case 'UnexpectedReply':
      return describeUnexpectedReply(error);
    default:
      return describeRefusal(error);
  }
}

function describeLostConnection(error: DynuserError, path: string): string {
  const code = systemCode(error.cause);
  const words = code === undefined ? undefined : CONNECT_WORDS.get(code);
  return words === undefined
    ? `lost dynuserd at ${printable(path)}: ${printable(error.reason)}; see 'journalctl -u dynuserd'`
    : `cannot reach dynuserd at ${printable(path)}: ${words}`;
}

function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error)) {
    return undefined;
  }
  return 'code' in error && typeof error.code === 'string' ? error.code : systemCode(error.cause);
}

/** What to do, if the daemon's own reason does not say it: by its code. */
interface Advice {
  readonly text: string;
  /** the fields of errors that it has to do with; absent: all */
  readonly fields?: readonly string[];
}

const ADVICE: ReadonlyMap<DynuserErrorCode, Advice> = new Map<DynuserErrorCode, Advice>([
  ['NotPermitted', { text: 'who may is set in /etc/dynuser/dynuserd.conf', fields: ['unit', ...directoryFields()] }],
  ['NoSuchLease', { text: "'dynuserctl show NAME' shows the leases of a user" }],
  ['RangeExhausted', { text: "'dynuserctl list' shows who holds them" }],
  ['LimitReached', { text: "'dynuserctl list' shows who holds what", fields: ['lease', 'userName'] }],
]);

function directoryFields(): string[] {
  return DIRECTORY_KINDS.map(kind => `${kind}Directory`);
}

function describeRefusal({ code, reason, field = '' }: DynuserError): string {
  const option = OPTIONS_OF_PARAMETERS.get(field);
  const words = option === undefined ? printable(reason) : `${option}: ${printable(reason)}`;
  const advice = ADVICE.get(code);
  return advice === undefined || advice.fields?.includes(field) === false ? words : `${words} (${advice.text})`;
}

function describeUnexpectedReply({ reason, cause }: DynuserError): string {
  if (!(cause instanceof VarlinkError)) {
    return `the answer cannot be understood: ${printable(reason)}; use a dynuserctl of the version of the daemon`;
  }
  const { error, parameters } = cause;
  const method = ownValue(parameters, 'method') ?? ownValue(parameters, 'interface');
  if (/^org\.varlink\.service\.(?:Method|Interface)NotFound$/.test(error) && typeof method === 'string') {
    return `dynuserd does not know ${printable(method)}: it is older than this command, or not dynuserd; restart it after an update`;
  }
  return `dynuserd answered ${printable(error)} ${renderJson(parameters, 'short').trimEnd()}`;
}
