/** The UIDs that requests are trying at this moment: two requests never probe one UID, and can wait for each other. */
import type { Uid } from '../core/ids.ts';

interface Trying {
  readonly over: Promise<void>;
  readonly end: () => void;
}

export class Reservations {
  readonly #trying = new Map<Uid, Trying>();

  has(uid: Uid): boolean {
    return this.#trying.has(uid);
  }

  /** Reserves a UID until the end of the scope. The caller has checked has() in the same tick. */
  take(uid: Uid): Disposable {
    let end: () => void = () => undefined;
    const over = new Promise<void>(resolve => {
      end = resolve;
    });
    this.#trying.set(uid, { over, end });
    return {
      [Symbol.dispose]: () => {
        this.#trying.delete(uid);
        end();
      },
    };
  }

  /** Waits until the requests that try these UIDs now have ended, whatever came of them. */
  async waitFor(uids: readonly Uid[]): Promise<void> {
    await Promise.all(uids.map(uid => this.#trying.get(uid)?.over));
  }
}
