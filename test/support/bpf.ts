/** What the kernel makes of a filter of system calls: an interpreter of the instructions of classic BPF that such programs have. */
import assert from 'node:assert/strict';

/** struct seccomp_data. */
const ARGUMENTS_AT = 16;

export interface SystemCall {
  /** AUDIT_ARCH_* */
  readonly architecture: number;
  readonly number: number;
  readonly arguments?: readonly bigint[];
  /** called when a program looks at an argument */
  readonly onArgument?: () => void;
}

export interface BpfInstruction {
  readonly code: number;
  readonly yes: number;
  readonly no: number;
  readonly k: number;
}

/** @param bytes struct sock_filter, one after the other */
export function readInstructions(bytes: Buffer): BpfInstruction[] {
  assert.equal(bytes.length % 8, 0);
  return Array.from({ length: bytes.length / 8 }, (_, index) => ({
    code: bytes.readUInt16LE(index * 8),
    yes: bytes.readUInt8(index * 8 + 2),
    no: bytes.readUInt8(index * 8 + 3),
    k: bytes.readUInt32LE(index * 8 + 4),
  }));
}

/** What the kernel checks before it takes a program (bpf_check_classic, seccomp_check_filter): all jumps lead forward and to an instruction. */
export function checkProgram(program: readonly BpfInstruction[]): void {
  assert.ok(program.length > 0 && program.length <= 4096, `${program.length} instructions`);
  program.forEach(({ code, yes, no, k }, index) => {
    const targets = code === 0x05 ? [k] : [0x15, 0x25, 0x35, 0x45].includes(code) ? [yes, no] : [];
    for (const target of targets) {
      assert.ok(index + 1 + target < program.length, `a jump from ${index} out of the program`);
    }
  });
  assert.equal(program.at(-1)?.code, 0x06, 'the last instruction is a return');
}

/** @returns the action, SECCOMP_RET_* with its data */
export function runProgram(program: readonly BpfInstruction[], call: SystemCall): number {
  const data = Buffer.alloc(64);
  data.writeUInt32LE(call.number >>> 0, 0);
  data.writeUInt32LE(call.architecture >>> 0, 4);
  (call.arguments ?? []).forEach(
    (argument, index) => void data.writeBigUInt64LE(BigInt.asUintN(64, argument), ARGUMENTS_AT + index * 8),
  );
  const memory: number[] = Array(16).fill(0);
  let [a, x] = [0, 0];
  for (let at = 0; ; at++) {
    const instruction = program[at];
    assert.ok(instruction, 'a program without an end');
    const { code, yes, no, k } = instruction;
    switch (code) {
      case 0x20:
        a = data.readUInt32LE(k);
        if (k >= ARGUMENTS_AT) {
          call.onArgument?.();
        }
        break;
      case 0x00:
        a = k;
        break;
      case 0x01:
        x = k;
        break;
      case 0x60:
        a = memory[k] ?? 0;
        break;
      case 0x02:
        memory[k] = a;
        break;
      case 0x07:
        x = a;
        break;
      case 0x87:
        a = x;
        break;
      case 0x54:
        a = (a & k) >>> 0;
        break;
      case 0x06:
        return k;
      case 0x05:
        at += k;
        break;
      case 0x15:
        at += a === k ? yes : no;
        break;
      case 0x25:
        at += a > k ? yes : no;
        break;
      case 0x35:
        at += a >= k ? yes : no;
        break;
      case 0x45:
        at += (a & k) !== 0 ? yes : no;
        break;
      default:
        assert.fail(`an instruction that no filter has: ${code.toString(16)}`);
    }
  }
}

/** What the kernel does with several programs, the last one the newest: the strictest action, of equal ones that of the newest. */
export function runPrograms(programs: readonly (readonly BpfInstruction[])[], call: SystemCall): number {
  const strictness = (action: number): number => (action & 0xffff_0000) | 0;
  return [...programs]
    .reverse()
    .map(program => runProgram(program, call))
    .reduce((found, action) => (strictness(action) < strictness(found) ? action : found), 0x7fff_0000);
}
