/**
 * Leases that last as long as a connection. When the connection closes, they are released; when they are released before, the connection may
 * be closed as idle again.
 */

import type { LeaseEvents } from '../allocator/events.ts';
import { type ReleaseDeps, releaseGone } from '../allocator/release.ts';
import type { LeaseId } from '../core/ids.ts';
import type { Connection } from '../varlink/handler.ts';

/** What a lease can be bound to: a connection of varlink, or a name on a bus, which nobody closes as idle. */
export type ClosableConnection = Pick<Connection, 'closed' | 'onClose'> & Partial<Pick<Connection, 'hold'>>;

export class ConnectionLeases {
  readonly #release: ReleaseDeps;
  readonly #onFailure: (what: string, cause: unknown) => void;
  readonly #letGo = new Map<LeaseId, () => void>();
  #stopping = false;

  /** @param onFailure told of failures that have no caller to answer */
  constructor(release: ReleaseDeps, events: LeaseEvents, onFailure: (what: string, cause: unknown) => void) {
    this.#release = release;
    this.#onFailure = onFailure;
    events.on(['released'], ({ lease }) => {
      this.#letGo.get(lease.id)?.();
      this.#letGo.delete(lease.id);
    });
  }

  /** Binds a lease to a connection; one that is closed already ends it at once. */
  bind(lease: LeaseId, connection: ClosableConnection): void {
    const endHold = connection.hold?.() ?? (() => {});
    this.#letGo.set(lease, endHold);
    const forget = connection.onClose(() => this.#end(lease));
    if (this.#letGo.has(lease)) {
      this.#letGo.set(lease, () => {
        endHold();
        forget();
      });
    }
  }

  /** From now on the daemon itself closes connections: leases that can be claimed from the next daemon are left to it. */
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

  #isClaimable(id: LeaseId): boolean {
    const lease = this.#release.users.byLease(id)?.leases.find(held => held.id === id);
    return lease?.lifetime === 'connection' && lease.process !== undefined;
  }
}
