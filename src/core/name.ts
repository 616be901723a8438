/**
 * The grammars of names, and how a user name comes from a unit name. Strict names are the ones that are given out;
 * relaxed names are the ones that a lookup may ask for (systemd, docs/USER_NAMES.md).
 */
import type { UnitName, UserName } from './ids.ts';
import { siphash24 } from './siphash.ts';

/** The longest user name in bytes: what fits into the ut_user field of utmp(5). */
export const USER_NAME_MAX = 31;
/** The longest unit name in bytes (systemd.unit(5)). */
const UNIT_NAME_MAX = 255;

const USER_NAME = /^[A-Za-z_][A-Za-z0-9_-]{0,30}$/;
/** systemd.unit(5): letters, digits, ":-_.\" and, between prefix and instance, "@". */
const UNIT_NAME = /^[A-Za-z0-9:_.\\-]+(?:@[A-Za-z0-9:_.\\@-]*)?$/;
const UNIT_SUFFIX = /\.(?:service|socket|mount|swap|slice|scope|timer|path|target|device|automount)$/;

/** Those of ASCII: what is one in Unicode alone may be in a name. */
const CONTROL_CHARACTER = /[^\P{Cc}\u0080-\u009f]/u;

/** systemd, src/core/dynamic-user.c: the key of the hash that stands in for a prefix that is not a user name. */
const NAME_KEY = Uint8Array.from([
  0x58, 0x1a, 0xaf, 0xe6, 0x28, 0x58, 0x4e, 0x96, 0xb4, 0x4e, 0xf5, 0x3b, 0x8c, 0x92, 0x07, 0xec,
]);

/** @returns the text as a user name, or the reason why it cannot be one */
export function parseUserName(text: string): { readonly name: UserName } | { readonly reason: string } {
  if (USER_NAME.test(text)) {
    return { name: text as UserName };
  }
  const subject = `the user name ${quote(text)}`;
  if (text === '') {
    return { reason: 'the user name is empty' };
  }
  if (Buffer.byteLength(text) > USER_NAME_MAX) {
    return { reason: `${subject} has more than ${USER_NAME_MAX} bytes` };
  }
  if (/^\d+$/.test(text)) {
    return { reason: `${subject} is a number; a UID cannot be asked for by number` };
  }
  return { reason: `${subject} must start with a letter or "_" and hold only A-Z a-z 0-9 _ -` };
}

/** @returns the text as a user name; undefined if it cannot be one */
export function asUserName(text: string): UserName | undefined {
  return USER_NAME.test(text) ? (text as UserName) : undefined;
}

/** @returns the text as a unit name, with or without a type suffix, or the reason why it cannot be one */
export function parseUnitName(text: string): { readonly unit: UnitName } | { readonly reason: string } {
  if (text === '') {
    return { reason: 'the unit name is empty' };
  }
  if (Buffer.byteLength(text) > UNIT_NAME_MAX) {
    return { reason: `the unit name ${quote(text)} has more than ${UNIT_NAME_MAX} bytes` };
  }
  if (!UNIT_NAME.test(text) || text === '.' || text === '..') {
    return { reason: `the unit name ${quote(text)} must hold only A-Z a-z 0-9 : - _ . \\ and a prefix before any "@"` };
  }
  return { unit: text as UnitName };
}

export interface DerivedName {
  readonly name: UserName;
  /** how it came about, in words */
  readonly origin: string;
}

/**
 * Derives the user name of a unit as systemd does for DynamicUser= without User=: the unit's prefix, or if that is
 * not a user name, "_du" and the 16 hexadecimal digits of its hash.
 * @param perInstance keeps the instance of a template in, so that each instance has a user of its own
 */
export function deriveUserName(unit: UnitName, perInstance: boolean): DerivedName {
  const stem = unit.replace(UNIT_SUFFIX, '');
  const at = stem.indexOf('@');
  const whole = perInstance || at < 0;
  const subject = whole ? stem : stem.slice(0, at);
  if (USER_NAME.test(subject)) {
    return { name: subject as UserName, origin: `the ${whole ? 'name' : 'template prefix'} of the unit ${unit}` };
  }
  const digest = siphash24(NAME_KEY, new TextEncoder().encode(subject));
  return {
    name: `_du${digest.toString(16).padStart(16, '0')}` as UserName,
    origin: `a hash of "${subject}", which is not a user name`,
  };
}

/**
 * Whether a lookup may ask for the text as a user or group name: systemd's relaxed rules, which its own user database
 * applies before it looks (valid_user_group_name() with VALID_USER_RELAX).
 */
export function isLookupName(text: string): boolean {
  return (
    text !== '' &&
    text !== '.' &&
    text !== '..' &&
    !text.startsWith(' ') &&
    !text.endsWith(' ') &&
    !/[:/]/.test(text) &&
    !CONTROL_CHARACTER.test(text) &&
    !/^(?:\d+|-\d*)$/.test(text)
  );
}

/** Quotes what came from outside: control characters escaped, and cut to a length that fits into a message. */
export function quote(text: string, shown = 64): string {
  return JSON.stringify(text.length > shown ? `${text.slice(0, shown)}…` : text);
}
