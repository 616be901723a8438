/** Whether a source of accounts in nsswitch.conf goes to the network by itself while the daemon has none (dynuserd.service). */
import { nsswitchWords } from '../../nsswitch.ts';
import { type Finding, findingsOf } from '../finding.ts';
import { type Host, type Inode, type Observed, Unreadable } from '../host.ts';
import { SWITCH_FILE } from './name-service.ts';

export interface NetworkFacts {
  readonly switchFile: Observed<string>;
  /** the network namespaces of the daemon and of process 1 */
  readonly own: Observed<string>;
  readonly first: Observed<string>;
  /** of nslcd, the daemon that one of the two modules named ldap asks */
  readonly nslcd: Observed<Inode>;
}

const DATABASES = ['passwd', 'group'];
const NSLCD_SOCKET = '/run/nslcd/socket';
const LDAP = 'ldap';
/** Modules that connect to a server from within the program that looks up. */
const REMOTE = new Set([LDAP, 'nis', 'nisplus', 'hesiod', 'oslogin', 'mysql', 'pgsql', 'wins']);
/** Modules that read files, or ask a daemon of this host. */
const LOCAL = new Set([
  ...['dynuser', 'files', 'systemd', 'compat', 'db', 'altfiles', 'extrausers', 'cache', 'cache_oslogin', 'mymachines'],
  ...['sss', 'winbind', 'lsass', 'vas3', 'vas4', 'centrifydc', 'himmelblau', 'kanidm'],
]);
const DROP_IN =
  "'systemctl edit dynuserd': [Service], PrivateNetwork=no, IPAddressDeny=, RestrictAddressFamilies=AF_INET AF_INET6 AF_NETLINK";

/** @param pid of the daemon, if it can be seen */
export function inspectNetworkSources(host: Host, pid: Observed<number>): NetworkFacts {
  return {
    switchFile: host.text(SWITCH_FILE),
    own: typeof pid === 'number' ? host.link(`/proc/${pid}/ns/net`) : undefined,
    first: host.link('/proc/1/ns/net'),
    nslcd: host.inode(NSLCD_SOCKET),
  };
}

export function judgeNetworkSources({ switchFile, own, first, nslcd }: NetworkFacts): Finding[] {
  const { ok, warning, unknown } = findingsOf('Network of the daemon');
  if (typeof own !== 'string' || typeof first !== 'string' || switchFile instanceof Unreadable) {
    // Other checks report a process or a file that cannot be read.
    return [];
  }
  if (own === first) {
    return [ok('it has the network of the host')];
  }
  const words = DATABASES.flatMap(database => nsswitchWords(switchFile ?? '', database));
  const sources = [...new Set(words.filter(word => !word.startsWith('[')))];
  const asksNslcd = nslcd !== undefined && !(nslcd instanceof Unreadable);
  const findings = sources.flatMap(source => {
    if (LOCAL.has(source) || (source === LDAP && asksNslcd)) {
      return [];
    }
    return REMOTE.has(source)
      ? [warning(`'${source}' of ${SWITCH_FILE} goes to the network, and dynuserd has none`, DROP_IN)]
      : [
          unknown(
            `whether '${source}' of ${SWITCH_FILE} goes to the network, which dynuserd has not: if so, ${DROP_IN}`,
          ),
        ];
  });
  return findings.length > 0 ? findings : [ok('it has no network, and no source of accounts needs one')];
}
