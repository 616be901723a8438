/** A daemon that was killed, and the next one, on the fakes. */

import type { LeaseEvent } from '../../../src/allocator/events.ts';
import { recover } from '../../../src/allocator/recovery.ts';
import { Teardown } from '../../../src/allocator/teardown.ts';
import { UserTable } from '../../../src/allocator/user-table.ts';
import { leaseEvents } from './fakes.ts';
import { tellLeftoversAndLosses, type UseCases } from './use-cases.ts';

/**
 * What the next daemon finds after the former one was killed: its files, without its locks and its memory.
 * @param ends whether it ends what had begun to end
 */
export async function restart(built: UseCases, ends = true) {
  built.locks.crash();
  const { registry, locks, reaper, directories, packetFilter, coolDown, left } = built;
  const events = leaseEvents();
  const lost: string[] = [];
  tellLeftoversAndLosses(events, left, lost);
  const told: LeaseEvent[] = [];
  events.on(['recovered', 'lost'], event => told.push(event));
  const users = new UserTable(events);
  const report = recover({ registry, locks, users, events }, registry.load());
  const lostAtStart = [...lost];
  const teardown = new Teardown({
    ...{ events, users, registry, locks, reaper, directories, packetFilter, coolDown, graceMs: 5 },
    nameCache: { present: () => false, flush: async () => undefined },
  });
  await Promise.all((ends ? report.ending : []).map(user => teardown.resume(user)));
  return { told, users, report, lost: lostAtStart, ending: report.ending, events, teardown };
}
