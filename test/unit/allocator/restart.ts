/** A daemon that was killed, and the next one, on the fakes. */

import { recover } from '../../../src/allocator/recovery.ts';
import { Endings } from '../../../src/allocator/teardown.ts';
import { UserTable } from '../../../src/allocator/user-table.ts';
import type { House } from './use-cases.ts';

/** What the next daemon finds after the former one was killed: its files, without its locks and its memory. */
export async function restart(built: House) {
  built.locks.crash();
  const { registry, locks, reaper, directories, coolDown, left } = built;
  const users = new UserTable();
  const report = recover({ registry, locks, users });
  const endings = new Endings({
    ...{ users, registry, locks, reaper, directories, coolDown, graceMs: 5 },
    nameCache: { present: () => false, flush: async () => undefined },
    onLeft: (user, words) => left.push(`${user.name}: ${words}`),
    onLost: user => built.lost.push(user.name),
  });
  await Promise.all(report.ending.map(user => endings.resume(user)));
  return { users, report };
}
