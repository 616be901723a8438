/**
 * Filters for the ABIs of each processor, run by the kernel of this host, which takes the numbers for its own: of the program only the number
 * of the architecture is changed. What it answers is what the tests' interpreter says, call by call.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import process from 'node:process';
import { describe, it } from 'node:test';
import { type Abi, ARCHITECTURES, abisOf, X32_BIT } from '../../../src/launch/filter/abi.ts';
import { planLaunch } from '../../../src/launch/launch.ts';
import { type BpfInstruction, readInstructions, runProgram } from '../../support/bpf.ts';
import { actionWords } from '../../support/filters.ts';
import { buildNative, PLAIN } from '../../support/native.ts';
import { acquiredOf, resolvedOf } from '../../unit/launch/launches.ts';

/** Of a system call: the number, and five arguments. The sixth is what asked_filter.c tells its calls by. */
const CALL_BYTES = 48;
const ARGUMENTS = 5;
const MARK = 0x6d61_726bn;
const NUMBERS = 560;
/** uretprobe and uprobe of x86-64, which the kernel makes for itself: since Linux 6.14 it asks no filter. */
const UNFILTERED = [335, 336];
const JUMP_IF_EQUAL = 0x15;
/** What no process of this host has. */
const OTHER_ARCHITECTURE = 0x1234_5678;

/** Arguments that filters look at: families, flags of clone(2), modes, protections, requests of ioctl(2), upper halves. */
const VALUES: readonly bigint[] = [
  ...[0n, 1n, 2n, 4n, 7n, 10n, 16n, 0o4000n, 0o101n, 0x5412n, 0x541cn],
  ...[0x1000_0000n, 0x7e02_0000n, 0xffff_ffffn, 0x5_0000_0004n, 0xffff_ffff_ffff_ffffn],
];

const SETS: readonly (readonly string[])[] = [
  ['RestrictSUIDSGID=yes', 'LockPersonality=yes', 'RestrictRealtime=yes'],
  ['RestrictAddressFamilies=AF_UNIX AF_INET', 'RestrictNamespaces=yes', 'MemoryDenyWriteExecute=yes'],
  ['RestrictAddressFamilies=~AF_NETLINK', 'RestrictNamespaces=~user net', 'PrivateDevices=yes', 'ProtectClock=yes'],
  [
    ...[
      'SystemCallFilter=@system-service',
      'SystemCallFilter=~@privileged:EACCES @resources',
      'SystemCallErrorNumber=EPERM',
    ],
    ...['ProtectKernelTunables=yes', 'ProtectKernelModules=yes', 'ProtectKernelLogs=yes'],
  ],
];
/** Each call that this kills takes a process. */
const KILLING = ['SystemCallFilter=~@swap @reboot', 'SystemCallFilter=~mount:EACCES', 'SystemCallLog=@network-io'];

function programOf(processor: string, properties: readonly string[]): readonly BpfInstruction[] {
  const given = { kernel: { processor, deniesWriteExecute: false } };
  const { filter = '' } = planLaunch(resolvedOf(properties), acquiredOf(given));
  return readInstructions(Buffer.from(filter, 'base64'));
}

/** @returns the program for the calls of an ABI as those of this host */
function asOwn(program: readonly BpfInstruction[], abi: Abi, own: number): readonly BpfInstruction[] {
  const architectures: readonly number[] = Object.values(ARCHITECTURES);
  return program.map(instruction => {
    const { code, k } = instruction;
    // No other number of a program is one of these.
    const isArchitecture = code === JUMP_IF_EQUAL && architectures.includes(k);
    return isArchitecture ? { ...instruction, k: k === ARCHITECTURES[abi] ? own : OTHER_ARCHITECTURE } : instruction;
  });
}

function encoded(program: readonly BpfInstruction[], calls: readonly Call[]): Buffer {
  const bytes = Buffer.alloc(8 + program.length * 8 + calls.length * CALL_BYTES);
  let at = bytes.writeUInt32LE(program.length, 0);
  for (const { code, yes, no, k } of program) {
    at = bytes.writeUInt16LE(code, at);
    at = bytes.writeUInt8(yes, at);
    at = bytes.writeUInt8(no, at);
    at = bytes.writeUInt32LE(k, at);
  }
  at = bytes.writeUInt32LE(calls.length, at);
  for (const { number, arguments: values } of calls) {
    at = bytes.writeBigInt64LE(BigInt(number), at);
    for (let index = 0; index < ARGUMENTS; index++) {
      at = bytes.writeBigUInt64LE(values[index] ?? 0n, at);
    }
  }
  return bytes;
}

interface Call {
  readonly number: number;
  readonly arguments: readonly bigint[];
}

/** Each number with each value, in every place of the arguments at once, and in one after the other. */
function callsOf(values: readonly bigint[]): Call[] {
  return Array.from({ length: NUMBERS }, (_, number) => number)
    .filter(number => !UNFILTERED.includes(number))
    .flatMap(number =>
      values.flatMap(value => [
        { number, arguments: Array<bigint>(ARGUMENTS).fill(value) },
        ...Array.from({ length: value === 0n ? 0 : ARGUMENTS }, (_, place) => ({
          number,
          arguments: Array.from({ length: ARGUMENTS }, (__, index) => (index === place ? value : 0n)),
        })),
      ]),
    );
}

const [native] = abisOf(process.arch) ?? [];

describe('a filter of system calls in the kernel', {
  skip: native === undefined && `no filters are made for ${process.arch}`,
}, () => {
  buildNative('filter-programs', PLAIN);
  const own = ARCHITECTURES[native ?? 'x86-64'];

  function compare(processor: string, abi: Abi, properties: readonly string[], values: readonly bigint[]): number {
    const program = programOf(processor, properties);
    const calls = callsOf(values);
    const output = execFileSync(`${PLAIN.programs}/run/asked_filter`, {
      input: encoded(asOwn(program, abi, own), calls),
      stdio: ['pipe', 'pipe', 'inherit'],
      encoding: 'utf8',
      maxBuffer: calls.length * 8,
      timeout: 60_000,
    });
    const answers = output.trim().split('\n');
    assert.equal(answers.length, calls.length);
    let refused = 0;
    for (const [index, { number, arguments: given }] of calls.entries()) {
      const asked = { architecture: ARCHITECTURES[abi], number, arguments: [...given, MARK] };
      const words = actionWords(runProgram(program, asked));
      // What is logged is made, too.
      const expected = words === 'allow' || words === 'log' ? '0' : words;
      if (answers[index] !== expected) {
        assert.fail(`${abi} call ${number} (${given.join(', ')}): ${answers[index]} instead of ${expected}`);
      }
      refused += expected === '0' ? 0 : 1;
    }
    return refused;
  }

  for (const [processor, abi] of [
    ['x64', 'x86-64'],
    ['x64', 'x86'],
    ['arm64', 'arm64'],
    ['arm64', 'arm'],
  ] as const) {
    it(`has the calls of ${abi} refused and allowed as planned`, () => {
      assert.ok(X32_BIT > NUMBERS);
      for (const properties of SETS) {
        assert.ok(compare(processor, abi, properties, VALUES) > 10, properties.join(' '));
      }
      assert.ok(compare(processor, abi, KILLING, [0n]) > 3);
    });
  }
});
