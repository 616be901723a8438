/**
 * Follows systemd's units, and tells once of each watched unit that it has ended. A signal only says which unit to ask about: systemd is always
 * asked whether it has ended, and asked again after everything that can lose a signal: a new connection, a new systemd, or a reload.
 * Without a bus or without systemd nothing is told, and nothing is lost.
 */
import type { UnitCheck, Units } from '../allocator/ports.ts';
import { reasonOf } from '../core/errors.ts';
import type { BusAccess, BusClient } from './bus.ts';
import { type BusConnection, typedValue } from './connection.ts';
import { LOOK_RETRY_MS, SYSTEMD_WAIT_MS, UNITS_PER_LOOK } from './limits.ts';
import { BusError, DRIVER, type Signal } from './message.ts';
import {
  isEnd,
  listUnits,
  MANAGER,
  type Manager,
  matchSystemd,
  PROPERTIES,
  SYSTEMD,
  subscribe,
  systemdOwner,
  type UnitRow,
  unitFullName,
} from './systemd-manager.ts';
import { WatchedUnits } from './watched-units.ts';

/** Whether units are followed now, or why not, in words a person can act on. */
export type UnitWatchState = { readonly kind: 'watching' } | { readonly kind: 'unavailable'; readonly reason: string };

export class UnitWatch implements BusClient, Units {
  readonly #bus: BusAccess;
  readonly #onTrouble: (what: string, cause: unknown) => void;
  readonly #units = new WatchedUnits();
  #connection: BusConnection | undefined;
  #manager: Manager | undefined;
  /** why there is no manager though there is a bus */
  #reason = 'systemd was not asked yet';
  /** ends the wait of each request that waits for systemd */
  readonly #waiting = new Set<() => void>();
  #looking = false;
  #retry: NodeJS.Timeout | undefined;

  /** Attaches itself to the bus. @param onTrouble told of what failed with nobody left to answer */
  constructor(bus: BusAccess, onTrouble: (what: string, cause: unknown) => void) {
    this.#bus = bus;
    this.#onTrouble = onTrouble;
    bus.attach(this);
  }

  state(): UnitWatchState {
    return this.#manager === undefined ? this.#unavailable() : { kind: 'watching' };
  }

  /**
   * Looks at one unit, for a request that would bind a lease to it. Tries to reach the bus if it is away, and waits for
   * a systemd that is; within a bound.
   * @param unit in the grammar of unit names; ".service" is added if it has no suffix
   */
  async check(unit: string): Promise<UnitCheck> {
    const name = unitFullName(unit);
    if (name === undefined) {
      return { kind: 'inactive' };
    }
    await this.#bus.ready();
    const manager = await this.#reachManager();
    if (manager === undefined) {
      return this.#unavailable();
    }
    try {
      const [row] = await listUnits(manager, [name]);
      return { kind: row === undefined || row.ended ? 'inactive' : 'active' };
    } catch (error) {
      return { kind: 'unavailable', reason: `systemd does not say how the unit ${name} is: ${reasonOf(error)}` };
    }
  }

  /**
   * Watches a unit from now on, looking at it first. Without a bus the look is made once there is one.
   * @param unit as check() takes it
   * @param onInactive called once, and never before this returns: the unit is inactive, failed or gone
   * @returns ends the watch
   */
  watch(unit: string, onInactive: () => void): () => void {
    // A name that no unit can have is watched as it is: systemd refuses it, and that is its end.
    const stop = this.#units.add(unitFullName(unit) ?? unit, onInactive);
    void this.#lookAtMarked();
    return stop;
  }

  async connected(connection: BusConnection): Promise<void> {
    this.#connection = connection;
    await matchSystemd(connection);
    await this.#adopt(connection, await systemdOwner(connection));
  }

  lost(): void {
    this.#connection = undefined;
    this.#manager = undefined;
    clearTimeout(this.#retry);
    this.#endWaits();
  }

  signal({ sender, interface: name, member, path, body }: Signal): void {
    if (sender === DRIVER && name === DRIVER && member === 'NameOwnerChanged' && body[0] === SYSTEMD) {
      const owner = body[2];
      if (this.#connection !== undefined) {
        void this.#adopt(this.#connection, typeof owner === 'string' && owner !== '' ? owner : undefined);
      }
      return;
    }
    if (this.#manager === undefined || sender !== this.#manager.systemd) {
      return;
    }
    if (name === PROPERTIES && member === 'PropertiesChanged' && mayHaveEnded(body[1])) {
      this.#units.markByKey(path);
    } else if (name === MANAGER && (member === 'JobRemoved' || member === 'UnitRemoved')) {
      // JobRemoved(u id, o job, s unit, s result), UnitRemoved(s id, o unit)
      this.#units.markByKey(String(body[member === 'JobRemoved' ? 2 : 0]));
    } else if (name === MANAGER && member === 'Reloading' && body[0] === false) {
      this.#units.markAll();
    }
    void this.#lookAtMarked();
  }

  #unavailable(): Extract<UnitWatchState, { kind: 'unavailable' }> {
    return { kind: 'unavailable', reason: this.#bus.connection === undefined ? this.#bus.reason : this.#reason };
  }

  /** @returns systemd, or undefined if there is no bus, or no systemd within SYSTEMD_WAIT_MS */
  async #reachManager(): Promise<Manager | undefined> {
    if (this.#manager === undefined && this.#connection !== undefined) {
      await new Promise<void>(resolve => {
        const end = (): void => {
          clearTimeout(timer);
          this.#waiting.delete(end);
          resolve();
        };
        const timer = setTimeout(end, SYSTEMD_WAIT_MS);
        this.#waiting.add(end);
      });
    }
    return this.#manager;
  }

  #endWaits(): void {
    for (const end of this.#waiting) {
      end();
    }
  }

  /** Takes a systemd as the one to ask; undefined: there is none on the bus. */
  async #adopt(connection: BusConnection, systemd: string | undefined): Promise<void> {
    clearTimeout(this.#retry);
    if (systemd === undefined) {
      this.#manager = undefined;
      this.#reason = 'systemd is not on the message bus: another service manager runs this host, or it is restarting';
      return;
    }
    const manager = { connection, systemd };
    this.#manager = manager;
    this.#endWaits();
    try {
      await subscribe(manager);
      this.#units.markAll();
      await this.#lookAtMarked();
    } catch (error) {
      // If it was replaced meanwhile, the next one is being adopted already.
      if (this.#manager === manager) {
        this.#manager = undefined;
        this.#reason = `systemd does not let its units be followed: ${String(error)}`;
        this.#onTrouble('systemd does not let its units be followed', error);
        this.#later(() => this.#adopt(connection, systemd));
      }
    }
  }

  /** One question at a time, each about as many units as have gathered meanwhile. Never throws. */
  async #lookAtMarked(): Promise<void> {
    if (this.#looking) {
      return;
    }
    this.#looking = true;
    for (let manager = this.#manager; manager !== undefined; manager = this.#manager) {
      const names = this.#units.takeMarked(UNITS_PER_LOOK);
      if (names.length === 0) {
        break;
      }
      const failure = await this.#ask(manager, names);
      if (failure !== undefined && this.#manager === manager) {
        this.#onTrouble('systemd does not say how its units are', failure);
        this.#later(() => this.#lookAtMarked());
        break;
      }
    }
    this.#looking = false;
  }

  /** @returns why some of the units, which are then marked again, could not be looked at */
  async #ask(manager: Manager, names: readonly string[]): Promise<Error | undefined> {
    const answer = await listUnits(manager, names).catch(asError);
    if (!(answer instanceof Error)) {
      for (const [index, name] of names.entries()) {
        this.#settle(name, answer[index]);
      }
      return undefined;
    }
    const [only = '', ...others] = names;
    if (answer instanceof BusError && others.length > 0) {
      // One name has spoiled the answer for all: each gets its own.
      let failure: Error | undefined;
      for (const name of names) {
        failure = (await this.#ask(manager, [name])) ?? failure;
      }
      return failure;
    }
    if (answer instanceof BusError && NO_UNIT.has(answer.errorName)) {
      this.#settle(only, undefined);
      return undefined;
    }
    for (const name of names) {
      this.#units.mark(name);
    }
    return answer;
  }

  #settle(name: string, row: UnitRow | undefined): void {
    for (const listener of this.#units.settle(name, row)) {
      try {
        listener();
      } catch (error) {
        this.#onTrouble(`what was to follow the end of the unit ${name} failed`, error);
      }
    }
  }

  /** Tries again, while the connection lasts. */
  #later(task: () => Promise<void>): void {
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => void task(), LOOK_RETRY_MS).unref();
  }
}

/** The errors by which systemd says that no unit has a name. */
const NO_UNIT: ReadonlySet<string> = new Set([`${SYSTEMD}.NoSuchUnit`, `${DRIVER}.Error.InvalidArgs`]);

/** Most changes of a unit leave its state alone: a look is due unless the signal itself says that the unit lives. */
function mayHaveEnded(changed: unknown): boolean {
  const state = typeof changed === 'object' && changed !== null ? Reflect.get(changed, 'ActiveState') : undefined;
  const value = typedValue(state)?.value;
  return typeof value !== 'string' || isEnd(value);
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
