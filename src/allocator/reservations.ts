/** The UIDs that requests are trying at this moment: two requests never probe one UID, and can wait for each other. */
import type { Uid } from '../core/ids.ts';

export class Reservations {
  readonly #trying = new Map<Uid, Promise<unknown>>();

  has(uid: Uid): boolean {
    return this.#trying.has(uid);
  }

  /** Runs a task while the UID is reserved. The caller has checked has() in the same tick. */
  async during<Result>(uid: Uid, task: () => Promise<Result>): Promise<Result> {
    const running = task();
    this.#trying.set(uid, running);
    try {
      return await running;
    } finally {
      this.#trying.delete(uid);
    }
  }

  /** Waits until none of the tasks that run now for these UIDs runs any more, whatever came of them. */
  async waitFor(uids: readonly Uid[]): Promise<void> {
    await Promise.allSettled(uids.map(uid => this.#trying.get(uid)));
  }
}
