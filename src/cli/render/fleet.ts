/** A fleet: its hosts, its names, one name, and what is wrong. Pure. */
import type { Host, NameReply, StatusReply } from '../../api/generated/io-dynuser-fleet.ts';
import type { UserOfFleet } from '../fleet/snapshot.ts';
import { type FleetName, nameOfHost } from '../fleet/survey.ts';
import { FLEET_FAULTS_SHOWN_MAX } from '../limits.ts';
import { type Column, renderFields, renderTable, type TableLayout } from './table.ts';
import { countOf, printable } from './text.ts';

const HOST_COLUMNS: readonly Column[] = [
  { title: 'NAME' },
  { title: 'HOST', whole: true },
  { title: 'STATE', whole: true },
  { title: 'NAMES', numeric: true },
  { title: 'VERSION', detail: true, dispensable: 1 },
];

/** @param restoring whether the state of a host says if it has put its bindings again */
export function renderHosts(hosts: readonly Host[], restoring: boolean, layout: TableLayout): string {
  if (hosts.length === 0) {
    return layout.legend ? 'No hosts.\n' : '';
  }
  const rows = hosts.map(host => [
    printable(nameOfHost(host)),
    printable(host.host),
    stateOf(host, restoring),
    String(host.holds),
    printable(host.version ?? '-'),
  ]);
  const table = renderTable(HOST_COLUMNS, rows, layout);
  return layout.legend ? `${table}\n${countOf(hosts.length, 'host')}.\n` : table;
}

function stateOf({ fenced, alive, restored }: Host, restoring: boolean): string {
  const state = fenced ? 'given up' : alive ? 'alive' : 'away';
  return restoring && !fenced ? `${state}, ${restored === true ? 'restored' : 'not restored'}` : state;
}

const NAME_COLUMNS: readonly Column[] = [
  { title: 'NAME' },
  { title: 'UID', numeric: true },
  { title: 'STATE', whole: true, dispensable: 1 },
  { title: 'HOSTS', detail: true },
];

export function renderNames(names: readonly FleetName[], layout: TableLayout): string {
  if (names.length === 0) {
    return layout.legend ? 'No names.\n' : '';
  }
  const rows = names.map(({ name, uid, state, hosts }) => [
    printable(name),
    String(uid),
    state,
    hosts.map(printable).join(' ') || '-',
  ]);
  const table = renderTable(NAME_COLUMNS, rows, layout);
  return layout.legend ? `${table}\n${countOf(names.length, 'name')}.\n` : table;
}

const USER_COLUMNS: readonly Column[] = [{ title: 'UID', numeric: true }, { title: 'NAME' }, { title: 'HERE' }];

/** The users of all hosts: who of them lives on this one. */
export function renderUsersOfFleet(users: readonly UserOfFleet[], layout: TableLayout): string {
  if (users.length === 0) {
    return layout.legend ? 'No users.\n' : '';
  }
  const rows = users.map(({ uid, userName, live }) => [
    String(uid),
    printable(userName),
    live === undefined ? 'unknown' : live ? 'lives' : '-',
  ]);
  const table = renderTable(USER_COLUMNS, rows, layout);
  const here = users.filter(({ live }) => live === true).length;
  const words = users.some(({ live }) => live === undefined)
    ? 'the daemon does not answer'
    : `${here} ${here === 1 ? 'lives' : 'live'} here`;
  return layout.legend ? `${table}\n${countOf(users.length, 'user')} of the fleet; ${words}.\n` : table;
}

/** Also the JSON of explain. */
export interface ExplainedName extends NameReply {
  readonly name: string;
  /** whether it is this host that asks, and what it has written down */
  readonly here: 'held' | 'not held';
  readonly live: boolean;
  /** what the store has otherwise, and what to do */
  readonly conflict?: string;
  /** the account of that name in the files of this host, which is used instead */
  readonly account?: number;
}

export function renderName(explained: ExplainedName, { style }: TableLayout): string {
  const { name, state, uid, hosts, directories, here, live, conflict, account } = explained;
  const words = {
    bound: `UID ${uid} on every host`,
    cooling: `none; it had the UID ${uid}, which no other name gets yet`,
    free: 'none: the first host that uses it chooses one',
  }[state];
  const held = here === 'held' ? 'starts with and without the store' : 'needs the store for its first start';
  const fields: [string, string][] = [
    ['Name', printable(name)],
    ['UID', words],
    ['Hosts', hosts.map(printable).join(' ') || 'none'],
    ['Here', `${live ? 'lives; ' : ''}${held}`],
    ...directories.map(({ storage, path }): [string, string] => [
      'Directory',
      `${printable(path)} of ${printable(storage)}`,
    ]),
  ];
  if (conflict !== undefined) {
    fields.push(['Conflict', printable(conflict)]);
  }
  if (account !== undefined) {
    fields.push(['Account', `this host has an account of this name, with the UID ${account}, and uses that instead`]);
  }
  return renderFields(fields, style);
}

/** Also the JSON of check. */
export interface CheckedFleet {
  readonly status: StatusReply;
  /** whether this host is a member; or why not */
  readonly member: boolean;
  readonly reason?: string;
  readonly hosts: number;
  readonly names: number;
  readonly faults: readonly string[];
}

export function renderCheck(
  { status, member, reason, hosts, names, faults }: CheckedFleet,
  { style }: TableLayout,
): string {
  const shown = faults.slice(0, FLEET_FAULTS_SHOWN_MAX);
  const fields: [string, string][] = [
    ['Fleet', printable(status.fleet)],
    ['Store', `${status.store}, ${printable(status.location)}`],
    ['UIDs', printable(status.ranges ?? '-')],
    ['This host', member ? 'a member' : `no member: ${printable(reason ?? 'nobody says why')}`],
    ['Hosts', String(hosts)],
    ['Names', String(names)],
    ['Faults', faults.length === 0 ? 'none' : String(faults.length)],
  ];
  const more = faults.length - shown.length;
  const lines = [...shown, ...(more > 0 ? [`${more} more`] : [])];
  return `${renderFields(fields, style)}${lines.length === 0 ? '' : `\n${lines.map(line => `${line}.\n`).join('')}`}`;
}
