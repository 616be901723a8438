import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LaunchPlan } from '../../../../src/api/generated/io-dynuser-allocator.ts';
import { explainPlan, planLaunch } from '../../../../src/launch/launch.ts';
import { FilterProgram } from '../../../support/filters.ts';
import { acquiredOf, refuses, resolvedOf, resolvedOfUnit } from '../launches.ts';

const UNTRUSTED = { untrusted: true } as const;

test('an untrusted program has what a launch can take from it taken', () => {
  const resolved = resolvedOf([], UNTRUSTED);
  const { settings } = resolved;
  assert.equal(resolved.dynamicUser, true);
  assert.deepEqual(
    [settings.PrivateNetwork, settings.PrivateIPC, settings.PrivateUsers, settings.PrivateDevices, settings.PrivateTmp],
    [true, true, 'yes', true, true],
  );
  assert.deepEqual([settings.ProtectProc, settings.ProcSubset], ['invisible', 'pid']);
  assert.deepEqual([settings.ProtectSystem, settings.ProtectHome], ['strict', 'yes']);
  const plan = planLaunch(resolved, acquiredOf());
  assert.deepEqual([plan.boundingSet, plan.ambientSet], ['0'.repeat(16), '0'.repeat(16)]);
  assert.deepEqual([plan.noNewPrivileges, plan.filterIsForTerminal, plan.privateNetwork], [true, false, true]);
});

test('what is typed holds over the preset, and the preset over a unit file', () => {
  const typed = resolvedOf(['PrivateNetwork=no', 'CapabilityBoundingSet=CAP_KILL'], UNTRUSTED);
  assert.equal(typed.settings.PrivateNetwork, false);
  assert.equal(typed.settings.CapabilityBoundingSet, 1n << 5n);
  assert.equal(typed.settings.PrivateIPC, true);
  const lines = ['ExecStart=/x', 'DynamicUser=no', 'User=games', 'PrivateNetwork=no', 'ProtectHome=no', 'UMask=077'];
  const ofFile = resolvedOfUnit(lines, UNTRUSTED);
  assert.deepEqual([ofFile.dynamicUser, ofFile.userName], [true, 'games']);
  assert.deepEqual([ofFile.settings.PrivateNetwork, ofFile.settings.ProtectHome], [true, 'yes']);
  assert.equal(ofFile.settings.UMask, 0o077);
  const both = resolvedOfUnit(lines, { ...UNTRUSTED, properties: ['ProtectHome=tmpfs'] });
  assert.equal(both.settings.ProtectHome, 'tmpfs');
});

test('its environment begins with a few variables, and what is set for it is there', () => {
  const plan = planLaunch(
    resolvedOf(['Environment=A=1'], { ...UNTRUSTED, setEnvironment: ['B=2', 'PATH=/x'] }),
    acquiredOf(),
  );
  assert.equal(plan.inheritEnvironment, false);
  assert.deepEqual(plan.passEnvironment, ['PATH', 'TERM', 'LANG', 'LC_*']);
  assert.deepEqual(plan.environment, ['USER=wuff', 'LOGNAME=wuff', 'A=1', 'B=2', 'PATH=/x']);
  const empty = planLaunch(resolvedOf([], { ...UNTRUSTED, inheritEnvironment: false }), acquiredOf());
  assert.deepEqual(empty.passEnvironment, []);
  const ofFile = planLaunch(resolvedOfUnit(['ExecStart=/x'], UNTRUSTED), acquiredOf());
  assert.deepEqual([ofFile.inheritEnvironment, ofFile.passEnvironment], [false, []]);
  assert.equal(ofFile.environment[0], 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin');
  assert.deepEqual(planLaunch(resolvedOf([]), acquiredOf()).passEnvironment, []);
});

test('it is never root, and no command of its unit file is', () => {
  refuses(() => resolvedOf(['DynamicUser=no'], UNTRUSTED), 'untrusted', /would be root/);
  for (const user of ['root', '0']) {
    refuses(() => resolvedOf(['DynamicUser=no', `User=${user}`], UNTRUSTED), 'untrusted', /would be root/);
  }
  assert.equal(resolvedOf(['DynamicUser=no', 'User=games'], UNTRUSTED).dynamicUser, false);
  const root = acquiredOf({ uid: 0, gid: 0, userName: 'toor', dynamic: false });
  refuses(() => planLaunch(resolvedOf(['User=toor'], UNTRUSTED), root), 'untrusted', /toor is root/);
  for (const prefix of ['+', '!', '-+']) {
    const lines = [`ExecStartPre=${prefix}/bin/a`, 'ExecStart=/bin/b'];
    refuses(() => resolvedOfUnit(lines, UNTRUSTED), 'untrusted', /"\/bin\/a" would run as root/);
    assert.equal(resolvedOfUnit(lines).dynamicUser, false);
  }
});

test('its system calls are filtered, besides what a unit file filters, unless the property is typed', () => {
  const outcome = (plan: LaunchPlan): (string | undefined)[] => {
    const program = new FilterProgram(plan.filter);
    const of = (name: string, ...args: readonly number[]) => program.of('x86-64', name, ...args);
    return [
      of('read'),
      of('ptrace'),
      of('io_uring_setup'),
      of('socket', 10),
      of('socket', 17),
      of('unshare', 0x1000_0000),
    ];
  };
  const typed = (...properties: string[]) => outcome(planLaunch(resolvedOf(properties, UNTRUSTED), acquiredOf()));
  assert.deepEqual(typed(), ['allow', '1', '1', 'allow', '97', '1']);
  assert.deepEqual(typed('SystemCallFilter='), ['allow', 'allow', 'allow', 'allow', '97', '1']);
  assert.deepEqual(typed('RestrictAddressFamilies=AF_PACKET'), ['allow', '1', '1', '97', 'allow', '1']);
  const lines = ['ExecStart=/x', 'RestrictAddressFamilies=none', 'SystemCallFilter=~read ptrace:kill'];
  const ofUnit = planLaunch(resolvedOfUnit(lines, UNTRUSTED), acquiredOf());
  assert.deepEqual(outcome(ofUnit), ['kill', 'kill', '1', '97', '97', '1']);
});

test('where nothing can be taken from it, it is refused, whatever the effort', () => {
  for (const isolation of ['full', 'bestEffort'] as const) {
    const how = { ...UNTRUSTED, mayMount: false, isolation };
    refuses(() => resolvedOf([], how), 'untrusted', /CAP_SYS_ADMIN(?!.*best-effort)/, 'NotPermitted');
  }
});

test('the explanation has what it sets, and what was changed in that', () => {
  const resolved = resolvedOf(['PrivateNetwork=no'], UNTRUSTED);
  const text = explainPlan(resolved, acquiredOf(), planLaunch(resolved, acquiredOf())).join('\n');
  assert.match(text, /^Set by --untrusted:\n {2}DynamicUser=yes\n/m);
  assert.match(text, /^ {2}PrivateNetwork=yes, changed by PrivateNetwork=$/m);
  assert.match(text, /^ {2}PrivateIPC=yes$/m);
  assert.match(text, /^ {2}begins with these of the launcher's own: PATH TERM LANG LC_\*$/m);
  const plain = resolvedOf([]);
  assert.doesNotMatch(explainPlan(plain, acquiredOf(), planLaunch(plain, acquiredOf())).join('\n'), /untrusted/);
});
