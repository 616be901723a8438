/** What went wrong between this command and the daemon, in words: what, where, and what to do. Pure. */
import type { VarlinkError } from '../varlink/errors.ts';
import { ownValue } from '../varlink/json.ts';
import { renderJson } from './render/json.ts';
import { printable } from './render/text.ts';

/** The daemon did not answer in time. */
export class DaemonTimeout extends Error {
  override readonly name = 'DaemonTimeout';
  /** @param milliseconds how long it was waited for */
  constructor(milliseconds: number) {
    super(`no answer within ${milliseconds / 1_000} s`);
  }
}

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

/** @param cause what the client threw where it got no reply */
export function describeTransportTrouble(cause: unknown, path: string): string {
  const where = `dynuserd at ${printable(path)}`;
  if (cause instanceof DaemonTimeout) {
    return `${where} gave ${cause.message}: it hangs, or the host is overloaded. See 'journalctl -u dynuserd'`;
  }
  const code = systemCode(cause);
  const words = code === undefined ? undefined : CONNECT_WORDS.get(code);
  if (words !== undefined) {
    return `cannot reach ${where}: ${words}`;
  }
  const message = cause instanceof Error ? cause.message : String(cause);
  return `lost ${where}: ${printable(message)}. See 'journalctl -u dynuserd'`;
}

function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error)) {
    return undefined;
  }
  return 'code' in error && typeof error.code === 'string' ? error.code : systemCode(error.cause);
}

/** What to do, if the daemon's own reason does not say it: by the error's name within io.dynuser.Allocator. */
interface Advice {
  readonly text: string;
  /** the fields of errors that it has to do with; absent: all */
  readonly fields?: readonly string[];
}

const ADVICE: ReadonlyMap<string, Advice> = new Map<string, Advice>([
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
  return ['runtime', 'state', 'cache', 'logs'].map(kind => `${kind}Directory`);
}

const OURS = 'io.dynuser.Allocator.';
const VARLINK = 'org.varlink.service.';

/** @param method the qualified name of the method that was called */
export function describeErrorReply(reply: VarlinkError, method: string): string {
  const { error, parameters } = reply;
  const reason = ownValue(parameters, 'reason');
  if (error.startsWith(OURS) && typeof reason === 'string') {
    const given = ownValue(parameters, 'field');
    const field = typeof given === 'string' ? given : '';
    const option = OPTIONS.get(field);
    const words = option === undefined ? printable(reason) : `${option}: ${printable(reason)}`;
    const advice = adviceFor(error.slice(OURS.length), field, method);
    return advice === undefined ? words : `${words} (${advice})`;
  }
  const parameter = ownValue(parameters, 'parameter');
  if (error === `${VARLINK}InvalidParameter` && typeof parameter === 'string') {
    return `dynuserd does not accept the parameter '${printable(parameter)}' of ${method}`;
  }
  if (error === `${VARLINK}MethodNotFound` || error === `${VARLINK}InterfaceNotFound`) {
    return `dynuserd does not know ${method}: it is older than this command, or not dynuserd. Restart it after an update`;
  }
  return `${method}: dynuserd answered ${printable(error)} ${renderJson(parameters, 'short').trimEnd()}`;
}

function adviceFor(error: string, field: string, method: string): string | undefined {
  const advice = ADVICE.get(error);
  // Who may release is not configured: the owner may, and root.
  const fits = !(error === 'NotPermitted' && method === `${OURS}Release`) && (advice?.fields?.includes(field) ?? true);
  return fits ? advice?.text : undefined;
}
