/**
 * Writes a history as the daemon does: when its standard input has a line, it takes up what is there, notes that three users come and
 * two go, writes all of it and ends. Arguments: the directory, how many bytes may be kept. Prints "ready", then what troubled it.
 */
import { once } from 'node:events';
import { LeaseEvents } from '../../../src/allocator/events.ts';
import type { Gid, LeaseId, Uid, UnitName, UserName } from '../../../src/core/ids.ts';
import type { DynamicUser, Lease } from '../../../src/core/lease.ts';
import type { Span } from '../../../src/history/format.ts';
import { HistoryWriter } from '../../../src/history/writer.ts';
import { afterwards, COMING, GOING, STAYING } from './history-users.ts';

const [directory = '', bytes = ''] = process.argv.slice(2);
const STOP_MS = 30_000;

function userOf({ uid, name, unit, owner, since }: Span): DynamicUser {
  const lease: Lease = {
    ...{ id: String(uid).padStart(32, '0') as LeaseId, unit: unit as UnitName, lifetime: 'explicit', pid: undefined },
    ...{ owner: owner as Uid, since, directories: [], cleanup: { processes: true, ipc: true } },
  };
  return { uid: uid as Uid, gid: uid as number as Gid, name: name as UserName, dynamic: true, leases: [lease] };
}

const events = new LeaseEvents((what, cause) => console.log(`${what}: ${cause}`));
const writer = new HistoryWriter({
  ...{ directory, events, origin: 'boot=b version=1' },
  users: () => (process.argv[4] === 'again' ? afterwards() : [...STAYING, ...GOING]).map(userOf),
  clock: { now: Date.now, monotonic: () => performance.now(), uptime: () => process.uptime() },
  limits: () => ({ bytes: Number(bytes), ms: 0 }),
  onTrouble: reason => console.log(`trouble: ${reason}`),
  onRecovery: () => console.log('recovered'),
});
console.log('ready');
await once(process.stdin, 'data');
writer.start();
if (process.argv[4] !== 'again') {
  for (const span of COMING) {
    const user = userOf(span);
    for (const lease of user.leases) {
      events.tell({ kind: 'allocated', user, lease, joined: false });
    }
  }
  for (const span of GOING) {
    events.tell({ kind: 'ended', user: userOf(span) });
  }
}
await writer.stop(STOP_MS);
process.exit(0);
