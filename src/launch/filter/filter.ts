/**
 * What a filter of system calls does, as its property has it, and what several of them do together: of all their actions the
 * kernel takes the strictest (seccomp(2)), and so does the one that they become. Pure.
 */
import type { LaunchPlan } from '../../api/generated/io-dynuser-allocator.ts';
import { type Abi, callsOfGroup, targetsOf } from './abi.ts';

/** SECCOMP_RET_* of linux/seccomp.h: the action in the upper half, which as a signed number is less if it is stricter. */
export const KILL_PROCESS = 0x8000_0000;
export const KILL_THREAD = 0;
const ERRNO = 0x0005_0000;
export const LOG = 0x7ffc_0000;
export const ALLOW = 0x7fff_0000;

/** @returns the action by which the call fails with that errno */
export function failWith(errno: number): number {
  return ERRNO | errno;
}

/** As the kernel answers who has no right: EPERM, the same on all processors. */
export const DENY = failWith(1);

/** @param names of calls, and of groups with "@". @returns the filter that denies them, whatever they are called with */
export function denying(...names: readonly string[]): Filter {
  return { rules: [{ calls: names.flatMap(name => callsOfGroup(name) ?? [name]), action: DENY }] };
}

/**
 * A test of an argument. Of its 64 bits it sees the lower half: all that is tested here are ints to the kernel. The mask, all bits if
 * absent, says what is compared.
 */
export type Test =
  | {
      readonly argument: number;
      readonly is: 'in' | 'notIn';
      readonly values: readonly number[];
      readonly mask?: number;
    }
  // some of the bits, or all of them
  | { readonly argument: number; readonly is: 'any' | 'all'; readonly bits: number };

export interface Rule {
  readonly calls: readonly string[];
  readonly action: number;
  /** for calls whose arguments pass all of these; absent: for every call */
  readonly when?: readonly Test[];
  /** where it holds; absent: in all ABIs */
  readonly abis?: readonly Abi[];
}

/** What a property's filter has to know besides the property's value. */
export interface FilterContext {
  /** of the processor, the native one first */
  readonly abis: readonly [Abi, ...Abi[]];
  /** Personality= */
  readonly personality: LaunchPlan['personality'];
  /** SystemCallErrorNumber=: what becomes of calls that SystemCallFilter= denies */
  readonly callError: number | 'kill';
  /** the kernel itself can do what MemoryDenyWriteExecute= asks for */
  readonly deniesWriteExecute: boolean;
}

export interface Filter {
  /** without equal tests that lead to different actions */
  readonly rules: readonly Rule[];
  /** for all calls that no rule is for; absent: they are allowed */
  readonly otherwise?: number;
  /** where it holds; absent: in all ABIs */
  readonly abis?: readonly Abi[];
}

/** The first one whose tests all pass holds; the last one has none. */
export type Verdict = readonly { readonly tests: readonly Test[]; readonly action: number }[];

export interface Verdicts {
  readonly byNumber: ReadonlyMap<number, Verdict>;
  readonly otherwise: Verdict;
}

/** @param filters the last one has the last word among equally strict actions, as the filter that the kernel got last */
export function verdictsOf(filters: readonly Filter[], abi: Abi): Verdicts {
  const all = filters
    .filter(({ abis }) => abis === undefined || abis.includes(abi))
    .map(filter => verdictsOfOne(filter, abi));
  const numbers = new Set(all.flatMap(({ byNumber }) => [...byNumber.keys()]));
  const merged = (pick: (verdicts: Verdicts) => Verdict): Verdict =>
    all.map(pick).reduce((earlier, later) => merge(earlier, later), always(ALLOW));
  return {
    byNumber: new Map(
      [...numbers].map(number => [number, merged(({ byNumber, otherwise }) => byNumber.get(number) ?? otherwise)]),
    ),
    otherwise: merged(({ otherwise }) => otherwise),
  };
}

function verdictsOfOne({ rules, otherwise = ALLOW }: Filter, abi: Abi): Verdicts {
  const byNumber = new Map<number, Verdict>();
  for (const { calls, action, when = [] } of rules.filter(({ abis }) => abis === undefined || abis.includes(abi))) {
    for (const { number, first } of calls.flatMap(name => targetsOf(name, abi))) {
      const test: Test[] = first === undefined ? [] : [{ ...first, argument: 0, is: 'in', values: [first.is] }];
      const earlier = byNumber.get(number) ?? [];
      // A rule for every call of a number holds, whatever others say of some.
      if (!earlier.some(({ tests }) => tests.length === 0)) {
        const tests = [...test, ...when];
        byNumber.set(number, tests.length === 0 ? always(action) : added(earlier, { tests, action }));
      }
    }
  }
  const whole = [...byNumber].map(
    ([number, verdict]) =>
      [number, verdict.at(-1)?.tests.length === 0 ? verdict : simplified([...verdict, ...always(otherwise)])] as const,
  );
  return { byNumber: new Map(whole), otherwise: always(otherwise) };
}

function always(action: number): Verdict {
  return [{ tests: [], action }];
}

/** Adds one, or joins it to one that has the same action for other values of the same argument. */
function added(verdict: Verdict, { tests, action }: Verdict[number]): Verdict {
  const [test] = tests;
  let isJoined = false;
  const joined = verdict.map(other => {
    const [same] = other.tests;
    if (
      isJoined ||
      other.action !== action ||
      tests.length !== 1 ||
      other.tests.length !== 1 ||
      test?.is !== 'in' ||
      same?.is !== 'in' ||
      same.argument !== test.argument ||
      same.mask !== test.mask
    ) {
      return other;
    }
    isJoined = true;
    return { action, tests: [{ ...same, values: [...new Set([...same.values, ...test.values])] }] };
  });
  return isJoined ? joined : [...verdict, { tests, action }];
}

function merge(earlier: Verdict, later: Verdict): Verdict {
  // Most filters say nothing of most calls.
  if (isAllowed(later)) {
    return earlier;
  }
  if (isAllowed(earlier)) {
    return simplified(later);
  }
  const pairs = earlier.flatMap(one =>
    later.flatMap(other => {
      const tests = conjunction(one.tests, other.tests);
      return tests === undefined ? [] : [{ tests, action: stricter(one.action, other.action) }];
    }),
  );
  return simplified(pairs);
}

/** Whether the call is allowed, whatever it is called with. */
function isAllowed(verdict: Verdict): boolean {
  return verdict.length === 1 && verdict[0]?.action === ALLOW;
}

function stricter(earlier: number, later: number): number {
  const strictness = (action: number): number => (action & 0xffff_0000) | 0;
  return strictness(earlier) < strictness(later) ? earlier : later;
}

/** @returns undefined if nothing passes */
function conjunction(tests: readonly Test[], others: readonly Test[]): readonly Test[] | undefined {
  let found: readonly Test[] = tests;
  for (const test of others) {
    const same = found.find(one => one.is === 'in' && one.argument === test.argument);
    if (same?.is === 'in' && test.is === 'in' && same.mask === test.mask) {
      const values = same.values.filter(value => test.values.includes(value));
      if (values.length === 0) {
        return undefined;
      }
      found = found.map(one => (one === same ? { ...same, values } : one));
    } else {
      found = [...found, test];
    }
  }
  return found;
}

/** Without what is never reached, and without tests whose outcome is that of the verdict's end. */
function simplified(verdict: Verdict): Verdict {
  const end = verdict.findIndex(({ tests }) => tests.length === 0);
  const action = verdict[end]?.action ?? ALLOW;
  let length = end;
  while (length > 0 && verdict[length - 1]?.action === action) {
    length--;
  }
  return [...verdict.slice(0, length), ...always(action)];
}
