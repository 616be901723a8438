/** Leases as a table, and one user with its holders. Pure: values and a clock in, text out. */
import type { Lease } from '../../api/generated/io-dynuser-allocator.ts';
import type { Style } from './style.ts';
import { type Column, renderFields, renderTable, type TableLayout } from './table.ts';
import { countOf, printable } from './text.ts';
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
    // How long it lasts is nobody's question any more.
    lease.ending === true ? 'ending' : lease.lost === undefined ? lease.lifetime : 'lost',
    pidCell(lease),
    relativeTime(lease.since, now),
    directoriesCell(lease),
  ]);
  const table = renderTable(LEASE_COLUMNS, rows, layout);
  return layout.legend ? `${table}\n${countWords(leases)}.\n${remainsLines(leases)}` : table;
}

/** @returns a line for each user that cannot end, with what keeps its UID reserved */
function remainsLines(leases: readonly Lease[]): string {
  return endingUsers(leases)
    .filter(({ remains }) => remains !== undefined)
    .map(user => `${user.uid} ${printable(user.userName)} cannot end: ${remainsWords(user)}.\n`)
    .join('');
}

/** @returns "2 users, 3 leases", and how many of the users are ending, if any */
function countWords(leases: readonly Lease[]): string {
  const ending = endingUsers(leases).length;
  const lost = lostUsers(leases).length;
  const all = `${countOf(countUsers(leases), 'user')}, ${countOf(leases.length, 'lease')}`;
  const gone = lost === 0 ? all : `${all}; ${lost} ${lost === 1 ? 'user has' : 'users have'} lost the UID`;
  return ending === 0 ? gone : `${gone}; ${ending} ${ending === 1 ? 'user is' : 'users are'} ending`;
}

/** @returns how many users the leases hold: a name can have a UID that is ending, and a new one */
export function countUsers(leases: readonly Lease[]): number {
  return new Set(leases.map(identity)).size;
}

/** @returns one lease of each user that is ending, in order */
export function endingUsers(leases: readonly Lease[]): Lease[] {
  const ending = leases.filter(lease => lease.ending === true);
  return [...new Map(ending.map(lease => [identity(lease), lease])).values()];
}

/** @returns one lease of each user that has lost its UID, in order */
export function lostUsers(leases: readonly Lease[]): Lease[] {
  const lost = leases.filter(lease => lease.lost !== undefined);
  return [...new Map(lost.map(lease => [identity(lease), lease])).values()];
}

function identity({ uid, userName }: Lease): string {
  return `${uid} ${userName}`;
}

/**
 * One block for the user and one for each holder: a lease id is there to be copied, and so is never cut.
 * @param leases the leases of one user, at least one
 * @param now milliseconds since the epoch
 */
export function renderUser(leases: readonly [Lease, ...Lease[]], style: Style, now: number): string {
  const [user] = leases;
  const fields: [string, string][] = [
    ['Name', printable(user.userName)],
    ['UID', String(user.uid)],
    ['GID', String(user.gid)],
    ['Kind', user.dynamic ? 'dynamic' : 'static: a user of this host, used as it is'],
  ];
  if (user.ending === true) {
    fields.push(['State', ENDING_WORDS], ['Remains', remainsWords(user)]);
  }
  if (user.lost !== undefined) {
    fields.push(['State', LOST_WORDS], ['Reason', printable(user.lost)]);
  }
  fields.push(['Leases', String(leases.length)]);
  return [renderFields(fields, style), ...leases.map(lease => renderLease(lease, style, now))].join('\n');
}

const LOST_WORDS = 'lost: its UID is not its own any more; nothing resolves, and a release touches nothing of that UID';
const ENDING_WORDS = 'ending: nothing resolves to it any more, and its UID is reserved until nothing of it is left';

/** @returns what keeps the UID of a user that is ending reserved */
export function remainsWords({ remains }: Pick<Lease, 'remains'>): string {
  return remains === undefined ? 'not known yet: it is being ended just now' : printable(remains);
}

function renderLease(lease: Lease, style: Style, now: number): string {
  return renderFields(
    [
      ['Lease', printable(lease.lease)],
      ['Unit', printable(lease.unit)],
      ...(lease.description === undefined ? [] : [['Description', printable(lease.description)] as const]),
      ['Lifetime', lease.lifetime],
      ['PID', pidCell(lease)],
      ['Since', `${localTime(lease.since)} (${relativeTime(lease.since, now)})`],
      ['Directories', directoriesCell(lease)],
      ...(lease.missing ?? []).map((what): [string, string] => ['Missing', printable(what)]),
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
