/**
 * Who calls over the bus, and whether they are still there. The bus daemon says who a caller is, by the unique name that it stamps on the
 * call. A caller is there for as long as it has that name, which the bus never gives to another.
 */
import { asGid, asPid, asUid, type Gid, OVERFLOW_ID } from '../core/ids.ts';
import { askDriver, type BusConnection, typedValue } from './connection.ts';
import { tooManyCalls } from './interface.ts';
import { CALLER_GRACE_MS, CALLS_PER_CALLER_MAX } from './limits.ts';
import { DRIVER, DRIVER_PATH, type Signal } from './message.ts';
import type { BusCaller } from './port.ts';

/** Only names that leave the bus: those that come do not matter. */
const MATCH_RULE = `type='signal',sender='${DRIVER}',path='${DRIVER_PATH}',interface='${DRIVER}',member='NameOwnerChanged',arg2=''`;

interface Presence {
  /** calls under way */
  calls: number;
  gone: boolean;
  readonly listeners: Set<() => void>;
}

export class Callers {
  readonly #onTrouble: (what: string, cause: unknown) => void;
  /** those with a call under way or with somebody who waits for their end */
  readonly #present = new Map<string, Presence>();
  #connection: BusConnection | undefined;
  /** the request for signals, made on this connection at the first need */
  #matched: Promise<unknown> | undefined;
  /** tells a bus from another that took its place, on which the same names are others' */
  #busId: string | undefined;
  #grace: NodeJS.Timeout | undefined;

  constructor(onTrouble: (what: string, cause: unknown) => void) {
    this.#onTrouble = onTrouble;
  }

  /** Takes a new connection. On another bus than before nobody is there any more. */
  async connected(connection: BusConnection): Promise<void> {
    this.#connection = connection;
    this.#matched = undefined;
    const [id] = await askDriver(connection, 'GetId');
    if (id !== this.#busId) {
      this.#leaveAll();
    }
    this.#busId = String(id);
    clearTimeout(this.#grace);
  }

  /** Finds out who has left a bus while we were not connected to it. */
  async verify(connection: BusConnection): Promise<void> {
    if (this.#present.size > 0) {
      await this.#match(connection);
    }
    for (const name of [...this.#present.keys()]) {
      const [there] = await askDriver(connection, 'NameHasOwner', 's', name);
      if (there === false) {
        this.#leave(name);
      }
    }
  }

  lost(): void {
    this.#connection = undefined;
    clearTimeout(this.#grace);
    this.#grace = setTimeout(() => this.#leaveAll(), CALLER_GRACE_MS).unref();
  }

  signal({ sender, interface: name, member, body }: Signal): void {
    if (sender === DRIVER && name === DRIVER && member === 'NameOwnerChanged' && body[2] === '') {
      this.#leave(String(body[0]));
    }
  }

  /** Ends all waits without a word, when the daemon stops. */
  close(): void {
    clearTimeout(this.#grace);
    this.#present.clear();
  }

  /**
   * Lets a task run on behalf of a caller.
   * @param name the unique name that the bus stamped on the call
   * @throws CallRefused if CALLS_PER_CALLER_MAX of it are under way; Error if the bus does not say who that is; what the task throws
   */
  async during<Result>(name: string, task: (caller: BusCaller) => Promise<Result>): Promise<Result> {
    const connection = this.#connection;
    if (connection === undefined) {
      throw new Error('the message bus is away');
    }
    const presence = this.#present.get(name) ?? { calls: 0, gone: false, listeners: new Set() };
    if (presence.calls >= CALLS_PER_CALLER_MAX) {
      throw tooManyCalls();
    }
    this.#present.set(name, presence);
    presence.calls++;
    try {
      // In this order: once the bus has said who it is, the end of its name can no longer be missed.
      await this.#match(connection);
      const credentials = await readCredentials(connection, name);
      return await task({
        ...credentials,
        get closed() {
          return presence.gone;
        },
        onClose: listener => this.#onClose(name, presence, listener),
      });
    } finally {
      presence.calls--;
      this.#forgetIdle(name, presence);
    }
  }

  #onClose(name: string, presence: Presence, listener: () => void): () => void {
    // Two waits with one function are two waits.
    const wait = (): void => listener();
    if (presence.gone) {
      wait();
      return () => {};
    }
    presence.listeners.add(wait);
    return () => {
      presence.listeners.delete(wait);
      this.#forgetIdle(name, presence);
    };
  }

  #match(connection: BusConnection): Promise<unknown> {
    this.#matched ??= askDriver(connection, 'AddMatch', 's', MATCH_RULE).catch((error: unknown) => {
      // The next call asks again.
      this.#matched = undefined;
      throw error;
    });
    return this.#matched;
  }

  #forgetIdle(name: string, presence: Presence): void {
    if (presence.calls === 0 && presence.listeners.size === 0 && this.#present.get(name) === presence) {
      this.#present.delete(name);
    }
  }

  #leaveAll(): void {
    for (const name of [...this.#present.keys()]) {
      this.#leave(name);
    }
  }

  #leave(name: string): void {
    const presence = this.#present.get(name);
    if (presence === undefined) {
      return;
    }
    this.#present.delete(name);
    presence.gone = true;
    for (const listener of presence.listeners) {
      try {
        listener();
      } catch (error) {
        this.#onTrouble(`what was to follow the end of the caller ${name} failed`, error);
      }
    }
  }
}

/** GetConnectionCredentials (D-Bus specification): all of an identity in one answer, as it was when the caller connected. */
async function readCredentials(
  connection: BusConnection,
  name: string,
): Promise<Pick<BusCaller, 'uid' | 'gid' | 'groups' | 'pid'>> {
  const [answer] = await askDriver(connection, 'GetConnectionCredentials', 's', name);
  const value = (key: string): unknown =>
    typeof answer === 'object' && answer !== null ? typedValue(Reflect.get(answer, key))?.value : undefined;
  const uid = asUid(Number(value('UnixUserID') ?? Number.NaN));
  if (uid === undefined) {
    throw new Error(`the message bus does not say which user ${name} is`);
  }
  const listed = value('UnixGroupIDs');
  const groups: Gid[] = (Array.isArray(listed) ? listed : []).map(Number).flatMap(gid => asGid(gid) ?? []);
  // A bus may tell no groups.
  const gid = groups[0] ?? (OVERFLOW_ID as Gid);
  return { uid, gid, groups, pid: asPid(Number(value('ProcessID') ?? Number.NaN)) };
}
