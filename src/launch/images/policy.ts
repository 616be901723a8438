/** Which parts of an image may be used, and how (systemd.image-policy(7)). Pure. */
import { quote } from '../errors.ts';
import type { ValueContext } from '../syntax/values.ts';
import { DESIGNATORS, type Designator, OTHER_DESIGNATORS } from './partitions.ts';

/** verity, signed, encrypted, unprotected: the part is used so. unused: it is there and left alone. absent: it is not there */
const USES = ['verity', 'signed', 'encrypted', 'unprotected', 'unused', 'absent'] as const;
type Use = (typeof USES)[number];
const WORDS: Readonly<Record<string, readonly Use[]>> = {
  ...Object.fromEntries(USES.map(use => [use, [use]])),
  open: USES,
  ignore: ['unused', 'absent'],
};
/** What can be asked of the flags of a partition; they stay as they are. */
const FLAGS: ReadonlySet<string> = new Set(['read-only-on', 'read-only-off', 'growfs-on', 'growfs-off']);

export interface ImagePolicy {
  readonly uses: ReadonlyMap<string, ReadonlySet<Use>>;
  /** of all that has none */
  readonly rest: ReadonlySet<Use>;
}

const ANY = new Set<Use>(USES);
/** systemd's own for services. */
export const SERVICE_POLICY: ImagePolicy = {
  uses: new Map(DESIGNATORS.map(name => [name, new Set(['verity', 'signed', 'encrypted', 'unprotected', 'absent'])])),
  rest: new Set(['unused', 'absent']),
};

/** Reads PARTITION=USE+USE:…, "*", "-" or "~". */
export function readPolicy(text: string, { fail }: ValueContext): ImagePolicy {
  const whole = { '*': ANY, '-': new Set<Use>(['unused', 'absent']), '~': new Set<Use>(['absent']) }[text];
  if (whole !== undefined) {
    return { uses: new Map(), rest: whole };
  }
  const uses = new Map<string, ReadonlySet<Use>>();
  let rest: ReadonlySet<Use> = new Set(['unused', 'absent']);
  for (const rule of text.split(':')) {
    const [, name, words] = /^([a-z-]*)=(.*)$/s.exec(rule) ?? [];
    if (name === undefined || words === undefined || !(name === '' || isDesignator(name)) || uses.has(name)) {
      return fail(`not a rule of an image policy: ${quote(rule)}; use PARTITION=USE+USE, such as root=unprotected`);
    }
    const found = words
      .split('+')
      .flatMap(word =>
        FLAGS.has(word) || word === ''
          ? []
          : (WORDS[word] ?? fail(`not a use of an image policy: ${quote(word)}; use ${Object.keys(WORDS).join(', ')}`)),
      );
    // As with systemd, flags alone say nothing of the use.
    const allowed: ReadonlySet<Use> = found.length === 0 && words !== '' ? ANY : new Set(found);
    if (name === '') {
      rest = allowed;
    } else {
      uses.set(name, allowed);
    }
  }
  return { uses, rest };
}

export function isDesignator(name: string): boolean {
  return [...DESIGNATORS, ...OTHER_DESIGNATORS].some(known => known === name);
}

/**
 * @param designator a part that is there, whose file system is mounted as it is: neither verified nor decrypted
 * @returns whether it is used; a text says why the image must not be
 */
export function judgePart(policy: ImagePolicy, designator: Designator): 'use' | 'leave' | string {
  const uses = policy.uses.get(designator) ?? policy.rest;
  if (uses.has('unprotected')) {
    return 'use';
  }
  if (uses.has('unused')) {
    return 'leave';
  }
  return uses.has('verity') || uses.has('signed') || uses.has('encrypted')
    ? `the image policy wants its ${designator} to be ${[...uses].filter(use => use !== 'absent').join(' or ')}, and dynuser-run neither verifies nor decrypts images`
    : `the image policy wants no ${designator} in it, and there is one`;
}

/** @returns what must be there and is not */
export function missingPart(policy: ImagePolicy, present: readonly Designator[]): Designator | undefined {
  return DESIGNATORS.find(name => !present.includes(name) && !(policy.uses.get(name) ?? policy.rest).has('absent'));
}
