/** The state of the daemon and of the host's lookups, each with what to do where something is amiss. Pure. */
import type { HostLookups, LinkState, SwitchState } from '../host-lookups.ts';
import type { ServiceInfo } from '../replies.ts';
import type { Style } from './style.ts';
import { renderFields } from './table.ts';
import { printable } from './text.ts';

/** Also the JSON of the command. */
export interface Status {
  readonly reachable: boolean;
  readonly socket: string;
  /** why it is not reachable, in words */
  readonly problem?: string;
  readonly service?: ServiceInfo;
  readonly users?: number;
  readonly leases?: number;
  readonly lookups: HostLookups;
}

export function renderStatus(status: Status, style: Style): string {
  const { service, lookups } = status;
  const fields: [string, string][] = [['Daemon', status.problem ?? 'running']];
  if (service !== undefined) {
    fields.push(['Version', `${printable(service.product)} ${printable(service.version)}`]);
  }
  fields.push(['Socket', printable(status.socket)]);
  if (status.users !== undefined && status.leases !== undefined) {
    fields.push(['Users', String(status.users)], ['Leases', String(status.leases)]);
  }
  fields.push(
    ['passwd lookups', switchWords(lookups.passwd, 'passwd')],
    ['group lookups', switchWords(lookups.group, 'group')],
    ['User database', linkWords(lookups.userDatabase)],
  );
  return renderFields(fields, style);
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

function linkWords(state: LinkState): string {
  switch (state) {
    case 'linked':
      return 'ok, linked in /run/systemd/userdb';
    case 'unused':
      return 'not used on this host';
    case 'missing':
      return "not linked in /run/systemd/userdb: 'systemctl restart dynuserd' makes the link";
    case 'elsewhere':
      return "something else has the link's name in /run/systemd/userdb: another dynuserd? Remove it and restart dynuserd";
    case 'unreadable':
      return 'not known: /run/systemd/userdb cannot be read, see its permissions';
  }
}
