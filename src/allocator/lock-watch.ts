/** Checks from time to time that the UIDs of live users are still locked by us: root can unlink or replace a lock file. */
import type { UserName } from '../core/ids.ts';
import { confirmUser, type LossDeps } from './losses.ts';

/** From the end of one round to the beginning of the next, in milliseconds. */
export const LOCK_WATCH_MS = 10_000;
/** Locks that are checked in one turn of the event loop, each with two system calls. */
const LOCKS_A_TURN = 64;

export interface LockWatchDeps extends LossDeps {
  /** told if the locks could not be checked */
  readonly onFailure: (what: string, cause: unknown) => void;
}

export class LockWatch {
  readonly #deps: LockWatchDeps;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(deps: LockWatchDeps) {
    this.#deps = deps;
    this.#later();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  #later(): void {
    if (!this.#stopped) {
      this.#timer = setTimeout(() => void this.#round(), LOCK_WATCH_MS).unref();
    }
  }

  async #round(): Promise<void> {
    const { users, onFailure } = this.#deps;
    const names: UserName[] = Array.from(users.dynamic(), ({ name }) => name);
    try {
      for (let index = 0; index < names.length && !this.#stopped; index += LOCKS_A_TURN) {
        for (const name of names.slice(index, index + LOCKS_A_TURN)) {
          const user = users.dynamicByName(name);
          if (user !== undefined) {
            confirmUser(this.#deps, user);
          }
        }
        await new Promise(resolve => setImmediate(resolve));
      }
    } catch (error) {
      onFailure('cannot check that the UIDs of users are still locked', error);
    }
    this.#later();
  }
}
