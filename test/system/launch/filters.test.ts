/**
 * The seccomp filters of the same unit file, started by the real systemd and by dynuser-run: both are read from the kernel, and asked
 * about every call of every ABI, with many arguments.
 */
import assert from 'node:assert/strict';
import process from 'node:process';
import { after, before, describe, it } from 'node:test';
import { type Abi, ARCHITECTURES, abisOf, knownCalls, targetsOf, X32_BIT } from '../../../src/launch/filter/abi.ts';
import { CALL_GROUPS } from '../../../src/launch/filter/call-groups.ts';
import { CHECKOUT } from '../../../src/tooling/checkout.ts';
import { type BpfInstruction, checkProgram, readInstructions, runPrograms } from '../../support/bpf.ts';
import { actionWords } from '../../support/filters.ts';
import { Machine } from '../../support/machine.ts';
import { buildNative, PLAIN } from '../../support/native.ts';

const UNIT_FILES = '/etc/systemd/system';
const DUMP = '/usr/local/bin/filter_dump';
const CALLS = '/usr/local/bin/other_abis';
const SEED = 20_261_128;
const RANDOM_UNITS = 24;

/** Root's, which have no filter for a terminal. */
const UNITS: readonly (readonly string[])[] = [
  ['LockPersonality=yes', 'RestrictRealtime=yes', 'RestrictSUIDSGID=yes'],
  ['LockPersonality=yes', 'Personality=x86'],
  ['PrivateDevices=yes', 'ProtectClock=yes', 'ProtectHostname=yes'],
  ['ProtectKernelModules=yes', 'ProtectKernelLogs=yes', 'ProtectKernelTunables=yes'],
  ['RestrictAddressFamilies=AF_UNIX AF_INET', 'RestrictAddressFamilies=AF_INET6'],
  ['RestrictAddressFamilies=~AF_PACKET AF_NETLINK'],
  ['RestrictAddressFamilies=none'],
  [
    'RestrictAddressFamilies=AF_UNIX AF_INET',
    'RestrictAddressFamilies=~AF_INET AF_UNIX',
    'RestrictAddressFamilies=~AF_ALG',
  ],
  ['RestrictAddressFamilies=~AF_UNIX', 'RestrictAddressFamilies=none', 'RestrictAddressFamilies=~AF_UNIX'],
  ['RestrictNamespaces=yes'],
  ['RestrictNamespaces=user net', 'RestrictNamespaces=~net'],
  ['RestrictNamespaces=~user'],
  ['RestrictNamespaces=time'],
  ['RestrictNamespaces=cgroup ipc net mnt pid user uts'],
  ['RestrictNamespaces=yes', 'RestrictNamespaces=mnt'],
  ['SystemCallArchitectures=native'],
  ['SystemCallArchitectures=x86', 'RestrictRealtime=yes'],
  ['SystemCallArchitectures=x32 arm'],
  ['SystemCallArchitectures=native', 'SystemCallArchitectures=', 'SystemCallFilter=~@mount'],
  ['SystemCallFilter=@system-service'],
  ['SystemCallFilter=@system-service', 'SystemCallFilter=~@privileged @resources', 'SystemCallErrorNumber=EPERM'],
  [
    'SystemCallFilter=@system-service',
    'SystemCallFilter=~@network-io:EAFNOSUPPORT bind:kill',
    'SystemCallErrorNumber=5',
  ],
  ['SystemCallFilter=~@mount @swap', 'SystemCallFilter=mount', 'SystemCallErrorNumber=ENOENT'],
  ['SystemCallFilter=~socket shmat semop recv', 'SystemCallErrorNumber=EPERM'],
  ['SystemCallFilter=~ptrace:EACCES kexec_load:kill write', 'SystemCallErrorNumber=EPERM', 'SystemCallErrorNumber='],
  ['SystemCallFilter=@known', 'SystemCallFilter=~socket shmget:ENOSPC'],
  ['SystemCallFilter=@basic-io @file-system brk', 'SystemCallErrorNumber=ENOSYS', 'RestrictNamespaces=yes'],
  [
    'SystemCallFilter=~@system-service:0',
    'SystemCallFilter=@basic-io @file-system @default',
    'SystemCallErrorNumber=EPERM',
  ],
  ['SystemCallLog=@network-io ptrace'],
  ['SystemCallLog=~@basic-io', 'SystemCallLog=ptrace', 'SystemCallFilter=~clone3:EACCES', 'RestrictNamespaces=yes'],
  ['SystemCallLog=~', 'SystemCallLog=read'],
];

/** Lists that nobody would write. */
function randomUnits(): string[][] {
  let state = SEED;
  const random = (below: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) % below;
  };
  const pick = <Value>(values: readonly Value[]): Value => values[random(values.length)] as Value;
  const names = [...knownCalls('x86-64'), ...Object.keys(CALL_GROUPS), ...Object.keys(CALL_GROUPS)];
  const errors = ['', '', ':EPERM', ':kill', ':77'];
  const listOf = (suffixes: readonly string[]): string =>
    Array.from({ length: 1 + random(6) }, () => pick(names) + pick(suffixes)).join(' ');
  const needed = ['@default', '@basic-io'];
  return Array.from({ length: RANDOM_UNITS }, () => {
    const isOfAllowed = random(2) === 0;
    const filter = [isOfAllowed ? `SystemCallFilter=${needed.join(' ')}` : `SystemCallFilter=~${listOf(errors)}`];
    for (let count = random(4); count > 0; count--) {
      filter.push(random(2) === 0 ? `SystemCallFilter=${listOf([''])}` : `SystemCallFilter=~${listOf(errors)}`);
    }
    const others = [
      'RestrictSUIDSGID=yes',
      'RestrictRealtime=yes',
      'LockPersonality=yes',
      'PrivateDevices=yes',
      'ProtectClock=yes',
      'ProtectKernelLogs=yes',
      `RestrictNamespaces=${pick(['yes', '~user mnt', 'net uts'])}`,
      `RestrictAddressFamilies=${pick(['none', 'AF_UNIX AF_VSOCK', '~AF_ALG AF_MCTP'])}`,
      `SystemCallErrorNumber=${pick(['kill', 'EPERM', 'ENOSYS', '1000'])}`,
      `SystemCallLog=${listOf([''])}`,
      `SystemCallArchitectures=${pick(['native', 'native x86', 'native x86 x32'])}`,
    ].filter(() => random(3) === 0);
    // Whatever the lists say, the program has to come up.
    return [...filter, `SystemCallFilter=${needed.join(' ')}`, ...others];
  });
}

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

interface Read {
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

describe('the filters of a unit file, by systemd and by dynuser-run', () => {
  const units = [...UNITS, ...randomUnits()];
  const name = (index: number): string => `filtered-${index}`;
  let machine: Machine;
  let read: readonly Read[];

  before(async () => {
    buildNative('filter-programs', PLAIN);
    machine = await Machine.boot({ init: 'systemd', stage: true, varLib: 'disk' });
    for (const [index, lines] of units.entries()) {
      const start = `ExecStart=${DUMP} wait ${name(index)}`;
      const text = ['[Service]', 'Type=exec', 'DynamicUser=no', ...lines, start, ''].join('\n');
      await machine.write(`${UNIT_FILES}/${name(index)}.service`, text);
    }
    for (const program of [DUMP, CALLS]) {
      const built = `${CHECKOUT}dist/native/test/run/${program.replace(/.*\//, '')}`;
      await machine.output(['install', '-m', '755', built, program]);
    }
    await machine.output(['mount', '--make-rshared', '/']);
    await machine.output(['systemctl', 'daemon-reload']);
    await machine.output(['systemctl', 'start', 'dynuserd.socket']);
    const all = units.map((_, index) => name(index));
    // Some lists forbid what systemd itself does below them, before the program.
    await machine.run(['systemctl', 'start', ...all]);
    const theirs = await filters(all.map(unit => `$(systemctl show -P MainPID ${unit})`));
    await machine.output(['systemctl', 'stop', ...all]);
    await machine.sh(
      all.map(unit => `dynuser-run --unit-file=${UNIT_FILES}/${unit}.service >/dev/null 2>&1 </dev/null &`).join('\n'),
    );
    const ours = await filters(units.map((_, index) => (theirs[index] === undefined ? '0' : `$(of ${name(index)})`)));
    read = units.map((_, index) => ({ theirs: theirs[index], ours: ours[index] ?? [] }));
  });
  after(() => machine.stop());

  /** @param processes as the shell finds them, one for each unit */
  const filters = async (
    processes: readonly string[],
  ): Promise<readonly ((readonly BpfInstruction[])[] | undefined)[]> => {
    const find = `of() { for try in $(seq 100); do pgrep -xf "${DUMP} wait $1" && return; sleep 0.1; done; echo 0; }
      dump() { echo unit; [ "$1" -eq 0 ] && echo none || ${DUMP} "$1"; }`;
    const script = `set -e\n${find}\n${processes.map(pid => `dump ${pid}`).join('\n')}`;
    const text = await machine.output(['sh', '-c', script], { timeoutMs: 120_000 });
    return text
      .split(/^unit$\n?/m)
      .slice(1)
      .map(lines => lines.trim().split('\n'))
      .map(([first = '', ...more]) =>
        first === 'none'
          ? undefined
          : [first, ...more].filter(line => line !== '').map(line => readInstructions(Buffer.from(line, 'hex'))),
      );
  };

  for (const [index, lines] of units.entries()) {
    it(lines.join(' '), t => {
      const { theirs, ours } = read[index] ?? assert.fail();
      if (theirs === undefined) {
        assert.ok(index >= UNITS.length, 'systemd did not start it');
        t.skip('systemd cannot start it');
        return;
      }
      ours.forEach(checkProgram);
      assert.ok(ours.length <= 1, `${ours.length} filters`);
      const different: string[] = [];
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
      assert.deepEqual(different.slice(0, 20), []);
    });
  }

  it('hold for whoever comes into the kernel another way', {
    skip: process.arch !== 'x64' && 'not this processor',
  }, async t => {
    const attempt = async (properties: readonly string[], ...calls: readonly string[]): Promise<string> => {
      const options = ['DynamicUser=no', ...properties].flatMap(property => ['-p', property]);
      const { status, stdout } = await machine.run(['dynuser-run', ...options, CALLS, ...calls]);
      return `${stdout.trim().split('\n').join(' ')} (${status})`;
    };
    // getpid, personality, fchmod of no file, clone3, and socket by socketcall
    const x86 = ['x86:20', 'x86:136:8', 'x86:94:1000:2048', 'x86:435', 'x86:102:1:0'];
    if ((await attempt([], 'x86:20')) !== '0 (0)') {
      t.skip('this kernel runs no programs of i386');
      return;
    }
    assert.equal(await attempt([], ...x86), '0 0 9 22 14 (0)', 'without filters');
    const some = [
      'LockPersonality=yes',
      'RestrictSUIDSGID=yes',
      'RestrictNamespaces=yes',
      'SystemCallFilter=~socket:EACCES',
    ];
    assert.equal(await attempt(some, ...x86), '0 1 1 38 13 (0)');
    assert.equal(await attempt(['SystemCallArchitectures=native'], 'native:39', 'x86:20', 'native:39'), '0 (159)');
    // The kernel may have no x32; a filter answers before it.
    assert.equal(await attempt(some, 'x32:135:8', 'x32:91:1000:2048', 'x32:41'), '1 1 13 (0)');
    assert.equal(await attempt(['SystemCallFilter=~getpid'], 'native:39'), ' (159)', 'killed');
  });
});
