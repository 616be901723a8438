/** Gathers what the store of a fleet has, and finds what in it cannot be right. */
import type {
  Binding,
  BindingsReply,
  Change,
  HoldsOfReply,
  Host,
  HostsReply,
  StatusReply,
} from '../../api/generated/io-dynuser-fleet.ts';
import { inRange, parseRange } from '../../core/range.ts';
import { CommandFailure } from '../failure.ts';
import { compareTexts } from '../leases.ts';
import { printable } from '../render/text.ts';
import type { Companion } from './companion.ts';

/** A name of the fleet, with the hosts that may run its user. */
export interface FleetName {
  readonly name: string;
  readonly uid: number;
  readonly state: Change['state'];
  /** by their names */
  readonly hosts: readonly string[];
}

export interface Survey {
  readonly status: StatusReply;
  readonly hosts: readonly Host[];
  /** ascending by name */
  readonly bindings: readonly Change[];
  /** by host */
  readonly holds: ReadonlyMap<string, readonly Binding[]>;
}

export async function hostsOf(companion: Companion): Promise<Host[]> {
  const replies = await companion.list<HostsReply>('Hosts');
  const hosts = replies.flatMap(({ host, hosts: several = [] }) => [...(host === undefined ? [] : [host]), ...several]);
  return hosts.sort(
    (one, other) => compareTexts(nameOfHost(one), nameOfHost(other)) || compareTexts(one.host, other.host),
  );
}

/** @returns what is bound, and what cools down */
export async function bindingsOf(companion: Companion): Promise<Change[]> {
  const found = new Map<string, Change>();
  for (const { reset, changes } of await companion.list<BindingsReply>('Bindings', { once: true })) {
    if (reset) {
      found.clear();
    }
    for (const change of changes) {
      // A name may have a UID that cools down, and a new one.
      const key = `${change.uid} ${change.name}`;
      if (change.state === 'free') {
        found.delete(key);
      } else {
        found.set(key, change);
      }
    }
  }
  return [...found.values()].sort((one, other) => compareTexts(one.name, other.name) || one.uid - other.uid);
}

export async function surveyOf(companion: Companion): Promise<Survey> {
  const status = await companion.call<StatusReply>('Status');
  const hosts = await hostsOf(companion);
  const bindings = await bindingsOf(companion);
  const holds = new Map<string, Binding[]>();
  for (const { host } of hosts) {
    const replies = await companion.list<HoldsOfReply>('HoldsOf', { host });
    holds.set(
      host,
      replies.flatMap(reply => reply.holds),
    );
  }
  return { status, hosts, bindings, holds };
}

export function namesOf({ hosts, bindings, holds }: Survey): FleetName[] {
  const holders = new Map<string, string[]>();
  for (const host of hosts) {
    for (const { name } of holds.get(host.host) ?? []) {
      holders.set(name, [...(holders.get(name) ?? []), nameOfHost(host)]);
    }
  }
  return bindings.map(({ name, uid, state }) => ({
    name,
    uid,
    state,
    hosts: state === 'bound' ? (holders.get(name) ?? []) : [],
  }));
}

/** @returns the name that a host has given, or its id */
export function nameOfHost({ host, hostName }: Pick<Host, 'host' | 'hostName'>): string {
  return hostName ?? host;
}

/** @param wanted a host's id, or its name. @throws CommandFailure unless exactly one has it */
export function findHost(hosts: readonly Host[], wanted: string): Host {
  const found = hosts.filter(({ host, hostName }) => host === wanted || hostName === wanted);
  const [only, ...others] = found;
  if (only === undefined) {
    throw new CommandFailure(`the fleet has no host ${printable(wanted)}; 'dynuserctl fleet hosts' shows all`);
  }
  if (others.length > 0) {
    const ids = found.map(({ host }) => host).join(', ');
    throw new CommandFailure(`${printable(wanted)} is the name of several hosts: ${ids}; say which by its id`);
  }
  return only;
}

/** @returns what cannot be right, in words; nothing of it comes from the fleet's own programs */
export function faultsOf({ status, hosts, bindings, holds }: Survey): string[] {
  const bound = new Map(bindings.filter(({ state }) => state === 'bound').map(({ name, uid }) => [name, uid]));
  return [
    ...(status.restoring
      ? [
          "the store was restored from a backup, and names are not given to further hosts before 'dynuserctl fleet resume'",
        ]
      : []),
    ...faultsOfBindings(bindings, status.ranges),
    ...hosts.flatMap(host => faultsOfHolds(host, holds.get(host.host) ?? [], bound)),
  ];
}

function faultsOfBindings(bindings: readonly Change[], ranges: string | undefined): string[] {
  const range = ranges === undefined ? undefined : parseRange(ranges);
  const byUid = new Map<number, string>();
  const byName = new Map<string, number>();
  return bindings.flatMap(({ name, uid, state }) => {
    const shown = `${printable(name)} has the UID ${uid}`;
    const faults: string[] = [];
    const other = byUid.get(uid);
    if (other !== undefined) {
      faults.push(`${shown}, and so has ${printable(other)}`);
    }
    byUid.set(uid, name);
    if (state === 'bound') {
      const former = byName.get(name);
      if (former !== undefined) {
        faults.push(`${shown}, and the UID ${former}`);
      }
      byName.set(name, uid);
    }
    if (range !== undefined && typeof range !== 'string' && !inRange(range, uid)) {
      faults.push(`${shown}, which does not belong to the fleet`);
    }
    return faults;
  });
}

function faultsOfHolds(host: Host, held: readonly Binding[], bound: ReadonlyMap<string, number>): string[] {
  const where = printable(nameOfHost(host));
  if (host.fenced) {
    return held.length === 0 ? [] : [`${where} was given up, and still holds ${held.length} names`];
  }
  return held.flatMap(({ name, uid }) => {
    const now = bound.get(name);
    if (now === uid) {
      return [];
    }
    const words = now === undefined ? 'which is bound to none' : `which has the UID ${now}`;
    return [`${where} holds ${printable(name)} with the UID ${uid}, ${words}`];
  });
}
