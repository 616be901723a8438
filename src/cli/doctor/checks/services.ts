/** Other services of the host: the system bus, which the daemon may use, and nscd, which caches lookups. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Host, isSeen } from '../../host.ts';
import { BUS_NAME_RETRY_MS, BUS_NAME_TRIES } from '../../limits.ts';
import { type Finding, findingsOf } from '../finding.ts';

const BUS_SOCKET = '/run/dbus/system_bus_socket';
const BUS_NAME = 'io.dynuser.Allocator1';
const POLICY = `${BUS_NAME}.conf`;
/** dbus-daemon(1): the directories of policies, of packages and of the administrator. */
const POLICY_DIRECTORIES = ['/usr/share/dbus-1/system.d', '/etc/dbus-1/system.d'];
const NSCD_SOCKET = '/run/nscd/socket';

/** @param pause between two questions of the bus */
export async function checkServices(host: Host, pause = () => sleep(BUS_NAME_RETRY_MS)): Promise<Finding[]> {
  return [await checkBus(host, pause), checkNscd(host)];
}

async function checkBus(host: Host, pause: () => Promise<void>): Promise<Finding> {
  const { ok, warning, unknown } = findingsOf('D-Bus');
  if (host.inode(BUS_SOCKET) === undefined) {
    return ok('this host has no system bus, and needs none: the daemon serves varlink');
  }
  if (POLICY_DIRECTORIES.every(directory => host.inode(`${directory}/${POLICY}`) === undefined)) {
    const words = `no policy lets dynuserd have the name ${BUS_NAME}`;
    return warning(words, `install ${POLICY} in ${POLICY_DIRECTORIES[0]}, then 'systemctl reload dbus'`);
  }
  const hasOwner = await waitForOwner(host, pause);
  if (hasOwner === undefined) {
    return unknown('the bus could not be asked whether the name has an owner');
  }
  return hasOwner
    ? ok(`${BUS_NAME} is there`)
    : warning(`nobody has the name ${BUS_NAME} on the bus`, "restart dynuserd; 'journalctl -u dynuserd' says why not");
}

/** A daemon that has just started, by the question of this command maybe, answers before it has got its name on the bus. */
async function waitForOwner(host: Host, pause: () => Promise<void>): Promise<boolean | undefined> {
  let hasOwner = await askOwner(host);
  for (let tries = 1; tries < BUS_NAME_TRIES && hasOwner === false; tries++) {
    await pause();
    hasOwner = await askOwner(host);
  }
  return hasOwner;
}

/**
 * busctl(1) comes with systemd, dbus-send(1) with dbus-daemon: a host with a bus has one of them.
 * @returns whether our name has an owner; undefined if the bus does not say
 */
async function askOwner(host: Host): Promise<boolean | undefined> {
  const destination = 'org.freedesktop.DBus';
  const path = '/org/freedesktop/DBus';
  const busctl = ['--system', '--timeout=3', 'call', destination, path, destination, 'NameHasOwner', 's', BUS_NAME];
  const dbusSend = [
    ...['--system', '--print-reply=literal', '--reply-timeout=3000', `--dest=${destination}`],
    ...[path, `${destination}.NameHasOwner`, `string:${BUS_NAME}`],
  ];
  const answer = (await host.run(['busctl', ...busctl])) ?? (await host.run(['dbus-send', ...dbusSend]));
  return isSeen(answer) && answer.status === 0 ? /\btrue\b/.test(answer.output) : undefined;
}

function checkNscd(host: Host): Finding {
  const { ok } = findingsOf('nscd');
  return host.inode(NSCD_SOCKET) === undefined
    ? ok('no nscd, which would cache users that are gone')
    : ok(
        'nscd is running, and dynuserd clears its cache when a user comes or goes; or it is dynuserd, with NscdSocket=yes',
      );
}
