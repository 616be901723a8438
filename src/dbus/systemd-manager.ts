/** The questions that are asked of systemd's manager (org.freedesktop.systemd1(5)); what it says is checked here. */
import { askDriver, type BusConnection } from './connection.ts';
import { BusError, DRIVER, DRIVER_PATH } from './message.ts';
import { readUnitRow, type UnitRow } from './unit-state.ts';

export const SYSTEMD = 'org.freedesktop.systemd1';
export const MANAGER = `${SYSTEMD}.Manager`;
export const UNIT = `${SYSTEMD}.Unit`;
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
export async function subscribe(connection: BusConnection, systemd: string): Promise<void> {
  try {
    await connection.call({ destination: systemd, path: MANAGER_PATH, interface: MANAGER, member: 'Subscribe' });
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
 * @throws BusError if systemd refuses one of them; Error where it does not answer
 */
export async function listUnits(
  connection: BusConnection,
  systemd: string,
  names: readonly string[],
): Promise<readonly UnitRow[]> {
  const [rows] = await connection.call({
    destination: systemd,
    path: MANAGER_PATH,
    interface: MANAGER,
    member: 'ListUnitsByNames',
    signature: 'as',
    body: [names],
  });
  const units = Array.isArray(rows) ? rows.map(readUnitRow).filter(row => row !== undefined) : [];
  if (units.length !== names.length) {
    throw new Error(`systemd was asked about ${names.length} units and told of ${units.length}`);
  }
  return units;
}
