/**
 * Follows processes to their end, thousands with one blocked wait. A process is known by its pidfd, and after a restart of
 * this daemon by its identity, never by its number alone. Knows nothing of leases.
 */
import { closeSync } from 'node:fs';
import type { PeerPinOutcome, PinnedProcess, PinOutcome, Processes } from '../../allocator/ports.ts';
import type { Pid } from '../../core/ids.ts';
import { isSameProcess, type ProcessIdentity } from '../../core/process-identity.ts';
import { attempt } from '../host-error.ts';
import { Epoll } from './epoll.ts';
import { readBoot, readStartTime, readUids } from './files.ts';
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
  #pinnedCount = 0;
  #waiting: Promise<void> | undefined;
  #closing = false;

  /**
   * @param onFailure told if a callback threw, and if waiting failed, after which no exit is noticed any more
   * @throws DynuserError LimitReached, HostFailed
   */
  constructor(onFailure: (what: string, cause: unknown) => void) {
    this.#onFailure = onFailure;
    [this.#boot, this.#epoll] = attempt('cannot watch processes', () => [readBoot(), new Epoll()] as const);
  }

  /** How many descriptors of processes there are. */
  get pinnedCount(): number {
    return this.#pinnedCount;
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

  /** Calls back for what has exited by now, in this tick: the thread that waits for it may not have had its turn yet. */
  notice(): void {
    // Each callback takes one off: there is an end.
    while (this.#waiting !== undefined && !this.#closing) {
      const tokens = attempt('cannot look which processes have exited', () => this.#epoll.readable());
      for (const token of tokens) {
        this.#exited(token);
      }
      if (tokens.length === 0) {
        return;
      }
    }
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
    this.#pinnedCount++;
    const uids = () =>
      attempt(`cannot see whose process ${identity.pid} is`, () => {
        const read = readUids(identity.pid);
        return this.#pidfds.hasExited(descriptor) ? undefined : read;
      });
    return {
      identity,
      owner: () => uids()?.[0],
      runsAs: uid => uids()?.includes(uid) ?? false,
      onExit: callback => {
        if (open && !this.#closing) {
          attempt(`cannot watch process ${identity.pid}`, () => this.#epoll.add(descriptor, token));
          this.#followed.set(token, { descriptor, callback });
          this.#waiting ??= this.#wait();
        }
      },
      signal: number => {
        if (open) {
          attempt(`cannot send signal ${number} to process ${identity.pid}`, () =>
            this.#pidfds.signal(descriptor, number),
          );
        }
      },
      close: () => {
        if (open) {
          open = false;
          this.#pinnedCount--;
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
        // What has exited since then: each trip to the thread and back costs more than the look.
        this.notice();
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
