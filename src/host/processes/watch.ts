/**
 * Follows processes to their end, thousands with one blocked wait. A process is known by its pidfd, and after a restart of
 * this daemon by its identity, never by its number alone. Knows nothing of leases; signals nothing.
 */
import { closeSync } from 'node:fs';
import type { PeerPinOutcome, PinnedProcess, PinOutcome, Processes } from '../../allocator/ports.ts';
import type { Pid } from '../../core/ids.ts';
import { isSameProcess, type ProcessIdentity } from '../../core/process-identity.ts';
import { hostError } from '../host-error.ts';
import { Epoll } from './epoll.ts';
import { readBoot, readRealUid, readStartTime } from './files.ts';
import { Pidfds } from './pidfd.ts';

const GONE: PinOutcome = { kind: 'gone' };

interface Followed {
  readonly descriptor: number;
  readonly callback: () => void;
}

export class ProcessWatch implements Processes {
  readonly #epoll: Epoll;
  readonly #pidfds = new Pidfds();
  readonly #boot: string;
  readonly #followed = new Map<number, Followed>();
  readonly #onFailure: (what: string, cause: unknown) => void;
  #lastToken = 0;
  #waiting: Promise<void> | undefined;
  #closing = false;

  /**
   * @param onFailure told if a callback threw, and if waiting failed, after which no exit is noticed any more
   * @throws DynuserError LimitReached, HostFailed
   */
  constructor(onFailure: (what: string, cause: unknown) => void) {
    this.#onFailure = onFailure;
    try {
      this.#boot = readBoot();
      this.#epoll = new Epoll();
    } catch (error) {
      throw hostError(error, 'cannot watch processes');
    }
  }

  open(pid: Pid): PinOutcome {
    return attempt(`cannot watch process ${pid}`, () => {
      const descriptor = this.#pidfds.open(pid);
      return descriptor === undefined ? GONE : this.#pin(descriptor, pid);
    });
  }

  fromPeer(socket: number): PeerPinOutcome {
    return attempt('cannot watch the process that has connected', () => {
      const peer = this.#pidfds.ofPeer(socket);
      if (peer.kind !== 'pidfd') {
        return peer;
      }
      const pid = this.#pidfds.number(peer.descriptor);
      if (typeof pid === 'string') {
        closeSync(peer.descriptor);
        return { kind: pid };
      }
      return this.#pin(peer.descriptor, pid);
    });
  }

  adopt(identity: ProcessIdentity): PinOutcome {
    if (identity.boot !== this.#boot) {
      return GONE;
    }
    const outcome = this.open(identity.pid);
    if (outcome.kind === 'running' && !isSameProcess(outcome.process.identity, identity)) {
      outcome.process.close();
      return GONE;
    }
    return outcome;
  }

  /** Ends the wait; nothing is called back any more. Pinned processes are closed by who has them. @returns when its thread is free */
  async close(): Promise<void> {
    if (!this.#closing) {
      this.#closing = true;
      this.#epoll.wake();
      await this.#waiting;
      this.#followed.clear();
      this.#epoll.close();
    }
  }

  /** Takes over the descriptor. */
  #pin(descriptor: number, pid: Pid): PinOutcome {
    try {
      const inode = this.#pidfds.inode(descriptor);
      // The inode is the better of the two, and two system calls instead of five.
      const startTime = inode === undefined ? readStartTime(pid) : undefined;
      if ((startTime ?? inode) === undefined || this.#pidfds.hasExited(descriptor)) {
        closeSync(descriptor);
        return GONE;
      }
      const identity = { boot: this.#boot, pid, startTime, inode };
      return { kind: 'running', process: this.#pinned(descriptor, identity) };
    } catch (error) {
      closeSync(descriptor);
      throw error;
    }
  }

  #pinned(descriptor: number, identity: ProcessIdentity): PinnedProcess {
    const token = ++this.#lastToken;
    let open = true;
    return {
      identity,
      owner: () =>
        attempt(`cannot see whose process ${identity.pid} is`, () => {
          const uid = readRealUid(identity.pid);
          return this.#pidfds.hasExited(descriptor) ? undefined : uid;
        }),
      onExit: callback => {
        if (open && !this.#closing) {
          attempt(`cannot watch process ${identity.pid}`, () => this.#epoll.add(descriptor, token));
          this.#followed.set(token, { descriptor, callback });
          this.#waiting ??= this.#wait();
        }
      },
      close: () => {
        if (open) {
          open = false;
          this.#unfollow(token);
          closeSync(descriptor);
        }
      },
    };
  }

  /** @returns what was followed; undefined if nobody is interested any more */
  #unfollow(token: number): Followed | undefined {
    const followed = this.#followed.get(token);
    if (followed !== undefined && !this.#closing) {
      this.#followed.delete(token);
      this.#epoll.remove(followed.descriptor);
    }
    return this.#closing ? undefined : followed;
  }

  async #wait(): Promise<void> {
    try {
      while (!this.#closing) {
        for (const token of await this.#epoll.wait()) {
          this.#exited(token);
        }
      }
    } catch (error) {
      this.#onFailure('exits of processes are noticed no more', error);
    }
  }

  #exited(token: number): void {
    // A pidfd stays readable: it has to leave the epoll before the next wait, whatever the callback does.
    const followed = this.#unfollow(token);
    try {
      followed?.callback();
    } catch (error) {
      this.#onFailure('what follows the exit of a process failed', error);
    }
  }
}

function attempt<Result>(what: string, action: () => Result): Result {
  try {
    return action();
  } catch (error) {
    throw hostError(error, what);
  }
}
