/** Leases as a table, and one user with its holders. Pure: values and a clock in, text out. */
import type { Lease } from '../../api/generated/io-dynuser-allocator.ts';
import type { AcquirerState } from '../acquirer.ts';
import { kindOf } from '../leases.ts';
import { type Column, renderFields, renderTable, type Style, type TableLayout } from './table.ts';
import { countOf, printable } from './text.ts';
import { localTime, relativeTime } from './time.ts';

const LEASE_COLUMNS: readonly Column[] = [
  { title: 'UID', numeric: true },
  { title: 'NAME' },
  { title: 'UNIT' },
  { title: 'KIND', whole: true, dispensable: 2 },
  { title: 'LIFETIME', whole: true, dispensable: 1 },
  { title: 'PID', numeric: true, detail: true, dispensable: 4 },
  { title: 'SINCE', whole: true, detail: true, dispensable: 3 },
  { title: 'DIRECTORIES', detail: true, dispensable: 5 },
];

/** Only of lists that have any. */
const MEMBER_COLUMN: Column = { title: 'MEMBER', dispensable: 2 };

/** @param now milliseconds since the epoch */
export function renderLeases(leases: readonly Lease[], layout: TableLayout, now: number): string {
  if (leases.length === 0) {
    return layout.legend ? 'No users.\n' : '';
  }
  const hasMembers = leases.some(({ member }) => member !== undefined);
  const rows = leases.map(lease => [
    String(lease.uid),
    printable(lease.userName),
    printable(lease.unit),
    kindOf(lease),
    // How long it lasts is nobody's question any more.
    lease.ending === true ? 'ending' : lease.lost === undefined ? lease.lifetime : 'lost',
    holderCell(lease),
    relativeTime(lease.since, now),
    directoriesCell(lease),
    ...(hasMembers ? [lease.member === undefined ? '-' : printable(lease.member)] : []),
  ]);
  const table = renderTable(hasMembers ? [...LEASE_COLUMNS, MEMBER_COLUMN] : LEASE_COLUMNS, rows, layout);
  return layout.legend ? `${table}\n${countWords(leases)}.\n${remainsLines(leases)}` : table;
}

/** @returns a line for each user that cannot end, with what keeps its UID reserved */
function remainsLines(leases: readonly Lease[]): string {
  return endingUsers(leases)
    .filter(({ remains }) => remains !== undefined)
    .map(user => `${user.uid} ${printable(user.userName)} cannot end: ${remainsWords(user)}.\n`)
    .join('');
}

const KIND_WORDS = { fleet: 'of the fleet', static: 'static' } as const;

/** @returns "2 users, 3 leases", and how many of the users are of the fleet, static or ending, if any */
function countWords(leases: readonly Lease[]): string {
  const ending = endingUsers(leases).length;
  const lost = lostUsers(leases).length;
  const kinds = (['fleet', 'static'] as const).map(
    kind => [oneOfEach(leases.filter(lease => kindOf(lease) === kind)).length, KIND_WORDS[kind]] as const,
  );
  const told = kinds.filter(([count]) => count > 0).map(([count, words]) => `${count} ${words}`);
  const users = `${countOf(countUsers(leases), 'user')}${told.length === 0 ? '' : ` (${told.join(', ')})`}`;
  const all = `${users}, ${countOf(leases.length, 'lease')}`;
  const gone = lost === 0 ? all : `${all}; ${lost} ${lost === 1 ? 'user has' : 'users have'} lost the UID`;
  return ending === 0 ? gone : `${gone}; ${ending} ${ending === 1 ? 'user is' : 'users are'} ending`;
}

/** @returns how many users the leases hold: a name can have a UID that is ending, and a new one */
export function countUsers(leases: readonly Lease[]): number {
  return oneOfEach(leases).length;
}

/** @returns one lease of each user that is ending, in order */
export function endingUsers(leases: readonly Lease[]): Lease[] {
  return oneOfEach(leases.filter(lease => lease.ending === true));
}

/** @returns one lease of each user that has lost its UID, in order */
export function lostUsers(leases: readonly Lease[]): Lease[] {
  return oneOfEach(leases.filter(lease => lease.lost !== undefined));
}

function oneOfEach(leases: readonly Lease[]): Lease[] {
  return [...new Map(leases.map(lease => [identity(lease), lease])).values()];
}

function identity({ uid, userName }: Lease): string {
  return `${uid} ${userName}`;
}

/**
 * One block for the user and one for each holder: a lease id is there to be copied, and so is never cut.
 * @param leases the leases of one user, at least one
 * @param now milliseconds since the epoch
 * @param stateOf what is known of the process that acquired a lease
 */
export function renderUser(
  leases: readonly [Lease, ...Lease[]],
  style: Style,
  now: number,
  stateOf: (lease: Lease) => AcquirerState,
): string {
  const [user] = leases;
  const fields: [string, string][] = [
    ['Name', printable(user.userName)],
    ['UID', String(user.uid)],
    ['GID', String(user.gid)],
    ['Kind', kindWords(user)],
  ];
  if (user.ending === true) {
    fields.push(['State', ENDING_WORDS], ['Remains', remainsWords(user)]);
  }
  if (user.lost !== undefined) {
    fields.push(['State', LOST_WORDS], ['Reason', printable(user.lost)]);
  }
  const members = membersOf(leases);
  if (members.length > 0) {
    fields.push(['Members', members.map(printable).join(' ')]);
  }
  fields.push(['Leases', String(leases.length)]);
  return [renderFields(fields, style), ...leases.map(lease => renderLease(lease, style, now, stateOf(lease)))].join(
    '\n',
  );
}

function kindWords({ dynamic, fleet }: Lease): string {
  if (!dynamic) {
    return 'static: a user of this host, used as it is';
  }
  if (fleet === undefined) {
    return 'dynamic';
  }
  return fleet
    ? 'fleet: its name has this UID on every host'
    : 'dynamic: the fleet has the name, and did not answer; the UID is of this host alone';
}

/** @returns the users that are in the group of a user, by its leases */
export function membersOf(leases: readonly Lease[]): string[] {
  return [...new Set(leases.flatMap(({ member }) => member ?? []))];
}

/** @returns how many groups have how many members */
export function countMemberships(leases: readonly Lease[]): { readonly groups: number; readonly memberships: number } {
  const memberships = new Set(leases.flatMap(({ uid, member }) => (member === undefined ? [] : [`${uid} ${member}`])));
  const groups = new Set(leases.flatMap(({ uid, member }) => (member === undefined ? [] : [uid])));
  return { groups: groups.size, memberships: memberships.size };
}

const LOST_WORDS = 'lost: its UID is not its own any more; nothing resolves, and a release touches nothing of that UID';
const ENDING_WORDS = 'ending: nothing resolves to it any more, and its UID is reserved until nothing of it is left';

/** @returns what keeps the UID of a user that is ending reserved */
export function remainsWords({ remains }: { readonly remains?: string | undefined }): string {
  return remains === undefined ? 'not known yet: it is being ended just now' : printable(remains);
}

function renderLease(lease: Lease, style: Style, now: number, state: AcquirerState): string {
  const holder = holderOf(lease);
  return renderFields(
    [
      ['Lease', printable(lease.lease)],
      ['Unit', printable(lease.unit)],
      ...(lease.description === undefined ? [] : [['Description', printable(lease.description)] as const]),
      ['Lifetime', lease.seconds === undefined ? lease.lifetime : `${lease.lifetime}, ${lease.seconds} s`],
      ...(holder === undefined ? [] : [['Held by', `process ${holder}`] as const]),
      ...(lease.pid === undefined || lease.pid === holder
        ? []
        : [['Acquired by', acquirerWords(lease.pid, state)] as const]),
      ['Since', `${localTime(lease.since)} (${relativeTime(lease.since, now)})`],
      ...(lease.runtime === undefined ? [] : [['Runs until', runtimeWords(lease.since, lease.runtime, now)] as const]),
      ['Directories', directoriesCell(lease)],
      ...(lease.groups === undefined ? [] : [['Groups', lease.groups.map(printable).join(' ')] as const]),
      ...(lease.member === undefined
        ? []
        : [
            [
              'Membership',
              `of ${printable(lease.member)}; it ends with the lease ${lease.memberLease ?? '-'}`,
            ] as const,
          ]),
      ...(lease.missing ?? []).map((what): [string, string] => ['Missing', printable(what)]),
    ],
    style,
  );
}

/** When the process is ended, if the clock is not set and the host does not sleep before that. */
function runtimeWords(since: number, milliseconds: number, now: number): string {
  const end = since + milliseconds * 1_000;
  return `${localTime(end)} (${relativeTime(end, now)}) at the latest`;
}

/** Who has acquired a lease that is bound to something else has usually ended since: its number is no news, or another's by now. */
function holderCell(lease: Lease): string {
  const holder = holderOf(lease);
  return holder === undefined ? '-' : String(holder);
}

/** The process that a lease lasts as long as. Daemons before 'holder' said of connections alone who that is. */
function holderOf({ holder, lifetime, pid, ending }: Lease): number | undefined {
  return ending === true ? undefined : (holder ?? (lifetime === 'connection' ? pid : undefined));
}

function acquirerWords(pid: number, state: AcquirerState): string {
  switch (state) {
    case 'running':
      return `process ${pid}`;
    case 'ended':
      return `process ${pid}, which has ended`;
    case 'unknown':
      return `process ${pid}, which may have ended`;
  }
}

function directoriesCell(lease: Lease): string {
  return lease.directories.length === 0 ? '-' : lease.directories.map(printable).join(' ');
}
