/** Remembers which services were ended because their time was over: the commands after the end are told, and their starter saw only a signal. */
import type { LeaseEvents } from '../allocator/events.ts';
import type { UnitName } from '../core/ids.ts';
import { isOfPhase } from '../launch/plan/phases.ts';

/** If there are more, the first ones are forgotten. */
const REMEMBERED_MAX = 1_024;

export class Overtime {
  readonly #units = new Set<UnitName>();

  constructor(events: LeaseEvents) {
    events.on(['overtime'], ({ lease: { unit } }) => {
      this.#units.delete(unit);
      this.#units.add(unit);
      for (const first of this.#units.size > REMEMBERED_MAX ? this.#units : []) {
        this.#units.delete(first);
        break;
      }
    });
    events.on(['allocated'], ({ lease: { unit, description } }) => {
      // This is a start, not a command after the end.
      if (!isOfPhase(description)) {
        this.#units.delete(unit);
      }
    });
  }

  /** Whether the last start of a unit ended so, as far as this daemon knows. */
  has(unit: string): boolean {
    return this.#units.has(unit as UnitName);
  }
}
