/** Leases as a table, and one user with its holders. Pure: values and a clock in, text out. */
import type { Lease } from '../../api/generated/io-dynuser-allocator.ts';
import type { Style } from './style.ts';
import { type Column, renderFields, renderTable, type TableLayout } from './table.ts';
import { printable } from './text.ts';
import { localTime, relativeTime } from './time.ts';

const LEASE_COLUMNS: readonly Column[] = [
  { title: 'UID', numeric: true },
  { title: 'NAME' },
  { title: 'UNIT' },
  { title: 'LIFETIME' },
  { title: 'PID', numeric: true, detail: true },
  { title: 'SINCE', whole: true, detail: true },
  { title: 'DIRECTORIES', detail: true },
];

/** @returns the leases by UID, then by age, the oldest first */
export function sortLeases(leases: readonly Lease[]): Lease[] {
  return [...leases].sort((a, b) => a.uid - b.uid || a.since - b.since);
}

/** @param now milliseconds since the epoch */
export function renderLeases(leases: readonly Lease[], layout: TableLayout, now: number): string {
  if (leases.length === 0) {
    return layout.legend ? 'No dynamic users.\n' : '';
  }
  const rows = leases.map(lease => [
    String(lease.uid),
    printable(lease.userName),
    printable(lease.unit),
    lease.lifetime,
    pidCell(lease),
    relativeTime(lease.since, now),
    directoriesCell(lease),
  ]);
  const table = renderTable(LEASE_COLUMNS, rows, layout);
  return layout.legend ? `${table}\n${countWords(leases)}.\n` : table;
}

/** @returns "2 users, 3 leases" */
export function countWords(leases: readonly Lease[]): string {
  const users = countUsers(leases);
  const noun = (count: number, one: string): string => `${count} ${one}${count === 1 ? '' : 's'}`;
  return `${noun(users, 'user')}, ${noun(leases.length, 'lease')}`;
}

/** @returns how many users the leases hold */
export function countUsers(leases: readonly Lease[]): number {
  return new Set(leases.map(lease => lease.userName)).size;
}

/**
 * One block for the user and one for each holder: a lease id is there to be copied, and so is never cut.
 * @param holders the leases of one user, at least one
 * @param now milliseconds since the epoch
 */
export function renderUser(holders: readonly [Lease, ...Lease[]], style: Style, now: number): string {
  const [user] = holders;
  const head = renderFields(
    [
      ['Name', printable(user.userName)],
      ['UID', String(user.uid)],
      ['GID', String(user.gid)],
      ['Kind', user.dynamic ? 'dynamic' : 'static: a user of this host, used as it is'],
      ['Leases', String(holders.length)],
    ],
    style,
  );
  return [head, ...holders.map(holder => renderHolder(holder, style, now))].join('\n');
}

function renderHolder(holder: Lease, style: Style, now: number): string {
  return renderFields(
    [
      ['Lease', holder.lease],
      ['Unit', printable(holder.unit)],
      ['Lifetime', holder.lifetime],
      ['PID', pidCell(holder)],
      ['Since', `${localTime(holder.since)} (${relativeTime(holder.since, now)})`],
      ['Directories', directoriesCell(holder)],
    ],
    style,
  );
}

/** A process that the daemon cannot see into has no number that would mean anything here. */
function pidCell({ pid }: Lease): string {
  return pid === undefined ? '-' : String(pid);
}

function directoriesCell(lease: Lease): string {
  return lease.directories.length === 0 ? '-' : lease.directories.map(printable).join(' ');
}
