/** Leases as a table, and one user with its holders. Pure: values and a clock in, text out. */
import type { Lease } from '../../api/generated/io-dynuser-allocator.ts';
import type { AcquirerState } from '../acquirer.ts';
import { kindOf } from '../leases.ts';
import { type ColumnOf, type Field, renderFields, renderList, type Style, type TableLayout } from './table.ts';
import { countOf, printable } from './text.ts';
import { localTime, relativeTime } from './time.ts';

/** Only of lists that have any. */
const MEMBER_COLUMN: ColumnOf<Lease> = { title: 'MEMBER', dispensable: 2, cell: ({ member }) => member };

/** @param now milliseconds since the epoch */
export function renderLeases(leases: readonly Lease[], layout: TableLayout, now: number): string {
  const columns: readonly ColumnOf<Lease>[] = [
    { title: 'UID', numeric: true, cell: ({ uid }) => uid },
    { title: 'NAME', cell: ({ userName }) => userName },
    { title: 'UNIT', cell: ({ unit }) => unit },
    { title: 'KIND', whole: true, dispensable: 2, cell: kindOf },
    { title: 'LIFETIME', whole: true, dispensable: 1, cell: lifetimeCell },
    { title: 'PID', numeric: true, detail: true, dispensable: 4, cell: holderOf },
    { title: 'SINCE', whole: true, detail: true, dispensable: 3, cell: ({ since }) => relativeTime(since, now) },
    { title: 'DIRECTORIES', detail: true, dispensable: 5, cell: directoriesOf },
    ...(leases.some(({ member }) => member !== undefined) ? [MEMBER_COLUMN] : []),
  ];
  const totals = () => [countWords(leases), ...remainsLines(leases)].join('.\n');
  return renderList(columns, leases, layout, { none: 'No users', totals });
}

/** If the user is ending or lost, that is more important than the lifetime. */
function lifetimeCell({ ending, lost, lifetime }: Lease): string {
  return ending === true ? 'ending' : lost === undefined ? lifetime : 'lost';
}

/** @returns a line for each user that cannot end, with what keeps its UID reserved */
function remainsLines(leases: readonly Lease[]): string[] {
  return endingUsers(leases)
    .filter(({ remains }) => remains !== undefined)
    .map(user => `${user.uid} ${printable(user.userName)} cannot end: ${remainsWords(user)}`);
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
  return [...new Map(leases.map(lease => [`${lease.uid} ${lease.userName}`, lease])).values()];
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
  const isEnding = user.ending === true;
  const fields: readonly Field[] = [
    ['Name', user.userName],
    ['UID', user.uid],
    ['GID', user.gid],
    ['Kind', kindWords(user)],
    ['State', isEnding ? ENDING_WORDS : undefined],
    ['Remains', isEnding ? remainsWords(user) : undefined],
    ['State', user.lost === undefined ? undefined : LOST_WORDS],
    ['Reason', user.lost],
    ['Members', membersOf(leases).join(' ') || undefined],
    ['Leases', leases.length],
  ];
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
  const { seconds, lifetime, pid, since, runtime, member, memberLease = '-' } = lease;
  const holder = holderOf(lease);
  const fields: readonly Field[] = [
    ['Lease', lease.lease],
    ['Unit', lease.unit],
    ['Description', lease.description],
    ['Lifetime', seconds === undefined ? lifetime : `${lifetime}, ${seconds} s`],
    ['Held by', holder && `process ${holder}`],
    ['Acquired by', pid === holder ? undefined : pid && `process ${pid}${ACQUIRER_WORDS[state]}`],
    ['Since', `${localTime(since)} (${relativeTime(since, now)})`],
    ['Runs until', runtime === undefined ? undefined : runtimeWords(since, runtime, now)],
    ['Directories', directoriesOf(lease) ?? '-'],
    ['Groups', lease.groups?.join(' ')],
    ['Membership', member && `of ${member}; it ends with the lease ${memberLease}`],
    ...(lease.missing ?? []).map((what): Field => ['Missing', what]),
  ];
  return renderFields(fields, style);
}

const ACQUIRER_WORDS: Readonly<Record<AcquirerState, string>> = {
  running: '',
  ended: ', which has ended',
  unknown: ', which may have ended',
};

/** When the process is ended, if the clock is not set and the host does not sleep before that. */
function runtimeWords(since: number, milliseconds: number, now: number): string {
  const end = since + milliseconds * 1_000;
  return `${localTime(end)} (${relativeTime(end, now)}) at the latest`;
}

/**
 * The process that a lease lasts as long as. The process that acquired a lease that is bound to something else has usually ended since: its number is
 * no news, or another's by now. Older daemons, without 'holder', name the process of connections alone.
 */
function holderOf({ holder, lifetime, pid, ending }: Lease): number | undefined {
  return ending === true ? undefined : (holder ?? (lifetime === 'connection' ? pid : undefined));
}

function directoriesOf({ directories }: Lease): string | undefined {
  return directories.join(' ') || undefined;
}
