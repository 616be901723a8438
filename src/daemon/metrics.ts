/** The metrics of the daemon, gathered from where each is known. */
import type { LeaseEvents } from '../allocator/events.ts';
import { LeaseMetrics } from '../allocator/lease-metrics.ts';
import type { UserTable } from '../allocator/user-table.ts';
import type { Family } from '../core/metrics.ts';
import { rangeSize, type UidRange } from '../core/range.ts';
import type { InterfaceImplementation, MethodHandler } from '../varlink/handler.ts';

export interface MetricSources {
  readonly events: LeaseEvents;
  readonly users: Pick<UserTable, 'live' | 'ending' | 'heldCount' | 'leaseCount' | 'membershipCounts'>;
  readonly cooling: () => number;
  readonly range: () => UidRange;
  readonly connections: () => { readonly open: number; readonly accepted: number };
  /** helpers that have ended, of which each is replaced when somebody needs it */
  readonly helpersEnded: () => number;
}

export class DaemonMetrics {
  readonly #sources: MetricSources;
  readonly #leases: LeaseMetrics;
  #lookups = 0;

  constructor(sources: MetricSources) {
    this.#sources = sources;
    this.#leases = new LeaseMetrics(sources.events);
  }

  /** A lookup that the daemon answers; those by the links do not come here. */
  countLookup(): void {
    this.#lookups++;
  }

  families(): Family[] {
    const { users, cooling, range, connections, helpersEnded } = this.#sources;
    const { open, accepted } = connections();
    const memberships = users.membershipCounts;
    const single = (type: Family['type']) => (name: string, description: string, value: number) => {
      return { name, type, description, samples: [{ value }] };
    };
    const [gauge, counter] = [single('gauge'), single('counter')];
    const size = rangeSize(range());
    const families: Family[] = [
      {
        name: 'Users',
        type: 'gauge',
        description: 'Users by their state, those of the host that are used as they are among them',
        samples: Object.entries(this.#usersByState()).map(([state, value]) => ({ fields: { state }, value })),
      },
      gauge('Leases', 'Leases of all users that have not ended', users.leaseCount),
      gauge('SharedGroups', 'Groups that have members besides their own user', memberships.groups),
      gauge('Memberships', 'Memberships of users in shared groups', memberships.memberships),
      gauge('RangeUids', 'UIDs in the configured range', size),
      gauge('RangeFreeUids', 'UIDs of the configured range that no user holds', Math.max(0, size - users.heldCount)),
      gauge('CoolingUids', 'UIDs that are kept from other names for a while', cooling()),
      ...this.#leases.families(),
      counter('Lookups', 'Lookups of users and groups that the daemon was asked for', this.#lookups),
      gauge('Connections', 'Connections that are open', open),
      counter('AcceptedConnections', 'Connections that were accepted', accepted),
      counter('HelperRestarts', 'Helpers that have ended or were killed, and are replaced', helpersEnded()),
    ];
    return families.filter(({ samples }) => samples.length > 0);
  }

  #usersByState(): Record<'live' | 'ending' | 'lost' | 'static', number> {
    const counts = { live: 0, ending: 0, lost: 0, static: 0 };
    for (const { dynamic, lost } of this.#sources.users.live()) {
      counts[!dynamic ? 'static' : lost === undefined ? 'live' : 'lost']++;
    }
    for (const _ of this.#sources.users.ending()) {
      counts.ending++;
    }
    return counts;
  }
}

/** @returns the same interface, of which each call is counted */
export function counted<P>(service: InterfaceImplementation<P>, count: () => void): InterfaceImplementation<P> {
  const methods: Record<string, MethodHandler<P>> = {};
  for (const [name, method] of Object.entries(service.methods)) {
    methods[name] = call => {
      count();
      return method(call);
    };
  }
  return { ...service, methods };
}
