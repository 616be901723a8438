/** The state of the daemon and of the host's lookups, with what to do about each problem. Pure. */
import type { Lease } from '../../api/generated/io-dynuser-allocator.ts';
import type { DaemonInfo } from '../../client/client.ts';
import type { HostLookups, LinkState, SwitchState } from '../host-lookups.ts';
import { ENDING_SHOWN_MAX } from '../limits.ts';
import { remainsWords } from './leases.ts';
import { renderFields, type Style } from './table.ts';
import { countOf, printable } from './text.ts';

/** A user that has no lease any more, and of which something is left: its UID is reserved. */
interface EndingUser extends Pick<Lease, 'uid' | 'userName'> {
  readonly remains?: string | undefined;
}

/** Also the JSON of the command. */
export interface Status {
  readonly reachable: boolean;
  readonly socket: string;
  /** why it is not reachable, in words */
  readonly problem?: string;
  readonly service?: DaemonInfo;
  /** the version of this command; that of the daemon if both were built from one commit */
  readonly command: string;
  /** the live ones */
  readonly users?: number;
  readonly leases?: number;
  /** groups that users share, and how many members those have together */
  readonly groups?: number;
  readonly memberships?: number;
  readonly ending?: readonly EndingUser[];
  readonly lookups: HostLookups;
}

export function renderStatus(status: Status, style: Style): string {
  const { service, lookups } = status;
  const fields: [string, string][] = [['Daemon', status.problem ?? 'running']];
  if (service !== undefined) {
    fields.push(['Version', `${printable(service.product)} ${printable(service.version)}`]);
    if (service.version !== status.command) {
      fields.push(['Command', `dynuserctl ${status.command}, not of the same build: restart dynuserd after an update`]);
    }
  }
  fields.push(['Socket', printable(status.socket)]);
  if (status.users !== undefined && status.leases !== undefined) {
    fields.push(['Users', String(status.users)], ['Leases', String(status.leases)]);
  }
  if (status.groups !== undefined && status.groups > 0) {
    fields.push(['Groups', `${status.groups} shared, with ${countOf(status.memberships ?? 0, 'member')}`]);
  }
  fields.push(...endingFields(status.ending ?? []));
  fields.push(
    ['passwd lookups', switchWords(lookups.passwd, 'passwd')],
    ['group lookups', switchWords(lookups.group, 'group')],
    ['User database', LINK_WORDS[lookups.userDatabase]],
  );
  return renderFields(fields, style);
}

/** Nothing if no user is ending, which is the usual case. */
function endingFields(ending: readonly EndingUser[]): [string, string][] {
  if (ending.length === 0) {
    return [];
  }
  const shown = ending.slice(0, ENDING_SHOWN_MAX);
  const more = ending.length - shown.length;
  const uids = ending.length === 1 ? '1 UID is reserved' : `${ending.length} UIDs are reserved`;
  const fields: [string, string][] = [
    ['Ending', `${uids} until nothing is left of who had it: remove what is named, dynuserd tries again by itself`],
  ];
  for (const user of shown) {
    fields.push([`UID ${user.uid}`, `of ${printable(user.userName)}: ${remainsWords(user)}`]);
  }
  if (more > 0) {
    fields.push(['More', `${more}: 'dynuserctl list' shows them`]);
  }
  return fields;
}

function switchWords(state: SwitchState, database: string): string {
  switch (state) {
    case 'listed':
      return "ok, 'dynuser' is in /etc/nsswitch.conf";
    case 'missing':
      return `not asked: add 'dynuser' to the line '${database}:' of /etc/nsswitch.conf`;
    case 'unreadable':
      return 'not known: /etc/nsswitch.conf cannot be read, see its permissions';
  }
}

const LINK_WORDS: Readonly<Record<LinkState, string>> = {
  linked: 'ok, linked in /run/systemd/userdb',
  unused: 'not used on this host',
  missing: "not linked in /run/systemd/userdb: 'systemctl restart dynuserd' makes the link",
  elsewhere:
    "something else has the link's name in /run/systemd/userdb: another dynuserd? Remove it and restart dynuserd",
  unreadable: 'not known: /run/systemd/userdb cannot be read, see its permissions',
};
