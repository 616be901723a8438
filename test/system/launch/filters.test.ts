/** The seccomp filters of the same unit file, started by the real systemd and by dynuser-run, do the same with every call. */
import assert from 'node:assert/strict';
import process from 'node:process';
import { after, before, describe, it } from 'node:test';
import {
  type BothFilters,
  bootForFilters,
  differencesOf,
  OTHER_ABIS,
  readBoth,
} from '../../support/compared-filters.ts';
import type { Machine } from '../../support/machine.ts';

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

describe('the filters of a unit file, by systemd and by dynuser-run', () => {
  let machine: Machine;
  let read: readonly BothFilters[];
  before(async () => {
    machine = await bootForFilters();
    read = await readBoth(machine, UNITS);
  });
  after(() => machine?.stop());

  for (const [index, lines] of UNITS.entries()) {
    it(lines.join(' '), () => {
      const { theirs, ours } = read[index] ?? assert.fail();
      assert.ok(theirs !== undefined, 'systemd did not start it');
      assert.deepEqual(differencesOf(theirs, ours), []);
    });
  }

  it('hold for whoever comes into the kernel another way', {
    skip: process.arch !== 'x64' && 'not this processor',
  }, async t => {
    const attempt = async (properties: readonly string[], ...calls: readonly string[]): Promise<string> => {
      const options = ['DynamicUser=no', ...properties].flatMap(property => ['-p', property]);
      const { status, stdout } = await machine.run(['dynuser-run', ...options, OTHER_ABIS, ...calls]);
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
