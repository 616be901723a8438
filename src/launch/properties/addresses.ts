/**
 * With whom the service may speak over the network (systemd.resource-control(5), IPAddressAllow= and its siblings). systemd
 * filters the packets of a control group. Here they are filtered by the UID of a dynamic user; and if the network is the
 * service's own, what they say of its loopback interface is all that there is to say.
 */
import { quote } from '../errors.ts';
import { inOrder } from '../syntax/comparisons.ts';
import type { ValueContext } from '../syntax/values.ts';
import { entriesOf, list, property } from './property.ts';

/** An address and how many of its first bits count. */
export interface AddressRange {
  readonly address: bigint;
  readonly length: number;
  readonly bits: 32 | 128;
}

/** Names of interfaces: those that may be used, or that may not be. */
export interface Interfaces {
  readonly denied: boolean;
  readonly names: readonly string[];
}

export const NETWORK_FILTERS = {
  IPAddressAllow: list(readRanges, {
    manual: 'Addresses that IPAddressDeny= leaves: ADDRESS, ADDRESS/BITS, any, localhost, link-local, multicast.',
  }),
  IPAddressDeny: list(readRanges, {
    manual:
      'Addresses that no packet comes from or goes to; any leaves no network. Takes nft(8) and a dynamic user, or PrivateNetwork=yes.',
  }),
  RestrictNetworkInterfaces: property<Interfaces | undefined>(undefined, readInterfaces, {
    manual:
      'The interfaces that can be used. ~ before a list denies these alone. Takes nft(8) and a dynamic user, or PrivateNetwork=yes.',
  }),
  SocketBindAllow: list(readBindRules, {
    manual: 'Ports that SocketBindDeny= leaves: [ipv4:|ipv6:][tcp:|udp:]PORT, FIRST-LAST, or any.',
  }),
  SocketBindDeny: list(readBindRules, {
    manual: 'Ports that no socket can have by bind(2). Takes a service that can make no sockets of a network.',
  }),
};

const PORT_MAX = 65_535;
const BIND_RULE = /^(?:ipv[46](?::|$))?(?:(?:tcp|udp)(?::|$))?(?:any|(\d{1,5})(?:-(\d{1,5}))?)?$/;

const NAMED: ReadonlyMap<string, readonly string[]> = new Map([
  ['any', ['0.0.0.0/0', '::/0']],
  ['localhost', ['127.0.0.0/8', '::1/128']],
  ['link-local', ['169.254.0.0/16', 'fe80::/64']],
  ['multicast', ['224.0.0.0/4', 'ff00::/8']],
]);

export const LOOPBACK = (NAMED.get('localhost') ?? []).flatMap(text => rangeOf(text) ?? []);

function readRanges(text: string, context: ValueContext): AddressRange[] {
  return entriesOf(text, 'plain', context, word => word).flatMap(word =>
    (NAMED.get(word) ?? [word]).map(
      part =>
        rangeOf(part) ??
        context.fail(`not an address: ${quote(word)}; use ADDRESS/BITS, any, localhost, link-local or multicast`),
    ),
  );
}

function rangeOf(text: string): AddressRange | undefined {
  const [, host = '', suffix] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const four = ipv4Of(host);
  const address = four ?? ipv6Of(host);
  const bits = four === undefined ? 128 : 32;
  const length = suffix === undefined ? bits : Number(suffix);
  return address === undefined || length > bits ? undefined : { address, length, bits };
}

function ipv4Of(text: string): bigint | undefined {
  const parts = text.split('.');
  const isOne = parts.length === 4 && parts.every(part => /^(?:0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256);
  return isOne ? joined(parts, 10, 8n) : undefined;
}

/** As inet_pton(3) reads it. */
function ipv6Of(text: string): bigint | undefined {
  // The last two groups may be written as an address of version 4.
  const plain = text.replace(/\d[\d.]*\.[\d.]*$/, tail => {
    const four = ipv4Of(tail);
    return four === undefined ? 'invalid' : `${(four >> 16n).toString(16)}:${(four & 0xffffn).toString(16)}`;
  });
  const [head = '', tail, more] = plain.split('::');
  const groups = (part: string): string[] => (part === '' ? [] : part.split(':'));
  const [first, last] = [groups(head), groups(tail ?? '')];
  const missing = 8 - first.length - last.length;
  const isOne = more === undefined && (tail === undefined ? missing === 0 : missing > 0);
  if (!isOne || ![...first, ...last].every(group => /^[\da-f]{1,4}$/i.test(group))) {
    return undefined;
  }
  return joined([...first, ...Array<string>(missing).fill('0'), ...last], 16, 16n);
}

function joined(parts: readonly string[], radix: 10 | 16, width: bigint): bigint {
  return parts.reduce((sum, part) => (sum << width) | BigInt(Number.parseInt(part, radix)), 0n);
}

/** @returns whether a list has all of a range, a part of it, or nothing */
function shareOf(ranges: readonly AddressRange[], range: AddressRange): 'all' | 'part' | 'nothing' {
  const shares = ranges
    .filter(({ bits }) => bits === range.bits)
    .map(({ address, length, bits }) => {
      const common = BigInt(bits - Math.min(length, range.length));
      return address >> common !== range.address >> common ? 'nothing' : length <= range.length ? 'all' : 'part';
    });
  return shares.includes('all') ? 'all' : shares.includes('part') ? 'part' : 'nothing';
}

/** @returns whether packets with addresses of a range pass; undefined if it is so for a part of them */
export function mayPass(
  allowed: readonly AddressRange[],
  denied: readonly AddressRange[],
  range: AddressRange,
): boolean | undefined {
  const [open, shut] = [shareOf(allowed, range), shareOf(denied, range)];
  if (open === 'all' || shut === 'nothing') {
    return true;
  }
  return open === 'nothing' && shut === 'all' ? false : undefined;
}

/** Addresses next to each other, of one version. */
interface Span {
  readonly first: bigint;
  readonly last: bigint;
}

/** @returns the addresses that are denied and not allowed, as rules have them: sorted, without overlaps */
export function deniedSpans(allowed: readonly AddressRange[], denied: readonly AddressRange[]): string[] {
  return ([32, 128] as const).flatMap(bits => {
    const write = bits === 32 ? ipv4Text : ipv6Text;
    return without(spansOf(denied, bits), spansOf(allowed, bits)).map(({ first, last }) =>
      first === last ? write(first) : `${write(first)}-${write(last)}`,
    );
  });
}

/** @returns the ranges of one version, sorted and merged */
function spansOf(ranges: readonly AddressRange[], bits: 32 | 128): Span[] {
  const spans = ranges
    .filter(range => range.bits === bits)
    .map(({ address, length }) => {
      const free = BigInt(bits - length);
      const first = (address >> free) << free;
      return { first, last: first + (1n << free) - 1n };
    })
    .sort((one, other) => inOrder(one.first, other.first));
  const merged: Span[] = [];
  for (const span of spans) {
    const before = merged.at(-1);
    if (before === undefined || span.first > before.last + 1n) {
      merged.push(span);
    } else if (span.last > before.last) {
      merged[merged.length - 1] = { first: before.first, last: span.last };
    }
  }
  return merged;
}

/** @param spans and those to take away: both sorted and merged */
function without(spans: readonly Span[], away: readonly Span[]): Span[] {
  const left: Span[] = [];
  let next = 0;
  for (const { first, last } of spans) {
    let from = first;
    while (next < away.length && (away[next]?.last ?? 0n) < from) {
      next++;
    }
    for (let index = next; index < away.length && from <= last; index++) {
      const gap = away[index];
      if (gap === undefined || gap.first > last) {
        break;
      }
      if (gap.first > from) {
        left.push({ first: from, last: gap.first - 1n });
      }
      from = gap.last + 1n;
    }
    if (from <= last) {
      left.push({ first: from, last });
    }
  }
  return left;
}

function ipv4Text(address: bigint): string {
  return [24n, 16n, 8n, 0n].map(shift => (address >> shift) & 0xffn).join('.');
}

function ipv6Text(address: bigint): string {
  return Array.from({ length: 8 }, (_, index) => ((address >> BigInt(112 - 16 * index)) & 0xffffn).toString(16)).join(
    ':',
  );
}

/** One rule an assignment: a family, a protocol and ports, of which at least one is said. */
function readBindRules(text: string, { expand, fail }: ValueContext): string[] {
  const rule = expand(text);
  const [, first = '0', last = first] = BIND_RULE.exec(rule) ?? [];
  const isOne = rule !== '' && BIND_RULE.test(rule) && !rule.endsWith(':');
  return isOne && Number(first) <= Number(last) && Number(last) <= PORT_MAX
    ? [rule]
    : fail(`not a rule for ports: ${quote(rule)}; use [ipv4:|ipv6:][tcp:|udp:]PORT, FIRST-LAST, or any`);
}

/** The first value says whether its names are allowed or denied; later ones add to them or take from them. */
function readInterfaces(text: string, previous: Interfaces | undefined, context: ValueContext): Interfaces | undefined {
  if (text === '') {
    return undefined;
  }
  const denied = text.startsWith('~');
  const names = entriesOf(denied ? text.slice(1) : text, 'plain', context, word =>
    /^[^\s/:]{1,15}$/.test(word) && !['.', '..'].includes(word)
      ? word
      : context.fail(`not the name of an interface: ${quote(word)}; use those of ip-link(8)`),
  );
  const known = previous ?? { denied, names: [] };
  const others = known.names.filter(name => !names.includes(name));
  return { denied: known.denied, names: known.denied === denied ? [...others, ...names] : others };
}

export function mayUse({ denied, names }: Interfaces, name: string): boolean {
  return names.includes(name) !== denied;
}
