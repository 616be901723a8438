/** Whether nsswitch.conf names a source of accounts that needs the network, which the daemon usually does not have (dynuserd.service). */
import { type Host, isSeen, type Observed, Unreadable } from '../../host.ts';
import { HOST_LOOKUP_PATHS, servicesOf } from '../../host-lookups.ts';
import { type Finding, findingsOf } from '../finding.ts';

const SWITCH_FILE = HOST_LOOKUP_PATHS.nsswitch;
/** Of nslcd, the daemon that one of the two modules named ldap asks. */
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
export function checkNetworkSources(host: Host, pid: Observed<number>): readonly Finding[] {
  const { ok, warning, unknown, orOk } = findingsOf('Network of the daemon');
  const switchFile = host.text(SWITCH_FILE) ?? '';
  const own = isSeen(pid) ? host.link(`/proc/${pid}/ns/net`) : undefined;
  const first = host.link('/proc/1/ns/net');
  if (!isSeen(own) || !isSeen(first) || switchFile instanceof Unreadable) {
    // Other checks report a process or a file that cannot be read.
    return [];
  }
  if (own === first) {
    return [ok('it has the network of the host')];
  }
  const sources = new Set(['passwd', 'group'].flatMap(database => servicesOf(switchFile, database)));
  if (isSeen(host.inode(NSLCD_SOCKET))) {
    sources.delete(LDAP);
  }
  const findings = [...sources].flatMap(source => {
    if (LOCAL.has(source)) {
      return [];
    }
    return REMOTE.has(source)
      ? warning(`'${source}' of ${SWITCH_FILE} goes to the network, and dynuserd has none`, DROP_IN)
      : unknown(
          `whether '${source}' of ${SWITCH_FILE} goes to the network, which dynuserd does not have: if it does, ${DROP_IN}`,
        );
  });
  return orOk(findings, 'it has no network, and no source of accounts needs one');
}
