/**
 * The one stream of what happens to leases and users. Each event is told at one place, by whoever has done it, when it is done; the
 * log, the history, the audit, the metrics and watchers listen. A listener runs in the tick of the event, on the way of a request:
 * it takes note, and does nothing that waits.
 */
import type { Requester } from '../core/access.ts';
import type { ErrorCode } from '../core/errors.ts';
import type { Evidence } from '../core/evidence.ts';
import type { Pid, Uid, UserName } from '../core/ids.ts';
import type { DynamicUser, Lease, LeasedRuntime } from '../core/lease.ts';
import type { ProcessIdentity } from '../core/process-identity.ts';
import type { PreparedDirectory } from './directory-ports.ts';

/** How long an acquisition took, in seconds. */
export interface AcquireSeconds {
  /** all of it, from the request on */
  readonly acquire: number;
  /** of that, the examination of candidates: their locks, and the questions to the host */
  readonly check: number;
  /** of that, the preparation of directories; 0 if there were none */
  readonly handover: number;
}

export type LeaseEvent =
  | {
      /** A lease is written. */
      readonly kind: 'allocated';
      /** with the lease */
      readonly user: DynamicUser;
      readonly lease: Lease;
      /** the user had other leases; if not, it came with this one */
      readonly joined: boolean;
      readonly seconds?: AcquireSeconds;
    }
  | {
      /** A lease has ended. */
      readonly kind: 'released';
      readonly user: DynamicUser;
      readonly lease: Lease;
      /** how many leases the user still has; if none, it no longer resolves */
      readonly left: number;
    }
  | {
      /** The process of a lease has run for as long as it may, and is ended. */
      readonly kind: 'overtime';
      readonly lease: Lease;
      readonly runtime: LeasedRuntime;
      readonly process: ProcessIdentity;
    }
  /** A user has ended, and nothing keeps its UID reserved any more. If it is lost, nothing of it was touched. */
  | { readonly kind: 'ended'; readonly user: DynamicUser }
  /** A user that was live has lost its UID; the cause is why that could not be written down. */
  | { readonly kind: 'lost'; readonly user: DynamicUser; readonly cause?: unknown }
  /** What is left of a user could not be removed, in words; its UID stays reserved. */
  | { readonly kind: 'leftovers'; readonly user: DynamicUser; readonly left: string }
  /** A user of a former daemon lives on. Told once for each, at the start. */
  | { readonly kind: 'recovered'; readonly user: DynamicUser }
  /** A directory has got another owner. */
  | { readonly kind: 'handover'; readonly user: DynamicUser; readonly directory: PreparedDirectory }
  | {
      /** A request for a lease was refused. */
      readonly kind: 'refused';
      /** as it was asked for: it need not be the name of a unit */
      readonly unit: string;
      readonly userName?: string;
      readonly requester: Requester;
      readonly pid: Pid | undefined;
      /** Internal: a fault of the daemon */
      readonly code: ErrorCode | 'Internal';
      readonly reason: string;
    }
  /** A name of the fleet gets a UID of this host alone, since the fleet does not answer. */
  | { readonly kind: 'fleetAway'; readonly name: UserName; readonly reason: string }
  /** A candidate was examined for a name and is not free. */
  | { readonly kind: 'passedOver'; readonly name: UserName; readonly uid: Uid; readonly evidence: Evidence }
  /** A candidate was not examined, since it is known that it is not free. There may be as many in a request as the range has UIDs. */
  | { readonly kind: 'skipped'; readonly name: UserName; readonly uid: Uid; readonly evidence: Evidence };

export type LeaseEventKind = LeaseEvent['kind'];
export type LeaseEventOf<Kind extends LeaseEventKind> = Extract<LeaseEvent, { readonly kind: Kind }>;

export class LeaseEvents {
  readonly #listeners = new Map<LeaseEventKind, Set<(event: never) => void>>();
  readonly #onFailure: (what: string, cause: unknown) => void;

  /** @param onFailure told of a listener that failed: what happened has happened, and the others are told */
  constructor(onFailure: (what: string, cause: unknown) => void) {
    this.#onFailure = onFailure;
  }

  /** @returns a function that ends it */
  on<Kind extends LeaseEventKind>(kinds: readonly Kind[], listener: (event: LeaseEventOf<Kind>) => void): () => void {
    const ends = kinds.map(kind => {
      const listeners = this.#listeners.get(kind) ?? new Set();
      this.#listeners.set(kind, listeners.add(listener));
      return () => listeners.delete(listener);
    });
    return () => {
      for (const end of ends) {
        end();
      }
    };
  }

  /** Whether anybody listens, for events that come in great numbers. */
  isHeard(kind: LeaseEventKind): boolean {
    return (this.#listeners.get(kind)?.size ?? 0) > 0;
  }

  /** Never throws. */
  tell(event: LeaseEvent): void {
    for (const listener of this.#listeners.get(event.kind) ?? []) {
      try {
        // The set of a kind has listeners of that kind alone.
        listener(event as never);
      } catch (error) {
        this.#onFailure(`a listener to the event "${event.kind}" failed`, error);
      }
    }
  }
}
