/** What systemd says of a unit, and what that means for a lease that is bound to it: pure. */

/** One row of Manager.ListUnitsByNames (org.freedesktop.systemd1(5)), as far as it matters here. */
export interface UnitRow {
  /** the unit's primary name, which is another than the one asked for where that is an alias */
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
 * Only two states are an end. "activating" is none: the user is acquired before the unit's own program runs. Nor is an
 * inactive unit with a job in the queue: it is about to be started, or is between the two halves of a restart.
 */
export function readUnitRow(row: unknown): UnitRow | undefined {
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
