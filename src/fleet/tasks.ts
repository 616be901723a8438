/** The waits and the timers of a host that is in a fleet. stop() ends all of them. */
import { reasonOf } from '../core/errors.ts';

export class Tasks {
  readonly #warn: (what: string) => void;
  readonly #waiting = new Set<() => void>();
  readonly #timers = new Map<string, NodeJS.Timeout>();
  #isStopped = false;
  #lastTrouble: string | undefined;

  constructor(warn: (what: string) => void) {
    this.#warn = warn;
  }

  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** Nobody waits any more, and nothing is done later. @returns the kinds of the tasks that were due */
  stop(): ReadonlySet<string> {
    this.#isStopped = true;
    const due = new Set(this.#timers.keys());
    for (const kind of due) {
      this.cancel(kind);
    }
    this.changed();
    return due;
  }

  /** Something has changed that somebody may wait for. */
  changed(): void {
    for (const check of [...this.#waiting]) {
      check();
    }
  }

  /** Waits until a condition holds; if a time is given, no longer than that. */
  until(isSo: () => boolean, ms?: number): Promise<void> {
    if (isSo() || this.#isStopped) {
      return Promise.resolve();
    }
    return new Promise(resolve => {
      const timer = ms === undefined ? undefined : setTimeout(() => end(), ms);
      const check = () => {
        if (isSo() || this.#isStopped) {
          end();
        }
      };
      const end = () => {
        clearTimeout(timer);
        this.#waiting.delete(check);
        resolve();
      };
      this.#waiting.add(check);
    });
  }

  sleep(ms: number): Promise<void> {
    return this.until(() => this.#isStopped, ms);
  }

  /** One timer of each kind. */
  later(kind: string, ms: number, task: () => unknown): void {
    if (this.#isStopped || this.#timers.has(kind)) {
      return;
    }
    const timer = setTimeout(() => {
      this.#timers.delete(kind);
      void this.keep(task);
    }, ms);
    timer.unref();
    this.#timers.set(kind, timer);
  }

  cancel(kind: string): void {
    clearTimeout(this.#timers.get(kind));
    this.#timers.delete(kind);
  }

  /** Runs a task whose failure is logged, and has no other effect. */
  async keep(task: () => unknown): Promise<void> {
    try {
      await task();
    } catch (error) {
      this.trouble(`what this host knows of the fleet cannot be kept: ${reasonOf(error)}`);
    }
  }

  /**
   * The same trouble is told once, until there is another.
   * @param kind what makes two troubles the same, if not their words: those may name another address each time
   */
  trouble(what: string, kind = what): void {
    if (this.#lastTrouble !== kind) {
      this.#lastTrouble = kind;
      this.#warn(what);
    }
  }

  /** What was told before is over: it is told again if it comes again. */
  recovered(): void {
    this.#lastTrouble = undefined;
  }
}
