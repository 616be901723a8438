/**
 * Whether processes run with a UID, for all who ask at a time by one look at the host: that takes as long as the host has
 * processes, and is the same for one UID as for many. Whoever asks while a look is under way is in the next one.
 */
import type { Uid } from '../core/ids.ts';
import { NUMBERS_MAX } from './helper-protocol.ts';

/** Looks once. @returns those of the UIDs that a process runs with @throws where that is not known */
type Look = (uids: readonly Uid[]) => Promise<ReadonlySet<Uid>>;

interface Asked {
  readonly uid: Uid;
  settle(mayRun: boolean): void;
}

export class ProcessLooks {
  readonly #look: Look;
  readonly #waiting: Asked[] = [];
  #isLooking = false;

  constructor(look: Look) {
    this.#look = look;
  }

  /** @returns false where no process ran with the UID at some moment after the call; true also where that is not known */
  mayRun(uid: Uid): Promise<boolean> {
    return new Promise(resolve => {
      this.#waiting.push({ uid, settle: resolve });
      if (!this.#isLooking) {
        void this.#lookOn();
      }
    });
  }

  async #lookOn(): Promise<void> {
    this.#isLooking = true;
    while (this.#waiting.length > 0) {
      const asked = this.#waiting.splice(0, NUMBERS_MAX);
      const running = await this.#look(asked.map(({ uid }) => uid)).catch(() => undefined);
      for (const { uid, settle } of asked) {
        settle(running?.has(uid) ?? true);
      }
    }
    this.#isLooking = false;
  }
}
