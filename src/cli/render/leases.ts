/** Leases as a table, and one user with its holders. Pure: values and a clock in, text out. */
import type { Lease } from '../../api/generated/io-dynuser-allocator.ts';
import { type Column, renderFields, renderTable, type TableLayout } from './table.ts';
import { printable } from './text.ts';
import { localTime, relativeTime } from './time.ts';

const LEASE_COLUMNS: readonly Column[] = [
  { title: 'UID', numeric: true },
  { title: 'NAME' },
  { title: 'UNIT' },
  { title: 'LIFETIME' },
  { title: 'PID', numeric: true, detail: true },
  { title: 'SINCE', detail: true },
  { title: 'DIRECTORIES', detail: true },
];

const HOLDER_COLUMNS: readonly Column[] = [
  { title: 'LEASE' },
  { title: 'UNIT' },
  { title: 'LIFETIME' },
  { title: 'PID', numeric: true, detail: true },
  { title: 'SINCE', detail: true },
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
    String(lease.pid),
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
 * @param holders the leases of one user, at least one
 * @param now milliseconds since the epoch
 */
export function renderUser(holders: readonly [Lease, ...Lease[]], layout: TableLayout, now: number): string {
  const [user] = holders;
  const fields = renderFields(
    [
      ['Name', printable(user.userName)],
      ['UID', String(user.uid)],
      ['GID', String(user.gid)],
      ['Kind', user.dynamic ? 'dynamic' : 'static: a user of this host, used as it is'],
    ],
    layout.style,
  );
  const rows = holders.map(lease => [
    lease.lease,
    printable(lease.unit),
    lease.lifetime,
    String(lease.pid),
    `${localTime(lease.since)} (${relativeTime(lease.since, now)})`,
    directoriesCell(lease),
  ]);
  return `${fields}\n${renderTable(HOLDER_COLUMNS, rows, layout)}`;
}

function directoriesCell(lease: Lease): string {
  return lease.directories.length === 0 ? '-' : lease.directories.map(printable).join(' ');
}
