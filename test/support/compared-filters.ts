/**
 * The seccomp filters of unit files, started by the real systemd and by dynuser-run: both are read from the kernel, and asked about every
 * call of every ABI, with many arguments.
 */
import process from 'node:process';
import { type Abi, ARCHITECTURES, abisOf, knownCalls, targetsOf, X32_BIT } from '../../src/launch/filter/abi.ts';
import { CHECKOUT } from '../../src/tooling/checkout.ts';
import { type BpfInstruction, checkProgram, readInstructions, runPrograms } from './bpf.ts';
import { actionWords } from './filters.ts';
import { Machine } from './machine.ts';
import { buildNative, PLAIN } from './native.ts';

const UNIT_FILES = '/etc/systemd/system';
const DUMP = '/usr/local/bin/filter_dump';
/** Makes calls of other ABIs. */
export const OTHER_ABIS = '/usr/local/bin/other_abis';
const DUMP_DEADLINE_MS = 120_000;
const DIFFERENCES_SHOWN = 20;

/** Arguments, each of them everywhere: flags, modes, families, policies, requests, and what multiplexed calls begin with. */
const VALUES = [
  ...[
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 16, 17, 21, 22, 23, 24, 38, 40, 45, 46, 99, 0x80, 0o100, 0o4100,
    0o2755,
  ],
  ...[0o4755, 0o100000, 0x0002_0000, 0x0400_0000, 0x1000_0000, 0x4000_0000, 0x8000_0000, 0xffff_ffff],
];
/** Of the argument of calls that fail: a mode and the flags before it. */
const NUMBERS_MAX = 600;

/** The filters of one unit file. */
export interface BothFilters {
  /** undefined: it did not start */
  readonly theirs: readonly (readonly BpfInstruction[])[] | undefined;
  readonly ours: readonly (readonly BpfInstruction[])[];
}

/** Calls of x86-64 that x32 does not have. */
const NOT_OF_X32 = [134, 156, 174, 177, 178, 180, 205, 211, 214, 215, 236];

/**
 * Without numbers that only Linux before 5.4 takes, of x86-64 in calls of x32 and the other way round: here they are those calls, to
 * libseccomp they are unknown.
 */
function numbersOf(abi: Abi): number[] {
  const bit = abi === 'x32' ? X32_BIT : 0;
  const swapped = knownCalls('x86-64')
    .map(name => targetsOf(name, abi).map(({ number }) => number))
    .filter(numbers => numbers.length === 2 && abi !== 'x86')
    .map(([usual = 0, other = 0]) => (abi === 'x32' ? usual : other));
  const foreign = [...swapped, ...(abi === 'x32' ? NOT_OF_X32.map(number => bit + number) : [])];
  const numbers = Array.from({ length: NUMBERS_MAX }, (_, number) => bit + number);
  const further = knownCalls(abi).flatMap(name => targetsOf(name, abi).map(({ number }) => number));
  return [...new Set([...numbers, ...further, bit + 0x0fff_ffff])].filter(number => !foreign.includes(number));
}

/** In an ABI that is not allowed systemd has no other filters, and a thread is killed; either way that is the end. */
function outcome(action: number): string {
  return actionWords(action).replace('kill thread', 'kill');
}

/** @returns a machine with systemd and with the programs that are started in it */
export async function bootForFilters(): Promise<Machine> {
  buildNative('filter-programs', PLAIN);
  const machine = await Machine.boot({ init: 'systemd', stage: true, varLib: 'disk' });
  for (const program of [DUMP, OTHER_ABIS]) {
    const built = `${CHECKOUT}dist/native/test/run/${program.replace(/.*\//, '')}`;
    await machine.output(['install', '-m', '755', built, program]);
  }
  await machine.output(['mount', '--make-rshared', '/']);
  await machine.output(['systemctl', 'start', 'dynuserd.socket']);
  return machine;
}

/** Starts each unit by one and then by the other. @param units the lines of each, without a program */
export async function readBoth(machine: Machine, units: readonly (readonly string[])[]): Promise<BothFilters[]> {
  const name = (index: number): string => `filtered-${index}`;
  for (const [index, lines] of units.entries()) {
    const start = `ExecStart=${DUMP} wait ${name(index)}`;
    const text = ['[Service]', 'Type=exec', 'DynamicUser=no', ...lines, start, ''].join('\n');
    await machine.write(`${UNIT_FILES}/${name(index)}.service`, text);
  }
  await machine.output(['systemctl', 'daemon-reload']);
  const all = units.map((_, index) => name(index));
  // Some lists forbid what systemd itself does below them, before the program.
  await machine.run(['systemctl', 'start', ...all]);
  const theirs = await filtersOf(
    machine,
    all.map(unit => `$(systemctl show -P MainPID ${unit})`),
  );
  await machine.output(['systemctl', 'stop', ...all]);
  await machine.sh(
    all.map(unit => `dynuser-run --unit-file=${UNIT_FILES}/${unit}.service >/dev/null 2>&1 </dev/null &`).join('\n'),
  );
  const ours = await filtersOf(
    machine,
    units.map((_, index) => (theirs[index] === undefined ? '0' : `$(of ${name(index)})`)),
  );
  return units.map((_, index) => ({ theirs: theirs[index], ours: ours[index] ?? [] }));
}

/** @param processes as the shell finds them, one for each unit */
async function filtersOf(
  machine: Machine,
  processes: readonly string[],
): Promise<((readonly BpfInstruction[])[] | undefined)[]> {
  const find = `of() { for try in $(seq 100); do pgrep -xf "${DUMP} wait $1" && return; sleep 0.1; done; echo 0; }
    dump() { echo unit; [ "$1" -eq 0 ] && echo none || ${DUMP} "$1"; }`;
  const script = `set -e\n${find}\n${processes.map(pid => `dump ${pid}`).join('\n')}`;
  const text = await machine.output(['sh', '-c', script], { timeoutMs: DUMP_DEADLINE_MS });
  return text
    .split(/^unit$\n?/m)
    .slice(1)
    .map(lines => lines.trim().split('\n'))
    .map(([first = '', ...more]) =>
      first === 'none'
        ? undefined
        : [first, ...more].filter(line => line !== '').map(line => readInstructions(Buffer.from(line, 'hex'))),
    );
}

/** @returns where both differ, in words; no more than can be read */
export function differencesOf(theirs: readonly (readonly BpfInstruction[])[], ours: BothFilters['ours']): string[] {
  ours.forEach(checkProgram);
  const different: string[] = ours.length <= 1 ? [] : [`dynuser-run has ${ours.length} filters`];
  for (const abi of abisOf(process.arch) ?? []) {
    for (const number of numbersOf(abi)) {
      let looksAtArguments = false;
      const onArgument = (): void => {
        looksAtArguments = true;
      };
      for (const value of VALUES) {
        const parameters = Array<bigint>(6).fill(BigInt(value));
        const call = { architecture: ARCHITECTURES[abi], number, arguments: parameters, onArgument };
        const [expected, found] = [runPrograms(theirs, call), runPrograms(ours, call)].map(outcome);
        if (expected !== found) {
          different.push(`${abi} ${number} (${value}): ${expected} with systemd, ${found} with dynuser-run`);
        }
        // Then all values come to the same.
        if (!looksAtArguments) {
          break;
        }
      }
    }
  }
  return different.slice(0, DIFFERENCES_SHOWN);
}
