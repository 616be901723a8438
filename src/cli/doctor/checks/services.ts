/** Other services of the host: the system bus, which the daemon may use, and nscd, which caches lookups. */
import { setTimeout as sleep } from 'node:timers/promises';
import { BUS_NAME_RETRY_MS, BUS_NAME_TRIES } from '../../limits.ts';
import { type Finding, findingsOf } from '../finding.ts';
import { type CommandResult, type Host, type Inode, type Observed, Unreadable } from '../host.ts';

export interface ServiceFacts {
  readonly bus: Observed<Inode>;
  readonly policies: readonly Observed<Inode>[];
  /** what the bus says about our name */
  readonly owned: Observed<CommandResult>;
  readonly nscd: Observed<Inode>;
}

const BUS_SOCKET = '/run/dbus/system_bus_socket';
const BUS_NAME = 'io.dynuser.Allocator1';
const POLICY = `${BUS_NAME}.conf`;
/** dbus-daemon(1): the directories of policies, of packages and of the administrator. */
const POLICY_DIRECTORIES = ['/usr/share/dbus-1/system.d', '/etc/dbus-1/system.d'];
const NSCD_SOCKET = '/run/nscd/socket';

/** @param pause between two questions of the bus */
export async function inspectServices(host: Host, pause = () => sleep(BUS_NAME_RETRY_MS)): Promise<ServiceFacts> {
  const bus = host.inode(BUS_SOCKET);
  return {
    bus,
    policies: POLICY_DIRECTORIES.map(directory => host.inode(`${directory}/${POLICY}`)),
    owned: bus === undefined ? undefined : await waitForOwner(host, pause),
    nscd: host.inode(NSCD_SOCKET),
  };
}

/** A daemon that has just started, by the question of this command maybe, answers before it has got its name on the bus. */
async function waitForOwner(host: Host, pause: () => Promise<void>): Promise<Observed<CommandResult>> {
  let owned = await askOwner(host);
  for (let tries = 1; tries < BUS_NAME_TRIES && isAnswered(owned) && !hasOwner(owned); tries++) {
    await pause();
    owned = await askOwner(host);
  }
  return owned;
}

function isAnswered(owned: Observed<CommandResult>): owned is CommandResult {
  return owned !== undefined && !(owned instanceof Unreadable) && owned.status === 0;
}

function hasOwner({ output }: CommandResult): boolean {
  return /\btrue\b/.test(output);
}

/** busctl(1) comes with systemd, dbus-send(1) with dbus-daemon: a host with a bus has one of them. */
async function askOwner(host: Host): Promise<Observed<CommandResult>> {
  const destination = 'org.freedesktop.DBus';
  const path = '/org/freedesktop/DBus';
  const asked = await host.run([
    ...['busctl', '--system', '--timeout=3', 'call'],
    ...[destination, path, destination, 'NameHasOwner', 's', BUS_NAME],
  ] as [string, ...string[]]);
  return (
    asked ??
    (await host.run([
      ...['dbus-send', '--system', '--print-reply=literal', '--reply-timeout=3000', `--dest=${destination}`],
      ...[path, `${destination}.NameHasOwner`, `string:${BUS_NAME}`],
    ] as [string, ...string[]]))
  );
}

export function judgeServices(facts: ServiceFacts): Finding[] {
  return [judgeBus(facts), judgeNscd(facts.nscd)];
}

function judgeBus({ bus, policies, owned }: ServiceFacts): Finding {
  const { ok, warning, unknown } = findingsOf('D-Bus');
  if (bus === undefined) {
    return ok('this host has no system bus, and needs none: the daemon serves varlink');
  }
  if (policies.every(policy => policy === undefined)) {
    const words = `no policy lets dynuserd have the name ${BUS_NAME}`;
    return warning(words, `install ${POLICY} in ${POLICY_DIRECTORIES[0]}, then 'systemctl reload dbus'`);
  }
  if (!isAnswered(owned)) {
    return unknown('the bus could not be asked whether the name has an owner');
  }
  return hasOwner(owned)
    ? ok(`${BUS_NAME} is there`)
    : warning(`nobody has the name ${BUS_NAME} on the bus`, "restart dynuserd; 'journalctl -u dynuserd' says why not");
}

function judgeNscd(nscd: Observed<Inode>): Finding {
  const { ok } = findingsOf('nscd');
  return nscd === undefined
    ? ok('no nscd, which would cache users that are gone')
    : ok('nscd is running; dynuserd clears its cache when a user comes or goes');
}
