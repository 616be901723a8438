/** Calls of dynuser-fleetd, which end in time. All that can go wrong is thrown as a CommandFailure that says what to do. */
import { FLEET_INTERFACE } from '../../api/generated/io-dynuser-fleet.ts';
import { COMPANION_SOCKET } from '../../core/paths.ts';
import { ClientInterfaces, connect, type VarlinkClient } from '../../varlink/client.ts';
import { ConnectionError, VarlinkError } from '../../varlink/errors.ts';
import { type JsonObject, ownValue } from '../../varlink/json.ts';
import { CommandFailure } from '../failure.ts';
import { COMPANION_TIMEOUT_MS, FLEET_REPLIES_MAX } from '../limits.ts';
import { renderJson } from '../render/json.ts';
import { printable } from '../render/text.ts';

const INTERFACE = 'io.dynuser.Fleet';

export interface Companion {
  /** @template Reply the generated type of the method's reply. @throws CommandFailure */
  call<Reply>(method: string, parameters?: JsonObject): Promise<Reply>;
  /** @returns all replies. @throws CommandFailure */
  list<Reply>(method: string, parameters?: JsonObject): Promise<Reply[]>;
}

/** Connects, lends the companion, and closes the connection in the end. @throws CommandFailure */
export async function withCompanion<T>(
  use: (companion: Companion) => Promise<T>,
  path: string = COMPANION_SOCKET,
): Promise<T> {
  try {
    const client = await connect(path, { timeoutMs: COMPANION_TIMEOUT_MS, interfaces: INTERFACES });
    try {
      return await use({
        // The connection has checked the reply against the text that the type was made from.
        call: async <Reply>(method: string, parameters: JsonObject = {}) =>
          (await client.call(`${INTERFACE}.${method}`, parameters)) as Reply,
        list: <Reply>(method: string, parameters: JsonObject = {}) => listAll<Reply>(client, method, parameters),
      });
    } finally {
      client.close();
    }
  } catch (error) {
    throw error instanceof VarlinkError || error instanceof ConnectionError
      ? new CommandFailure(describeFleetError(error, path), { cause: error })
      : error;
  }
}

/** A newer companion may say more. */
const INTERFACES = new ClientInterfaces([FLEET_INTERFACE], 'drop');

async function listAll<Reply>(client: VarlinkClient, method: string, parameters: JsonObject): Promise<Reply[]> {
  const replies: Reply[] = [];
  let late = false;
  // Leaving a stream closes the connection. So does the timer, if no further reply comes in time.
  let timer: NodeJS.Timeout | undefined;
  const restart = () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      late = true;
      client.close();
    }, COMPANION_TIMEOUT_MS);
  };
  restart();
  try {
    for await (const reply of client.stream(`${INTERFACE}.${method}`, parameters)) {
      replies.push(reply as Reply);
      if (replies.length > FLEET_REPLIES_MAX) {
        throw new CommandFailure(`dynuser-fleetd gives more than ${FLEET_REPLIES_MAX} replies: that cannot be right`);
      }
      restart();
    }
    return replies;
  } catch (error) {
    throw late
      ? new CommandFailure(`dynuser-fleetd gives no reply to ${method}; see its log`, { cause: error })
      : error;
  } finally {
    clearTimeout(timer);
  }
}

const START = "start it with 'systemctl start dynuser-fleetd', or as docs/fleet.md says";

/** By the error codes of connect(2). */
const CONNECT_WORDS: ReadonlyMap<string, string> = new Map([
  ['ENOENT', `it does not run; ${START}`],
  ['ECONNREFUSED', `it has ended; ${START}`],
  ['EACCES', 'only root can; run this as root'],
]);

/** @returns what went wrong between this command and the companion, and what to do */
export function describeFleetError(error: VarlinkError | ConnectionError, path: string): string {
  if (error instanceof ConnectionError) {
    const cause = error.cause;
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
    const words = CONNECT_WORDS.get(code) ?? `${printable(error.message)}; see its log`;
    return `dynuser-fleetd cannot be reached at ${printable(path)}: ${words}`;
  }
  const name = error.error.startsWith(`${INTERFACE}.`) ? error.error.slice(INTERFACE.length + 1) : '';
  const words = Object.hasOwn(WORDS, name) ? WORDS[name]?.(error.parameters) : undefined;
  return (
    words ?? `dynuser-fleetd answered ${printable(error.error)} ${renderJson(error.parameters, 'short').trimEnd()}`
  );
}

/** @returns a field of an error, printable; of a list all that is in it */
function text(said: JsonObject, field: string): string {
  const values = [ownValue(said, field)].flat().filter(each => typeof each === 'string' || typeof each === 'number');
  return values.map(each => printable(String(each))).join(', ');
}

/** The errors of io.dynuser.Fleet that an operator can meet. */
const WORDS: Readonly<Record<string, (said: JsonObject) => string>> = {
  NotPermitted: said => `only root may use a fleet: ${text(said, 'reason')}; run this as root`,
  StoreUnavailable: said => `the store of the fleet does not answer: ${text(said, 'reason')}`,
  NoFleet: said =>
    `the store has no fleet "${text(said, 'fleet')}"; 'dynuserctl fleet create' makes it, once for all hosts`,
  FleetExists: said =>
    `the fleet is there already, with the UIDs ${text(said, 'ranges')}; set FleetUidRange= to these on every host`,
  RangesDiffer: said => `the fleet has the UIDs ${text(said, 'ranges')}; set FleetUidRange= to these in dynuserd.conf`,
  HostAlive: said =>
    `another machine with the machine-id of this one is a member and alive (${text(said, 'hostName')}); give one of them a new machine-id, see machine-id(5)`,
  NotMember: () => "this host is not a member of the fleet; 'dynuserctl fleet check' says why",
  Restoring: () =>
    "the store was restored from a backup; see 'dynuserctl fleet hosts' for who has not put its bindings again, then 'dynuserctl fleet resume'",
  NotRestored: said => {
    const [hosts, conflicts] = [text(said, 'hosts'), text(said, 'conflicts')];
    const words = [
      hosts &&
        `not all hosts have put their bindings again: ${hosts} ('dynuserctl fleet hosts' shows their names); start dynuserd and dynuser-fleetd there, or give up a host that does not come back ('dynuserctl fleet forget-host')`,
      conflicts &&
        `the store and hosts differ about names: ${conflicts}; free those that no host holds ('dynuserctl fleet gc'), and restart dynuserd there`,
    ];
    return words.filter(each => each !== '').join('. Also, ');
  },
  DirectoryOfAnother: said => `the directory belongs to ${text(said, 'name')}`,
  NoSuchHost: said => `the fleet has no host ${text(said, 'host')}; 'dynuserctl fleet hosts' shows all`,
  InvalidParameter: said => `${text(said, 'field')}: ${text(said, 'reason')}`,
};
