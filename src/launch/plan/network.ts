/**
 * How IPAddressAllow= and its siblings are carried out. systemd filters the packets of a control group. Here the
 * network is the service's own, or its user is, by whose UID its packets are known; otherwise the properties are refused. Pure.
 */
import { isPlainInterface, PACKET_SPANS_MAX, type PacketRules } from '../../core/packet-rules.ts';
import { defined } from '../defined.ts';
import { checkLimit, failFor, quote } from '../errors.ts';
import { deniedSpans, LOOPBACK, mayPass, mayUse } from '../properties/addresses.ts';
import { makesLocalSocketsOnly } from '../properties/filters.ts';
import type { ExecSettings } from '../properties/table.ts';
import { capabilityNames, OWN_RULES_CAPABILITIES } from '../syntax/capabilities.ts';

const PROPERTIES = ['IPAddressDeny', 'RestrictNetworkInterfaces', 'IPAddressAllow'] as const;

export interface NetworkLimits {
  /** the loopback interface of a network of PrivateNetwork= stays down */
  readonly closesLoopback: boolean;
  /** what the packets of the dynamic user are held to */
  readonly packetRules?: PacketRules;
}

const OPEN: NetworkLimits = { closesLoopback: false };

/**
 * @param fields of each property that was given, the field of an error about it
 * @throws DynuserError LaunchFailed if the properties take what the launch does not have
 */
export function networkLimits(settings: ExecSettings, fields: ReadonlyMap<string, string>): NetworkLimits {
  const { PrivateNetwork, NetworkNamespacePath, IPAddressAllow, IPAddressDeny, RestrictNetworkInterfaces } = settings;
  const hasNoSockets = makesLocalSocketsOnly(settings.RestrictAddressFamilies, settings.SystemCallArchitectures);
  if (settings.SocketBindDeny.length > 0 && !hasNoSockets) {
    failFor(fields.get('SocketBindDeny') ?? 'SocketBindDeny')(
      'no filter of packets keeps a program from binding a port, and control groups are of what starts the launcher; use RestrictAddressFamilies=AF_UNIX with SystemCallArchitectures=native, or leave it out and --ignore-unknown',
    );
  }
  const isFiltered = IPAddressDeny.length > 0 || RestrictNetworkInterfaces !== undefined;
  if (!isFiltered || (!PrivateNetwork && hasNoSockets)) {
    return OPEN;
  }
  const given = PROPERTIES.find(name => fields.has(name)) ?? 'IPAddressDeny';
  const fail = failFor(fields.get(given) ?? given);
  if (NetworkNamespacePath !== undefined) {
    return fail(
      "packets are filtered in the host's network alone, not in that of NetworkNamespacePath=; leave one of the two out, or use a firewall there and --ignore-unknown",
    );
  }
  if (!PrivateNetwork) {
    return { closesLoopback: false, packetRules: packetRulesOf(settings, fail, given) };
  }
  const passes = LOOPBACK.map(range => mayPass(IPAddressAllow, IPAddressDeny, range));
  const hasInterface = RestrictNetworkInterfaces === undefined || mayUse(RestrictNetworkInterfaces, 'lo');
  if (!hasInterface || passes.every(pass => pass === false)) {
    return { closesLoopback: true };
  }
  return passes.every(pass => pass === true)
    ? OPEN
    : fail('a part of the addresses of the loopback interface takes a filter of packets; name localhost, or any');
}

function packetRulesOf(
  { DynamicUser, IPAddressAllow, IPAddressDeny, RestrictNetworkInterfaces, ...settings }: ExecSettings,
  fail: (reason: string) => never,
  field: string,
): PacketRules {
  if (!DynamicUser) {
    fail(
      'packets are told by the UID of a dynamic user, and this one has other processes; use DynamicUser=yes, or PrivateNetwork=yes, or RestrictAddressFamilies=AF_UNIX with SystemCallArchitectures=native, or a firewall and --ignore-unknown',
    );
  }
  const powers = settings.AmbientCapabilities & settings.CapabilityBoundingSet & OWN_RULES_CAPABILITIES;
  if (powers !== 0n) {
    fail(
      `a service with ${capabilityNames(powers).join(', ')} can undo a filter of packets; take it out of AmbientCapabilities=`,
    );
  }
  const denied = deniedSpans(IPAddressAllow, IPAddressDeny);
  checkLimit(denied.length, PACKET_SPANS_MAX, 'spans of addresses', field);
  const { denied: areDenied = false, names = [] } = RestrictNetworkInterfaces ?? {};
  const strange = names.find(name => !isPlainInterface(name));
  if (strange !== undefined) {
    fail(`not a name for a rule: the interface ${quote(strange)}; use letters, digits and "._@-"`);
  }
  const interfaces = RestrictNetworkInterfaces && { denied: areDenied, names: [...new Set(names)].sort() };
  return defined({ denied, interfaces });
}
