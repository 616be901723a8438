/**
 * Leases that live as long as a connection: ends them with it, and lets go of a connection whose lease ended before, so
 * that it can be closed as idle again.
 */

import { type ReleaseParts, releaseGone } from '../allocator/release.ts';
import type { LeaseId } from '../core/ids.ts';

/** What a lease may last as long as; a connection of varlink, or a name on a bus. */
export interface ClosableConnection {
  readonly closed: boolean;
  /** @param listener called once, when it is gone; at once where it is already. @returns takes it back */
  onClose(listener: () => void): () => void;
  /** Keeps it from being closed as idle. @returns ends that */
  hold(): () => void;
}

export class ConnectionLeases {
  readonly #release: ReleaseParts;
  readonly #onFailure: (what: string, cause: unknown) => void;
  readonly #letGo = new Map<LeaseId, () => void>();
  #stopping = false;

  /** @param onFailure told of what failed with nobody left to answer */
  constructor(release: ReleaseParts, onFailure: (what: string, cause: unknown) => void) {
    this.#release = release;
    this.#onFailure = onFailure;
    release.users.watch(change => {
      if (change.kind === 'released') {
        this.#letGo.get(change.holder.lease)?.();
        this.#letGo.delete(change.holder.lease);
      }
    });
  }

  /** Binds a lease to a connection; one that is closed already ends it at once. */
  bind(lease: LeaseId, connection: ClosableConnection): void {
    const endHold = connection.hold();
    this.#letGo.set(lease, endHold);
    const forget = connection.onClose(() => this.#end(lease));
    if (this.#letGo.has(lease)) {
      this.#letGo.set(lease, () => {
        endHold();
        forget();
      });
    }
  }

  /**
   * From now on it is the daemon that closes connections: leases that can be claimed from the next one are left to it.
   */
  stop(): void {
    this.#stopping = true;
  }

  #end(lease: LeaseId): void {
    if (this.#stopping && this.#isClaimable(lease)) {
      return;
    }
    releaseGone(this.#release, lease).catch((error: unknown) => {
      this.#onFailure(`cannot write that the lease ${lease} ended with its connection`, error);
    });
  }

  #isClaimable(lease: LeaseId): boolean {
    const holder = this.#release.users.byLease(lease)?.holders.find(held => held.lease === lease);
    return holder?.lifetime === 'connection' && holder.process !== undefined;
  }
}
