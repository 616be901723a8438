/** What went wrong between this command and the daemon, in words: what, the socket, and what to do. Pure. */
import type { DynuserError, DynuserErrorCode } from '../client/errors.ts';
import { DIRECTORY_KINDS } from '../core/directory.ts';
import { VarlinkError } from '../varlink/errors.ts';
import { ownValue } from '../varlink/json.ts';
import { renderJson } from './render/json.ts';
import { printable } from './render/text.ts';

const START = "Start it with 'systemctl start dynuserd' or 'dynuserd'";

/** By the error codes of connect(2) and path_resolution(7). */
const CONNECT_WORDS: ReadonlyMap<string, string> = new Map([
  ['ENOENT', `no such file: is it running? ${START}`],
  ['ECONNREFUSED', `the socket is there, but nobody listens on it: the daemon has ended. ${START}`],
  ['EACCES', 'permission denied: the socket should have the mode 0666, and the directories above it 0755'],
  ['ENOTDIR', 'a part of the path is no directory: is DYNUSER_RUNTIME_DIRECTORY what you mean?'],
  ['ENOTSOCK', 'that is no socket: is DYNUSER_RUNTIME_DIRECTORY what you mean?'],
  ['EAGAIN', 'too many programs are waiting for it: try again in a moment'],
]);

/** @param path of the daemon's socket */
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

/** The options of this command by the parameters that they become: who typed the one knows nothing of the other. */
const OPTIONS: ReadonlyMap<string, string> = new Map([
  ['userName', '--user='],
  ['lifetime', '--lifetime='],
  ['pid', '--pid='],
  ['exposeDirectories', '--expose-directories'],
  ...directoryFields().flatMap(field => {
    const option = `--${field.replace('Directory', '-directory')}`;
    return [[field, `${option}=`] as const, [`${field}Mode`, `${option}-mode=`] as const];
  }),
]);

function directoryFields(): string[] {
  return DIRECTORY_KINDS.map(kind => `${kind}Directory`);
}

function describeRefusal({ code, reason, field = '' }: DynuserError): string {
  const option = OPTIONS.get(field);
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
