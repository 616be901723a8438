/**
 * From filters to one program of classic BPF (seccomp(2)): for each ABI a search tree over the numbers of calls, whose leaves
 * test arguments. It is not one test after the other because the kernel, when a filter is installed, tries it with every number of a
 * call, to find those that are always allowed, which then cost next to nothing. Pure.
 */
import { DynuserError } from '../../core/errors.ts';
import { FILTER_PROBE } from '../../core/filter-probe.ts';
import { FILTER_INSTRUCTIONS_MAX } from '../limits.ts';
import { type Abi, ARCHITECTURES, abisOf, X32_BIT } from './abi.ts';
import { ALLOW, type Filter, failWith, type Test, type Verdict, type Verdicts, verdictsOf } from './filter.ts';

/** linux/bpf_common.h, linux/filter.h. */
const LOAD = 0x20;
const RETURN = 0x06;
const AND = 0x54;
const JUMP = 0x05;
const JUMP_IF_EQUAL = 0x15;
const JUMP_IF_NOT_LESS = 0x35;
const JUMP_IF_ANY_BIT = 0x45;
/** How far a test jumps. */
const JUMP_MAX = 255;

/** struct seccomp_data: number, architecture, instruction pointer, arguments of 64 bits with the lower half first. */
const NUMBER_AT = 0;
const ARCHITECTURE_AT = 4;
const ARGUMENTS_AT = 16;
const ARGUMENT_BYTES = 8;

/** struct sock_filter. */
const INSTRUCTION_BYTES = 8;

/** The number of a call that a tracer has taken away (ptrace(2)): of no ABI in particular. */
const NO_CALL = 0xffff_ffff;

/** Of an ABI that this program does not know. */
const ENOSYS = 38;

interface Instruction {
  readonly code: number;
  readonly k: number;
  /** how many instructions are left out if the test passes, and if not */
  readonly yes: number;
  readonly no: number;
}

/** Instructions that end in a return on every way. */
type Block = readonly Instruction[];

/**
 * @param processor as Node names it
 * @param filters at least one; the last one has the last word among equally strict actions
 * @returns the program as the launcher takes it: its instructions, in base64. undefined: this processor has no filters
 * @throws DynuserError LimitReached
 */
export function compileFilters(processor: string, filters: readonly Filter[]): string | undefined {
  const abis = abisOf(processor);
  return abis === undefined ? undefined : encoded(programOf(abis, filters));
}

function programOf(abis: readonly [Abi, ...Abi[]], filters: readonly Filter[]): Block {
  const [native] = abis;
  const architectures = [...new Set(abis.map(abi => ARCHITECTURES[abi]))];
  let program: Block = returns(failWith(ENOSYS));
  for (const architecture of architectures.reverse()) {
    const own = abis.filter(abi => ARCHITECTURES[abi] === architecture);
    const ranges = rangesOf(own.map(abi => [abi, withProbe(verdictsOf(filters, abi), abi === native)] as const));
    program = branch(JUMP_IF_EQUAL, architecture, [load(NUMBER_AT), ...tree(ranges)], program);
  }
  return [load(ARCHITECTURE_AT), ...program];
}

function withProbe({ byNumber, otherwise }: Verdicts, isNative: boolean): Verdicts {
  const probe: Verdict = [{ tests: [], action: failWith(FILTER_PROBE.errno) }];
  return { byNumber: new Map([...byNumber, ...(isNative ? [[FILTER_PROBE.number, probe] as const] : [])]), otherwise };
}

interface Range {
  /** the first number; up to the next range */
  readonly from: number;
  readonly verdict: Verdict;
}

/** What numbers lead to, ascending: neighbours that lead to the same are one range. */
function rangesOf(abis: readonly (readonly [Abi, Verdicts])[]): readonly Range[] {
  const ranges: Range[] = [];
  const add = (from: number, verdict: Verdict): void => {
    const last = ranges.at(-1);
    if (last?.from === from) {
      ranges.pop();
    }
    const before = ranges.at(-1);
    if (before === undefined || !isSame(before.verdict, verdict)) {
      ranges.push({ from, verdict });
    }
  };
  for (const [abi, { byNumber, otherwise }] of abis) {
    add(abi === 'x32' ? X32_BIT : 0, otherwise);
    for (const number of [...byNumber.keys()].sort((one, other) => one - other)) {
      add(number, byNumber.get(number) ?? otherwise);
      add(number + 1, otherwise);
    }
  }
  const [native] = abis;
  if (native !== undefined) {
    add(NO_CALL, native[1].otherwise);
  }
  return ranges;
}

function isSame(one: Verdict, other: Verdict): boolean {
  return one.length === other.length && (one.length === 1 || JSON.stringify(one) === JSON.stringify(other))
    ? one[0]?.action === other[0]?.action
    : false;
}

function tree(ranges: readonly Range[]): Block {
  const half = ranges.length >> 1;
  const middle = ranges[half];
  if (ranges.length <= 1 || middle === undefined) {
    return leaf(ranges[0]?.verdict ?? []);
  }
  return branch(JUMP_IF_NOT_LESS, middle.from, tree(ranges.slice(half)), tree(ranges.slice(0, half)));
}

function leaf([first, ...rest]: Verdict): Block {
  if (first === undefined || first.tests.length === 0) {
    return returns(first?.action ?? ALLOW);
  }
  let yes: Block = returns(first.action);
  for (const test of [...first.tests].reverse()) {
    yes = [...tested(test, yes.length), ...yes];
  }
  return [...yes, ...leaf(rest)];
}

/** Continues behind itself if the test passes, and if not, so many instructions further. */
function tested(test: Test, further: number): readonly Instruction[] {
  const argument = load(ARGUMENTS_AT + test.argument * ARGUMENT_BYTES);
  switch (test.is) {
    case 'any':
      return [argument, jump(JUMP_IF_ANY_BIT, test.bits, 0, further)];
    case 'all':
      return [argument, and(test.bits), jump(JUMP_IF_EQUAL, test.bits, 0, further)];
    default: {
      const { values, is, mask } = test;
      const last = values.length - 1;
      const jumps = values.map((value, index) =>
        is === 'in'
          ? jump(JUMP_IF_EQUAL, value, last - index, index === last ? further : 0)
          : jump(JUMP_IF_EQUAL, value, last - index + further, 0),
      );
      return [argument, ...(mask === undefined ? [] : [and(mask)]), ...jumps];
    }
  }
}

/** A test in front of the two ways that lead on from it, however long they are. */
function branch(code: number, k: number, yes: Block, no: Block): Block {
  return no.length <= JUMP_MAX
    ? [jump(code, k, no.length, 0), ...no, ...yes]
    : [jump(code, k, 0, 1), jump(JUMP, no.length, 0, 0), ...no, ...yes];
}

function jump(code: number, k: number, yes: number, no: number): Instruction {
  if (yes > JUMP_MAX || no > JUMP_MAX) {
    throw tooLong();
  }
  return { code, k, yes, no };
}

function load(offset: number): Instruction {
  return { code: LOAD, k: offset, yes: 0, no: 0 };
}

function and(bits: number): Instruction {
  return { code: AND, k: bits, yes: 0, no: 0 };
}

function returns(action: number): Block {
  return [{ code: RETURN, k: action, yes: 0, no: 0 }];
}

/** All processors that there are filters for have the lower byte first. */
function encoded(program: Block): string {
  if (program.length > FILTER_INSTRUCTIONS_MAX) {
    throw tooLong();
  }
  const bytes = Buffer.alloc(program.length * INSTRUCTION_BYTES);
  program.forEach(({ code, k, yes, no }, index) => {
    const at = index * INSTRUCTION_BYTES;
    bytes.writeUInt16LE(code, at);
    bytes.writeUInt8(yes, at + 2);
    bytes.writeUInt8(no, at + 3);
    bytes.writeUInt32LE(k, at + 4);
  });
  return bytes.toString('base64');
}

function tooLong(): DynuserError {
  return new DynuserError('LimitReached', 'the filters of system calls are too long; use fewer of them', {
    field: 'SystemCallFilter',
  });
}
