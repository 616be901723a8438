/** Filters of system calls, read back call by call as the kernel would run them. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FILTER_PROBE } from '../../../../src/core/filter-probe.ts';
import { type Abi, knownCalls, X32_BIT } from '../../../../src/launch/filter/abi.ts';
import { compileFilters } from '../../../../src/launch/filter/compile.ts';
import { ALLOW, type Filter, failWith, KILL_PROCESS, LOG } from '../../../../src/launch/filter/filter.ts';
import { FILTERS, TERMINAL_FILTER } from '../../../../src/launch/properties/filters.ts';
import { FILTER_CONTEXT, FilterProgram } from '../../../support/filters.ts';

const ABIS: readonly (readonly [processor: string, ...Abi[]])[] = [
  ['x64', 'x86-64', 'x86', 'x32'],
  ['arm64', 'arm64', 'arm'],
];

function programOf(processor: string, ...filters: readonly (Filter | undefined)[]): FilterProgram {
  return new FilterProgram(
    compileFilters(
      processor,
      filters.flatMap(filter => filter ?? []),
    ),
  );
}

const specialFiles = FILTERS.RestrictSUIDSGID.filter?.(true, FILTER_CONTEXT);
/** What the kernel does not look at. */
const UPPER = 0x5a5a_5a5a_0000_0000n;

for (const [processor, ...abis] of ABIS) {
  for (const abi of abis) {
    describe(`a filter for ${abi}`, () => {
      it('refuses modes of setuid and setgid files where a file is made or changed', () => {
        const program = programOf(processor, specialFiles);
        for (const [mode, verdict] of [
          [0o4755, '1'],
          [0o2000, '1'],
          [0o3777, '1'],
          [0o1777, 'allow'],
          [0, 'allow'],
        ] as const) {
          for (const [name, ...args] of [
            ['chmod', 0, mode],
            ['fchmod', 0, mode],
            ['mkdir', 0, mode],
            ['mknod', 0, mode],
            ['creat', 0, mode],
            ['fchmodat', 0, 0, mode],
            ['fchmodat2', 0, 0, mode],
            ['mkdirat', 0, 0, mode],
            ['mknodat', 0, 0, mode],
            ['open', 0, 0o101, mode],
            ['open', 0, 0o20200002, mode],
            ['openat', 0, 0, 0o101, mode],
            ['openat', 0, 0, 0o20200002, mode],
          ] as const) {
            assert.equal(program.of(abi, name, ...args) ?? verdict, verdict, `${name} ${mode.toString(8)}`);
          }
          assert.ok(['allow', undefined].includes(program.of(abi, 'open', 0, 0o200000, mode)));
          assert.equal(program.of(abi, 'openat', 0, 0, 0, mode), 'allow');
        }
        assert.equal(program.of(abi, 'openat2', 0, 0, 0, 24), '38');
        assert.equal(program.of(abi, 'fchmodat', 0, 0, UPPER | 0o4000n), '1');
        assert.equal(program.of(abi, 'ioctl', 0, 0x5412), 'allow');
      });

      it('refuses to type into a terminal, whatever is in the upper half of the argument', () => {
        const program = programOf(processor, TERMINAL_FILTER);
        for (const request of [0x5412n, 0x541cn, UPPER | 0x5412n]) {
          assert.equal(program.of(abi, 'ioctl', 0, request), '1');
        }
        for (const request of [0x5411, 0x5413, 0x541d, 0x8000_5412]) {
          assert.equal(program.of(abi, 'ioctl', 0, request), 'allow');
        }
      });

      it('is for the calls that it names alone, of all numbers that there are', () => {
        const program = programOf(processor, specialFiles, TERMINAL_FILTER);
        const bit = abi === 'x32' ? X32_BIT : 0;
        const ones = Array(6).fill(0xffff_ffff_ffff_ffffn);
        const refused = Array.from({ length: 1000 }, (_, number) => number).filter(
          number => program.ofNumber(abi, bit + number, ...ones) !== 'allow',
        );
        const expected: Readonly<Record<Abi, readonly number[]>> = {
          'x86-64': [2, 83, 85, 90, 91, 133, 257, 258, 259, 268, 437, 452],
          x32: [2, 83, 85, 90, 91, 133, 257, 258, 259, 268, 437, 452],
          x86: [5, 8, 14, 15, 39, 94, 295, 296, 297, 306, 437, 452],
          arm64: [33, 34, 52, 53, 56, 437, 452],
          arm: [5, 8, 14, 15, 39, 94, 322, 323, 324, 333, 437, 452],
        };
        assert.deepEqual(refused, expected[abi]);
        assert.equal(program.ofNumber(abi, -1, ...ones), 'allow');
      });

      it('takes the strictest of several actions, and the last of equally strict ones', () => {
        const calls = ['read'];
        const of = (...actions: readonly number[]): string | undefined =>
          programOf(processor, ...actions.map(action => ({ rules: [{ calls, action }] }))).of(abi, 'read');
        assert.equal(of(ALLOW, LOG), 'log');
        assert.equal(of(LOG, failWith(1), ALLOW), '1');
        assert.equal(of(failWith(1), failWith(13)), '13');
        assert.equal(of(failWith(13), failWith(1), LOG), '1');
        assert.equal(of(KILL_PROCESS, failWith(1)), 'kill');
        assert.equal(of(failWith(0), ALLOW), '0');
      });

      it('takes it for each value of an argument', () => {
        const one: Filter = {
          rules: [{ calls: ['setns'], action: failWith(1), when: [{ argument: 1, is: 'in', values: [0, 7] }] }],
        };
        const other: Filter = {
          rules: [{ calls: ['setns'], action: failWith(2), when: [{ argument: 1, is: 'any', bits: 6 }] }],
        };
        const only: Filter = {
          rules: [{ calls: ['setns'], action: ALLOW, when: [{ argument: 1, is: 'notIn', values: [4, 8] }] }],
          otherwise: failWith(3),
        };
        const program = programOf(processor, one, other, only);
        const found = [0, 1, 2, 4, 7, 8, 9].map(flags => program.of(abi, 'setns', 5, flags));
        assert.deepEqual(found, ['1', 'allow', '2', '3', '2', '3', 'allow']);
        assert.equal(program.of(abi, 'read', 5), '3');
      });
    });
  }
}

describe('the calls of x86 that are several', () => {
  const program = (...filters: readonly Filter[]): FilterProgram => programOf('x64', ...filters);

  it('are told by their first argument', () => {
    const denied = program({ rules: [{ calls: ['socket', 'shmat'], action: failWith(1) }] });
    assert.deepEqual(
      [1, 2, 21].map(call => denied.ofNumber('x86', 102, call)),
      ['1', 'allow', 'allow'],
    );
    assert.deepEqual(
      [1, 21, 0x1_0015].map(call => denied.ofNumber('x86', 117, call)),
      ['allow', '1', '1'],
    );
    assert.equal(denied.ofNumber('x86', 359), '1');
  });

  it('are allowed as a whole if they are named', () => {
    const rules = [
      { calls: ['socketcall'], action: ALLOW },
      { calls: ['socket'], action: failWith(1) },
    ];
    assert.equal(program({ rules, otherwise: failWith(2) }).ofNumber('x86', 102, 1), 'allow');
    const listed = { rules: [{ calls: ['socket', 'bind'], action: ALLOW }], otherwise: failWith(2) };
    const both = program(listed, { rules: [{ calls: ['bind', 'listen'], action: failWith(3) }] });
    assert.deepEqual(
      [1, 2, 3, 4].map(call => both.ofNumber('x86', 102, call)),
      ['allow', '3', '2', '3'],
    );
  });
});

describe('a program', () => {
  it('is as long as it takes: its jumps reach everything', () => {
    const calls = knownCalls('x86-64');
    for (const count of [1, 2, 60, 130, 131, 250, calls.length]) {
      const named = calls.slice(0, count);
      const rules = named.map((name, index) => ({ calls: [name], action: failWith(200 + index) }));
      const program = programOf('x64', { rules, otherwise: failWith(1) });
      for (const abi of ['x86-64', 'x32', 'x86'] as const) {
        named.forEach((name, index) => {
          assert.ok([String(200 + index), undefined].includes(program.of(abi, name)), `${count} ${abi} ${name}`);
        });
      }
      assert.equal(program.ofNumber('x86', 700), '1');
    }
  });

  it('answers for no ABI that it does not know, and for the probe of the native one', () => {
    for (const [processor, native, ...others] of ABIS) {
      const program = programOf(processor, TERMINAL_FILTER);
      assert.equal(program.ofNumber(native as Abi, FILTER_PROBE.number), String(FILTER_PROBE.errno));
      for (const abi of others.filter(other => other !== 'x32')) {
        assert.equal(program.ofNumber(abi, FILTER_PROBE.number), 'allow');
      }
    }
    assert.equal(programOf('x64', TERMINAL_FILTER).ofNumber('arm64', 1), '38');
    assert.equal(compileFilters('riscv64', [TERMINAL_FILTER]), undefined);
  });
});
