/** The properties that filter system calls: what their values mean, call by call. */
import assert from 'node:assert/strict';
import { constants } from 'node:os';
import { describe, it } from 'node:test';
import { errnoOf } from '../../../../src/launch/filter/errno-names.ts';
import type { Acquired } from '../../../../src/launch/plan/request.ts';
import { FilterProgram } from '../../../support/filters.ts';
import { planOf, refuses, resolvedOf, resolvedOfUnit } from '../launches.ts';

const ROOT: Partial<Acquired> = { uid: 0, gid: 0, userName: 'root', dynamic: false };
const STATIC: Partial<Acquired> = { uid: 5, gid: 60, userName: 'games', dynamic: false };
const NO = 'DynamicUser=no';

const programOf = (...properties: readonly string[]): FilterProgram =>
  new FilterProgram(planOf([NO, ...properties], ROOT).filter);
const of = (properties: readonly string[], name: string, ...args: readonly number[]): string | undefined =>
  programOf(...properties).of('x86-64', name, ...args);

describe('SystemCallFilter=', () => {
  const action = (values: readonly string[], name: string): string | undefined =>
    of(
      values.map(value => `SystemCallFilter=${value}`),
      name,
    );

  it('allows what is listed, with what no program can be without', () => {
    assert.equal(action(['read @sync'], 'read'), 'allow');
    assert.equal(action(['read @sync'], 'fsync'), 'allow');
    assert.equal(action(['read @sync'], 'execve'), 'allow');
    assert.equal(action(['read @sync'], 'write'), 'allow');
    assert.equal(action(['read @sync'], 'ptrace'), 'kill');
    assert.equal(programOf('SystemCallFilter=read').ofNumber('x86-64', 999), '38');
  });

  it('denies what is behind "~", and allows the rest', () => {
    assert.equal(action(['~@mount ptrace'], 'mount'), 'kill');
    assert.equal(action(['~@mount ptrace'], 'ptrace'), 'kill');
    assert.equal(action(['~@mount ptrace'], 'read'), 'allow');
    assert.equal(action(['~@mount write'], 'write'), 'allow');
    assert.equal(programOf('SystemCallFilter=~read').ofNumber('x86-64', 999), 'allow');
    assert.equal(planOf([NO, 'SystemCallFilter=~'], ROOT).filter, undefined);
  });

  it('adds to what the first assignment began, and takes from it', () => {
    assert.equal(action(['@system-service', '~@network-io'], 'socket'), 'kill');
    assert.equal(action(['@system-service', '~@network-io'], 'read'), 'allow');
    assert.equal(action(['~@network-io', 'socket'], 'socket'), 'allow');
    assert.equal(action(['~@network-io', 'socket'], 'bind'), 'kill');
    assert.equal(action(['~@network-io', 'socket'], 'ptrace'), 'allow');
    assert.equal(action(['@system-service', '', '~ptrace'], 'mount'), 'allow');
  });

  it('answers with the errors that are given', () => {
    const values = ['~mount:ENOENT swapon:7 ptrace:kill umount2:0 chroot'].map(value => `SystemCallFilter=${value}`);
    const all = (...more: readonly string[]) =>
      ['mount', 'swapon', 'ptrace', 'umount2', 'chroot', 'read'].map(name => of([...values, ...more], name));
    assert.deepEqual(all(), ['2', '7', 'kill', '0', 'kill', 'allow']);
    assert.deepEqual(all('SystemCallErrorNumber=EPERM'), ['2', '7', 'kill', '0', '1', 'allow']);
    assert.deepEqual(all('SystemCallErrorNumber=EPERM', 'SystemCallErrorNumber='), [
      '2',
      '7',
      'kill',
      '0',
      'kill',
      'allow',
    ]);
    const listed = [
      'SystemCallFilter=@system-service',
      'SystemCallFilter=~mount:ENOENT read:EIO',
      'SystemCallErrorNumber=5',
    ];
    assert.deepEqual(
      ['mount', 'read', 'close', 'ptrace'].map(name => of(listed, name)),
      ['2', '5', 'allow', '5'],
    );
  });

  it('is strict on the command line, and in a unit file drops bad entries alone', () => {
    for (const value of ['reed', '@nothing', '~mount:EWHAT', '~mount:4096', 'read:EPERM', ':EPERM', '~:']) {
      refuses(() => resolvedOf([`SystemCallFilter=${value}`]), 'SystemCallFilter', /; (?:leave|use)/);
    }
    refuses(() => resolvedOf(['SystemCallErrorNumber=0']), 'SystemCallErrorNumber', /0 is not an error/);
    const { warnings, settings } = resolvedOfUnit(['ExecStart=/x', 'SystemCallFilter=reed close @nothing read:5 brk']);
    assert.equal(warnings.length, 3);
    assert.match(warnings.join('\n'), /SystemCallFilter=: an entry is ignored: .*"reed".*"@nothing".*"read:5"/s);
    assert.ok(settings.SystemCallFilter?.words.some(({ name }) => name === 'brk'));
    // Of other processors, and so known.
    assert.deepEqual(resolvedOf(['SystemCallFilter=s390_sthyi riscv_hwprobe']).warnings, []);
  });

  it('is kept by all that it is made of', () => {
    const lists = [
      ...[['SystemCallFilter=read'], ['SystemCallFilter=read', 'SystemCallFilter=fsync']],
      ...[
        ['SystemCallFilter=read', 'SystemCallFilter=~read'],
        ['SystemCallFilter=read', 'SystemCallErrorNumber=EPERM'],
      ],
      ...[['SystemCallFilter=~read'], ['SystemCallFilter=~read:EIO'], ['SystemCallLog=read'], ['LockPersonality=yes']],
      ...[['LockPersonality=yes', 'Personality=x86'], ['RestrictNamespaces=yes'], ['RestrictNamespaces=net']],
      ...[['RestrictAddressFamilies=none'], ['RestrictAddressFamilies=AF_UNIX'], ['RestrictAddressFamilies=~AF_UNIX']],
    ];
    const plans = (): (string | undefined)[] => [
      ...lists.map(list => planOf([NO, ...list], ROOT).filter),
      // Of a user the terminal is protected, too.
      planOf([NO, 'LockPersonality=yes'], STATIC).filter,
    ];
    const first = plans();
    assert.equal(new Set(first).size, lists.length + 1);
    assert.deepEqual(plans(), first);
  });

  it('implies NoNewPrivileges= for a user if the filter denies what gives privileges up, as with systemd', () => {
    const implied = (acquired: Partial<Acquired>, ...properties: readonly string[]): boolean =>
      planOf([NO, ...properties], acquired).noNewPrivileges;
    assert.equal(implied(STATIC, 'SystemCallFilter=@system-service'), false);
    assert.equal(implied(STATIC, 'SystemCallFilter=@system-service', 'SystemCallFilter=~@privileged'), true);
    assert.equal(implied(STATIC, 'SystemCallFilter=~@mount'), false);
    assert.equal(implied(STATIC, 'SystemCallFilter=~capset'), true);
    assert.equal(implied(STATIC, 'LockPersonality=yes'), false);
    assert.equal(implied(ROOT, 'SystemCallFilter=~capset'), false);
    assert.equal(implied(STATIC, 'SystemCallFilter=~capset', 'AmbientCapabilities=CAP_SYS_ADMIN'), false);
  });
});

describe('SystemCallLog=', () => {
  it('logs what is listed, or all but what is behind "~", and allows it', () => {
    assert.equal(of(['SystemCallLog=ptrace'], 'ptrace'), 'log');
    assert.equal(of(['SystemCallLog=ptrace'], 'read'), 'allow');
    assert.equal(of(['SystemCallLog=~read'], 'ptrace'), 'log');
    assert.equal(of(['SystemCallLog=~read'], 'read'), 'allow');
    assert.equal(of(['SystemCallLog=ptrace', 'SystemCallFilter=~ptrace:5'], 'ptrace'), '5');
    refuses(() => resolvedOf(['SystemCallLog=~read:5']), 'SystemCallLog');
  });
});

describe('SystemCallArchitectures=', () => {
  it('ends who uses another one, but for the native one', () => {
    const all = (...values: readonly string[]) => {
      const program = programOf(...values.map(value => `SystemCallArchitectures=${value}`), 'LockPersonality=yes');
      return (['x86-64', 'x86', 'x32'] as const).map(abi => program.of(abi, 'getppid'));
    };
    assert.deepEqual(all('native'), ['allow', 'kill thread', 'kill thread']);
    assert.deepEqual(all('x86', 'mips'), ['allow', 'allow', 'kill thread']);
    assert.deepEqual(all('x86 x32'), ['allow', 'allow', 'allow']);
    assert.deepEqual(all('native', ''), ['allow', 'allow', 'allow']);
    refuses(() => resolvedOf(['SystemCallArchitectures=amd64']), 'SystemCallArchitectures');
  });
});

describe('RestrictAddressFamilies=', () => {
  const families = (...values: readonly string[]) => {
    const properties = values.map(value => `RestrictAddressFamilies=${value}`);
    const { filter } = planOf([NO, ...properties], ROOT);
    return [0, 1, 2, 10, 17].map(family =>
      filter === undefined ? '-' : new FilterProgram(filter).of('x86-64', 'socket', family),
    );
  };
  const NO_FAMILY = '97';

  it('allows the families that are listed, or all but those behind "~", or none', () => {
    assert.deepEqual(families('AF_UNIX AF_INET'), [NO_FAMILY, 'allow', 'allow', NO_FAMILY, NO_FAMILY]);
    assert.deepEqual(families('~AF_PACKET AF_LOCAL'), ['allow', NO_FAMILY, 'allow', 'allow', NO_FAMILY]);
    assert.deepEqual(families('none'), Array(5).fill(NO_FAMILY));
    assert.deepEqual(families('AF_UNIX', 'AF_INET', '~AF_UNIX'), [NO_FAMILY, NO_FAMILY, 'allow', NO_FAMILY, NO_FAMILY]);
    assert.deepEqual(families('AF_UNIX', '~AF_UNIX', '~AF_INET'), Array(5).fill(NO_FAMILY));
    assert.deepEqual(families('none', '~AF_INET'), ['allow', 'allow', NO_FAMILY, 'allow', 'allow']);
    assert.deepEqual(families('AF_UNIX', ''), Array(5).fill('-'));
    assert.deepEqual(families('~'), Array(5).fill('-'));
    refuses(() => resolvedOf(['RestrictAddressFamilies=AF_NOTHING']), 'RestrictAddressFamilies');
    refuses(() => resolvedOf(['RestrictAddressFamilies=unix']), 'RestrictAddressFamilies');
  });

  it('leaves pairs of sockets alone, and x86, whose calls have their arguments in memory', () => {
    const program = programOf('RestrictAddressFamilies=none');
    assert.equal(program.of('x86-64', 'socketpair', 17), 'allow');
    assert.equal(program.of('x86', 'socket', 1), 'allow');
    assert.equal(program.of('x32', 'socket', 1), NO_FAMILY);
  });
});

it('a filter that cannot be had on a processor is refused, though it is the only one', () => {
  const kernel = { processor: 'mips', deniesWriteExecute: true };
  refuses(() => planOf([NO, 'LockPersonality=yes'], { ...ROOT, kernel }), 'LockPersonality', /on this processor/);
});

describe('RestrictNamespaces=', () => {
  const [USER, NET, TIME] = [0x1000_0000, 0x4000_0000, 0x80];
  const all = (...values: readonly string[]) => {
    const program = programOf(...values.map(value => `RestrictNamespaces=${value}`), 'LockPersonality=yes');
    return [
      ...[0, USER, NET, TIME].map(flags => program.of('x86-64', 'unshare', flags)),
      ...[0, USER, NET].map(flags => program.of('x86-64', 'setns', 3, flags)),
      program.of('x86-64', 'clone3'),
    ];
  };
  const [A, D] = ['allow', '1'];

  it('lets every process have children', () => {
    const program = programOf('RestrictNamespaces=net');
    assert.equal(program.of('x86-64', 'clone', constants.signals.SIGCHLD), 'allow');
    assert.equal(program.of('x86-64', 'clone', constants.signals.SIGCHLD | USER), '1');
  });

  it('denies all types, or those that are not listed, or those behind "~"', () => {
    assert.deepEqual(all('yes'), [A, D, D, D, D, D, D, '38']);
    assert.deepEqual(all('no'), [A, A, A, A, A, A, A, A]);
    assert.deepEqual(all('net'), [A, D, A, D, D, D, A, '38']);
    assert.deepEqual(all('~user'), [A, D, A, D, D, D, A, '38']);
    assert.deepEqual(all('~time'), [A, A, A, A, A, A, A, A], 'as with systemd 257');
    assert.deepEqual(all('yes', 'net'), [A, D, A, D, D, D, A, '38']);
    assert.deepEqual(all('user net time', '~net'), [A, A, D, A, D, A, D, '38']);
    assert.deepEqual(all('yes', ''), [A, A, A, A, A, A, A, A]);
    refuses(() => resolvedOf(['RestrictNamespaces=net mount']), 'RestrictNamespaces', /"mount".*mnt/);
    const { settings } = resolvedOfUnit(['ExecStart=/x', 'RestrictNamespaces=net', 'RestrictNamespaces=~net mount']);
    assert.deepEqual(settings.RestrictNamespaces, ['net'], 'a bad value falls out as a whole');
  });
});

describe('MemoryDenyWriteExecute=', () => {
  it('is left to the kernel if it can, and else a filter', () => {
    const properties = [NO, 'MemoryDenyWriteExecute=yes'];
    const kernel = { processor: 'x64', deniesWriteExecute: true };
    const able = planOf(properties, { ...ROOT, kernel });
    assert.deepEqual([able.memoryDenyWriteExecute, able.filter], [true, undefined]);
    const old = planOf(properties, { ...ROOT, kernel: { ...kernel, deniesWriteExecute: false } });
    assert.equal(old.memoryDenyWriteExecute, false);
    const program = new FilterProgram(old.filter);
    for (const abi of ['x86-64', 'x32'] as const) {
      assert.deepEqual(
        [2, 4, 5, 6, 7].map(protection => program.of(abi, 'mmap', 0, 4096, protection)),
        ['allow', 'allow', 'allow', '1', '1'],
      );
      assert.equal(program.of(abi, 'shmat', 0, 0, 0o100000), '1');
    }
    for (const abi of ['x86-64', 'x32', 'x86'] as const) {
      assert.deepEqual([program.of(abi, 'mprotect', 0, 0, 3), program.of(abi, 'mprotect', 0, 0, 5)], ['allow', '1']);
    }
    assert.deepEqual([program.of('x86', 'mmap'), program.of('x86', 'mmap2', 0, 0, 6)], ['1', '1']);
    assert.equal(planOf([NO], { ...ROOT, kernel }).memoryDenyWriteExecute, false);
  });
});

describe('the kernel of the host', () => {
  it('is protected by filters, too', () => {
    for (const [property, ...names] of [
      ['ProtectClock', 'settimeofday', 'adjtimex', 'clock_settime', 'clock_adjtime'],
      ['ProtectKernelModules', 'init_module', 'finit_module', 'delete_module'],
      ['ProtectKernelLogs', 'syslog'],
      ['ProtectKernelTunables', '_sysctl'],
      ['ProtectHostname', 'sethostname', 'setdomainname'],
      ['PrivateDevices', 'iopl', 'ioperm'],
    ] as const) {
      const program = programOf(`${property}=yes`);
      for (const name of names) {
        assert.equal(program.of('x86-64', name), '1', `${property} ${name}`);
      }
      assert.equal(program.of('x86-64', 'read'), 'allow');
    }
  });
});

describe('the names of errors', () => {
  it('have their numbers', () => {
    assert.deepEqual(
      ['EPERM', 'ERANGE', 'ENOSYS', 'ENOMSG', 'EBFONT', 'EAFNOSUPPORT', 'EHWPOISON', 'EWOULDBLOCK', '0', '4095'].map(
        errnoOf,
      ),
      [1, 34, 38, 42, 59, 97, 133, 11, 0, 4095],
    );
    assert.deepEqual(['-', 'EFOO', '4096', '-1', '', 'eperm', '1x'].map(errnoOf), Array(7).fill(undefined));
  });
});
