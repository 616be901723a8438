/** Filters of plans, asked call by call. */
import assert from 'node:assert/strict';
import process from 'node:process';
import { type Abi, ARCHITECTURES, targetsOf } from '../../src/launch/filter/abi.ts';
import { compileFilters } from '../../src/launch/filter/compile.ts';
import type { Filter, FilterContext } from '../../src/launch/filter/filter.ts';
import { FILTERS, TERMINAL_FILTER } from '../../src/launch/properties/filters.ts';
import { type BpfInstruction, checkProgram, readInstructions, runProgram } from './bpf.ts';

/** Of a launch that says nothing else. */
export const FILTER_CONTEXT: FilterContext = {
  abis: ['x86-64', 'x86', 'x32'],
  personality: undefined,
  callError: 'kill',
  deniesWriteExecute: true,
};

/** The fields of a plan with these filters. */
function fieldsOf(filters: readonly Filter[]) {
  const filter = compileFilters(process.arch, filters);
  return filter === undefined ? {} : { filter };
}

/** What a plan of a dynamic user has if no property filters calls, and if RestrictSUIDSGID= alone does. */
export const FOR_TERMINAL = { ...fieldsOf([TERMINAL_FILTER]), filterIsForTerminal: true } as const;
const specialFiles = FILTERS.RestrictSUIDSGID.filter?.(true, FILTER_CONTEXT);
export const FOR_SPECIAL_FILES = {
  ...fieldsOf(specialFiles === undefined ? [] : [specialFiles]),
  filterIsForTerminal: false,
} as const;

const ERRNO = 0x0005_0000;
const WORDS: Readonly<Record<number, string>> = {
  0: 'kill thread',
  2147483648: 'kill',
  2147221504: 'log',
  2147418112: 'allow',
};

/** @returns the action in words: "allow", "kill", or the number of the errno */
export function actionWords(action: number): string {
  return WORDS[action] ?? ((action & 0xffff_0000) === ERRNO ? String(action & 0xffff) : action.toString(16));
}

export class FilterProgram {
  readonly instructions: readonly BpfInstruction[];

  /** @param text as a plan has it */
  constructor(text: string | undefined) {
    assert.ok(text !== undefined, 'a plan without a filter');
    this.instructions = readInstructions(Buffer.from(text, 'base64'));
    checkProgram(this.instructions);
  }

  /** @returns what becomes of a call by its number */
  ofNumber(abi: Abi, number: number, ...args: readonly (number | bigint)[]): string {
    return actionWords(
      runProgram(this.instructions, { architecture: ARCHITECTURES[abi], number, arguments: args.map(BigInt) }),
    );
  }

  /** @returns what becomes of a call by its name, by all ways to it; undefined if the ABI has no such call */
  of(abi: Abi, name: string, ...args: readonly (number | bigint)[]): string | undefined {
    const ways = targetsOf(name, abi).map(({ number, first }) =>
      this.ofNumber(abi, number, ...(first === undefined ? args : [first.is, ...args])),
    );
    assert.ok(new Set(ways).size <= 1, `${name}: ${ways.join(', ')}`);
    return ways[0];
  }
}
