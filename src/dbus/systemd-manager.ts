/** What systemd's manager is asked (org.freedesktop.systemd1(5)), and what its answers mean for a lease that is bound to a unit. */
import { askDriver, type BusConnection } from './connection.ts';
import { BusError, DRIVER, DRIVER_PATH } from './message.ts';

export const SYSTEMD = 'org.freedesktop.systemd1';
export const MANAGER = `${SYSTEMD}.Manager`;
const UNIT = `${SYSTEMD}.Unit`;
export const PROPERTIES = 'org.freedesktop.DBus.Properties';
const MANAGER_PATH = '/org/freedesktop/systemd1';

/** One rule for all units: the bus allows a connection 512 of them (dbus-daemon(1), max_match_rules_per_connection). */
const MATCH_RULES: readonly string[] = [
  `type='signal',sender='${DRIVER}',path='${DRIVER_PATH}',interface='${DRIVER}',member='NameOwnerChanged',arg0='${SYSTEMD}'`,
  ...['JobRemoved', 'UnitRemoved', 'Reloading'].map(
    member => `type='signal',sender='${SYSTEMD}',path='${MANAGER_PATH}',interface='${MANAGER}',member='${member}'`,
  ),
  `type='signal',sender='${SYSTEMD}',path_namespace='${MANAGER_PATH}/unit',interface='${PROPERTIES}',member='PropertiesChanged',arg0='${UNIT}'`,
];

export interface Manager {
  readonly connection: BusConnection;
  /** systemd's unique name: what anybody else sends in its name is not heard */
  readonly systemd: string;
}

/** Asks the bus for the signals of systemd, and for word of its coming and going. */
export async function matchSystemd(connection: BusConnection): Promise<void> {
  await Promise.all(MATCH_RULES.map(rule => askDriver(connection, 'AddMatch', 's', rule)));
}

/** @returns systemd's unique name, or undefined if it is not on the bus */
export async function systemdOwner(connection: BusConnection): Promise<string | undefined> {
  try {
    const [owner] = await askDriver(connection, 'GetNameOwner', 's', SYSTEMD);
    return typeof owner === 'string' ? owner : undefined;
  } catch (error) {
    if (error instanceof BusError && error.errorName === `${DRIVER}.Error.NameHasNoOwner`) {
      return undefined;
    }
    throw error;
  }
}

/** Makes systemd send the signals of its units: it is silent until somebody subscribes. */
export async function subscribe(manager: Manager): Promise<void> {
  try {
    await ask(manager, 'Subscribe');
  } catch (error) {
    // A subscription outlives daemon-reexec.
    if (!(error instanceof BusError && error.errorName === `${SYSTEMD}.AlreadySubscribed`)) {
      throw error;
    }
  }
}

/**
 * Looks at units, loading those that are not loaded.
 * @param names at most UNITS_PER_LOOK full names
 * @returns a row for each, in their order
 * @throws BusError if systemd refuses one of them; Error if it does not answer
 */
export async function listUnits(manager: Manager, names: readonly string[]): Promise<readonly UnitRow[]> {
  const [rows] = await ask(manager, 'ListUnitsByNames', 'as', names);
  const units = Array.isArray(rows) ? rows.map(readUnitRow).filter(row => row !== undefined) : [];
  if (units.length !== names.length) {
    throw new Error(`systemd was asked about ${names.length} units and told of ${units.length}`);
  }
  return units;
}

function ask({ connection, systemd }: Manager, member: string, signature = '', ...body: readonly unknown[]) {
  return connection.call({ destination: systemd, path: MANAGER_PATH, interface: MANAGER, member, signature, body });
}

/** One row of Manager.ListUnitsByNames (org.freedesktop.systemd1(5)), as far as it matters here. */
export interface UnitRow {
  /** the unit's primary name, which is not the one asked for if that is an alias */
  readonly id: string;
  readonly path: string;
  readonly ended: boolean;
}

const SUFFIX = /\.(?:service|socket|mount|swap|slice|scope|timer|path|target|device|automount)$/;

/**
 * @param unit a name in the grammar of unit names, with or without a suffix
 * @returns the name as systemd knows it, or undefined if no unit can have it: a template without an instance, or one
 *   that is too long (systemd.unit(5))
 */
export function unitFullName(unit: string): string | undefined {
  const name = SUFFIX.test(unit) ? unit : `${unit}.service`;
  return /^[^@]+(?:@.+)?\.[a-z]+$/.test(name) && !/@\.[a-z]+$/.test(name) && name.length <= 255 ? name : undefined;
}

/**
 * Only two states are an end. "activating" is not one: the user is acquired before the unit's own program runs. Nor is an
 * inactive unit with a job in the queue: it is about to be started, or is between the two halves of a restart.
 */
function readUnitRow(row: unknown): UnitRow | undefined {
  if (!Array.isArray(row)) {
    return undefined;
  }
  const [id, , , active, , , path, job]: readonly unknown[] = row;
  if (typeof id !== 'string' || typeof active !== 'string' || typeof path !== 'string' || typeof job !== 'number') {
    return undefined;
  }
  return { id, path, ended: isEnd(active) && job === 0 };
}

/** @param activeState the property ActiveState of a unit */
export function isEnd(activeState: string): boolean {
  return activeState === 'inactive' || activeState === 'failed';
}
