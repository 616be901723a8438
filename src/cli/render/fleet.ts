/** A fleet: its hosts, its names, one name, and what is wrong. Pure. */
import type { Host, NameReply, StatusReply } from '../../api/generated/io-dynuser-fleet.ts';
import type { UserOfFleet } from '../fleet/snapshot.ts';
import { type FleetName, nameOfHost } from '../fleet/survey.ts';
import { FLEET_FAULTS_SHOWN_MAX } from '../limits.ts';
import { type ColumnOf, type Field, renderFields, renderList, type TableLayout } from './table.ts';
import { countOf } from './text.ts';

/** @param restoring whether the state of a host says if it has put its bindings again */
export function renderHosts(hosts: readonly Host[], restoring: boolean, layout: TableLayout): string {
  const columns: readonly ColumnOf<Host>[] = [
    { title: 'NAME', cell: nameOfHost },
    { title: 'HOST', whole: true, cell: ({ host }) => host },
    { title: 'STATE', whole: true, cell: host => stateOf(host, restoring) },
    { title: 'NAMES', numeric: true, cell: ({ holds }) => holds },
    { title: 'VERSION', detail: true, dispensable: 1, cell: ({ version }) => version },
  ];
  return renderList(columns, hosts, layout, { none: 'No hosts', totals: () => countOf(hosts.length, 'host') });
}

function stateOf({ fenced, alive, restored }: Host, restoring: boolean): string {
  const state = fenced ? 'given up' : alive ? 'alive' : 'away';
  return restoring && !fenced ? `${state}, ${restored === true ? 'restored' : 'not restored'}` : state;
}

const NAME_COLUMNS: readonly ColumnOf<FleetName>[] = [
  { title: 'NAME', cell: ({ name }) => name },
  { title: 'UID', numeric: true, cell: ({ uid }) => uid },
  { title: 'STATE', whole: true, dispensable: 1, cell: ({ state }) => state },
  { title: 'HOSTS', detail: true, cell: ({ hosts }) => hosts.join(' ') || undefined },
];

export function renderNames(names: readonly FleetName[], layout: TableLayout): string {
  return renderList(NAME_COLUMNS, names, layout, { none: 'No names', totals: () => countOf(names.length, 'name') });
}

const USER_COLUMNS: readonly ColumnOf<UserOfFleet>[] = [
  { title: 'UID', numeric: true, cell: ({ uid }) => uid },
  { title: 'NAME', cell: ({ userName }) => userName },
  { title: 'HERE', cell: ({ live }) => (live === undefined ? 'unknown' : live ? 'lives' : undefined) },
];

/** The users of all hosts: who of them lives on this one. */
export function renderUsersOfFleet(users: readonly UserOfFleet[], layout: TableLayout): string {
  const here = users.filter(({ live }) => live === true).length;
  const words = users.some(({ live }) => live === undefined)
    ? 'the daemon does not answer'
    : `${here} ${here === 1 ? 'lives' : 'live'} here`;
  const totals = () => `${countOf(users.length, 'user')} of the fleet; ${words}`;
  return renderList(USER_COLUMNS, users, layout, { none: 'No users', totals });
}

/** Also the JSON of explain. */
export interface ExplainedName extends NameReply {
  readonly name: string;
  /** whether it is this host that asks, and what it has written down */
  readonly here: 'held' | 'not held';
  readonly live: boolean;
  /** what the store has otherwise, and what to do */
  readonly conflict: string | undefined;
  /** the account of that name in the files of this host, which is used instead */
  readonly account: number | undefined;
}

export function renderName(explained: ExplainedName, { style }: TableLayout): string {
  const { name, state, uid, hosts, directories, here, live, conflict, account } = explained;
  const words = {
    bound: `UID ${uid} on every host`,
    cooling: `none; it had the UID ${uid}, which no other name gets yet`,
    free: 'none: the first host that uses it chooses one',
  }[state];
  const held = here === 'held' ? 'starts with and without the store' : 'needs the store for its first start';
  const others = `this host has an account of this name, with the UID ${account}, and uses that instead`;
  const fields: readonly Field[] = [
    ['Name', name],
    ['UID', words],
    ['Hosts', hosts.join(' ') || 'none'],
    ['Here', `${live ? 'lives; ' : ''}${held}`],
    ...directories.map(({ storage, path }): Field => ['Directory', `${path} of ${storage}`]),
    ['Conflict', conflict],
    ['Account', account === undefined ? undefined : others],
  ];
  return renderFields(fields, style);
}

/** Also the JSON of check. */
export interface CheckedFleet {
  readonly status: StatusReply;
  /** whether this host is a member; or why not */
  readonly member: boolean;
  readonly reason: string | undefined;
  readonly hosts: number;
  readonly names: number;
  readonly faults: readonly string[];
}

export function renderCheck(
  { status, member, reason, hosts, names, faults }: CheckedFleet,
  { style }: TableLayout,
): string {
  const shown = faults.slice(0, FLEET_FAULTS_SHOWN_MAX);
  const fields: readonly Field[] = [
    ['Fleet', status.fleet],
    ['Store', `${status.store}, ${status.location}`],
    ['UIDs', status.ranges ?? '-'],
    ['This host', member ? 'a member' : `not a member: ${reason ?? 'no reason is known'}`],
    ['Hosts', hosts],
    ['Names', names],
    ['Faults', faults.length || 'none'],
  ];
  const more = faults.length - shown.length;
  const lines = [...shown, ...(more > 0 ? [`${more} more`] : [])];
  return `${renderFields(fields, style)}${lines.length === 0 ? '' : `\n${lines.map(line => `${line}.\n`).join('')}`}`;
}
