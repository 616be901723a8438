/** The state of the daemon and of the host's lookups, with what to do about each problem. Pure. */
import type { Lease } from '../../api/generated/io-dynuser-allocator.ts';
import type { DaemonInfo } from '../../client/client.ts';
import type { HostLookups, LinkState, SwitchState } from '../host-lookups.ts';
import { ENDING_SHOWN_MAX } from '../limits.ts';
import { remainsWords } from './leases.ts';
import { type Field, renderFields, type Style } from './table.ts';
import { countOf } from './text.ts';

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
  const { service, command, users, leases, groups, memberships, ending = [], lookups } = status;
  const isSame = service === undefined || service.version === command;
  const fields: readonly Field[] = [
    ['Daemon', status.problem ?? 'running'],
    ['Version', service && `${service.product} ${service.version}`],
    ['Command', isSame ? undefined : `dynuserctl ${command}, not of the same build: restart dynuserd after an update`],
    ['Socket', status.socket],
    ['Users', users],
    ['Leases', leases],
    ['Groups', groups ? `${groups} shared, with ${countOf(memberships ?? 0, 'member')}` : undefined],
    ...(ending.length === 0 ? [] : endingFields(ending)),
    ['passwd lookups', switchWords(lookups.passwd, 'passwd')],
    ['group lookups', switchWords(lookups.group, 'group')],
    ['User database', LINK_WORDS[lookups.userDatabase]],
  ];
  return renderFields(fields, style);
}

function endingFields(ending: readonly EndingUser[]): readonly Field[] {
  const more = ending.length - ENDING_SHOWN_MAX;
  const uids = ending.length === 1 ? '1 UID is reserved' : `${ending.length} UIDs are reserved`;
  return [
    ['Ending', `${uids} until nothing is left of who had it: remove what is named, dynuserd tries again by itself`],
    ...ending
      .slice(0, ENDING_SHOWN_MAX)
      .map((user): Field => [`UID ${user.uid}`, `of ${user.userName}: ${remainsWords(user)}`]),
    ['More', more > 0 ? `${more}: 'dynuserctl list' shows them` : undefined],
  ];
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
