/** A daemon that was killed, and the next one, on the fakes. */

import { recover } from '../../../src/allocator/recovery.ts';
import { Teardown } from '../../../src/allocator/teardown.ts';
import { UserTable } from '../../../src/allocator/user-table.ts';
import type { UseCases } from './use-cases.ts';

/** What the next daemon finds after the former one was killed: its files, without its locks and its memory. */
export async function restart(built: UseCases) {
  built.locks.crash();
  const { registry, locks, reaper, directories, coolDown, left } = built;
  const users = new UserTable();
  const report = recover({ registry, locks, users });
  const teardown = new Teardown({
    ...{ users, registry, locks, reaper, directories, coolDown, graceMs: 5 },
    nameCache: { present: () => false, flush: async () => undefined },
    onLeftovers: (user, words) => left.push(`${user.name}: ${words}`),
    onLost: user => built.lost.push(user.name),
  });
  await Promise.all(report.ending.map(user => teardown.resume(user)));
  return { users, report };
}
