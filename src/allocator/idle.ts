/**
 * Notices when the daemon has had nothing to do for a time, by polling. The last poll is in the tick of the callback,
 * which must do its work in the same tick.
 */
import type { Clock } from './ports.ts';

/** Polls in the time that is waited for: idleness is noticed by at most one interval too late. */
const POLLS = 10;
const POLL_MAX_MS = 1_000;

export interface IdleDeps {
  readonly clock: Pick<Clock, 'monotonic'>;
  /** how long nothing has to be under way, in milliseconds */
  readonly idleMs: number;
  /** whether something is under way now */
  readonly busy: () => boolean;
  /** grows with everything that begins, so that work between two polls is noticed */
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
    this.#timer = setInterval(() => this.poll(), Math.min(deps.idleMs / POLLS, POLL_MAX_MS)).unref();
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
