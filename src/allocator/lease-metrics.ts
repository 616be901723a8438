/** What happens to leases, added up since the start of the daemon. Takes note of events, and does nothing else. */
import type { ErrorCode } from '../core/errors.ts';
import type { Evidence } from '../core/evidence.ts';
import { Counts, type Family, Histogram } from '../core/metrics.ts';
import type { LeaseEvents } from './events.ts';

/** From an answer out of the caches of the kernel to a host that does not answer, in seconds. */
const BOUNDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
/** Handovers of large trees take longer. */
const HANDOVER_BOUNDS = [...BOUNDS, 60, 300, 1_800];

type AcquireResult = 'allocated' | 'joined' | ErrorCode | 'Internal';

export class LeaseMetrics {
  readonly #acquires = new Counts<AcquireResult>(['allocated', 'joined']);
  readonly #evidence = new Counts<Evidence['kind']>([
    ...(['systemd-lock', 'lock-unusable', 'user', 'group', 'ipc', 'process'] as const),
  ]);
  readonly #acquireSeconds = new Histogram(BOUNDS);
  readonly #checkSeconds = new Histogram(BOUNDS);
  readonly #handoverSeconds = new Histogram(HANDOVER_BOUNDS);

  constructor(events: LeaseEvents) {
    events.on(['allocated'], ({ joined, seconds, lease }) => {
      this.#acquires.add(joined ? 'joined' : 'allocated');
      if (seconds === undefined) {
        return;
      }
      this.#acquireSeconds.add(seconds.acquire);
      if (!joined) {
        this.#checkSeconds.add(seconds.check);
      }
      if (lease.directories.length > 0) {
        this.#handoverSeconds.add(seconds.handover);
      }
    });
    events.on(['refused'], ({ code }) => this.#acquires.add(code));
    events.on(['passedOver'], ({ evidence }) => this.#evidence.add(evidence.kind));
  }

  families(): Family[] {
    return [
      {
        name: 'Acquires',
        type: 'counter',
        description: 'Requests for a lease by their result',
        samples: this.#acquires.samples('result'),
      },
      {
        name: 'Evidence',
        type: 'counter',
        description: 'UIDs that were examined and found to be in use, by what showed it',
        samples: this.#evidence.samples('kind'),
      },
      ...this.#acquireSeconds.families('AcquireSeconds', 'How long granted requests took, in seconds'),
      ...this.#checkSeconds.families('CheckSeconds', 'How long the examination of candidates took, in seconds'),
      ...this.#handoverSeconds.families('HandoverSeconds', 'How long directories took to be prepared, in seconds'),
    ];
  }
}
