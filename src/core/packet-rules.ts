/** What the packets of a user are held to, as its lease file keeps it: IPAddressDeny= and its siblings, made plain. Pure. */

/** Both lists are sorted, so that equal rules have equal texts. */
export interface PacketRules {
  /** addresses that nothing goes to or comes from, each as one address or as "FIRST-LAST", without overlaps */
  readonly denied: readonly string[];
  /** the interfaces that can be used; with `denied`, those that cannot */
  readonly interfaces?: { readonly denied: boolean; readonly names: readonly string[] };
}

export const NO_PACKET_RULES: PacketRules = { denied: [] };

/** Spans of addresses, and interfaces, of one user. */
export const PACKET_SPANS_MAX = 4_096;
const INTERFACES_MAX = 1_024;

/** Neither has a character that means anything to nft(8). */
const SPAN = /^[\d.]{7,15}(?:-[\d.]{7,15})?$|^[\da-f:]{2,39}(?:-[\da-f:]{2,39})?$/;
const INTERFACE = /^[A-Za-z0-9][A-Za-z0-9._@-]{0,14}$/;

export function restrictsPackets(rules: PacketRules | undefined): rules is PacketRules {
  return rules !== undefined && (rules.denied.length > 0 || rules.interfaces !== undefined);
}

export function samePacketRules(one: PacketRules, other: PacketRules): boolean {
  return JSON.stringify(ordered(one)) === JSON.stringify(ordered(other));
}

/** Whether the name of an interface can be written in a rule. */
export function isPlainInterface(name: string): boolean {
  return INTERFACE.test(name);
}

/** @returns the rules that an object has; undefined if it has not this shape, or is out of bounds */
export function readPacketRules(value: unknown): PacketRules | undefined {
  const { denied, interfaces } = fieldsOf(value);
  const spans = textsOf(denied, PACKET_SPANS_MAX, SPAN);
  if (spans === undefined || interfaces === undefined) {
    return spans && { denied: spans };
  }
  const { denied: isDenied, names } = fieldsOf(interfaces);
  const known = textsOf(names, INTERFACES_MAX, INTERFACE);
  return typeof isDenied !== 'boolean' || known === undefined
    ? undefined
    : { denied: spans, interfaces: { denied: isDenied, names: known } };
}

function ordered({ denied, interfaces }: PacketRules) {
  return [denied, interfaces?.denied, interfaces?.names];
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}

function textsOf(value: unknown, max: number, shape: RegExp): readonly string[] | undefined {
  const isList = Array.isArray(value) && value.length <= max;
  return isList && value.every((text): text is string => typeof text === 'string' && shape.test(text))
    ? value
    : undefined;
}
