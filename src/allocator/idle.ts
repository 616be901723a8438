/**
 * Notices when the daemon has had nothing to do for a time. Looks now and then, and once more in the tick in which it
 * says so: what has to be done about it in that tick is done by who is told.
 */
import type { Clock } from './ports.ts';

/** Looks in the time that is waited for: so much later than due may it be noticed. */
const LOOKS = 10;
const LOOK_MAX_MS = 1_000;

export interface IdleDeps {
  readonly clock: Pick<Clock, 'monotonic'>;
  /** how long nothing has to be under way, in milliseconds */
  readonly idleMs: number;
  /** whether something is under way now */
  readonly busy: () => boolean;
  /** grows with everything that is begun, so that what was over before the next look is seen */
  readonly begun: () => number;
  readonly onIdle: () => void;
}

export class IdleWatch {
  readonly #deps: IdleDeps;
  readonly #timer: NodeJS.Timeout;
  #since: number;
  #begun: number;

  constructor(deps: IdleDeps) {
    this.#deps = deps;
    this.#since = deps.clock.monotonic();
    this.#begun = deps.begun();
    this.#timer = setInterval(() => this.poll(), Math.min(deps.idleMs / LOOKS, LOOK_MAX_MS)).unref();
  }

  poll(): void {
    const { clock, idleMs, busy, begun, onIdle } = this.#deps;
    const now = clock.monotonic();
    if (busy() || begun() !== this.#begun) {
      this.#since = now;
      this.#begun = begun();
    } else if (now - this.#since >= idleMs) {
      this.stop();
      onIdle();
    }
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
