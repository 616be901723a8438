import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planLaunch } from '../../../../src/launch/launch.ts';
import { acquiredOf, refuses, resolvedOf, resolvedOfUnit } from '../launches.ts';

const FULL = { mayMount: false, isolation: 'full' } as const;
const OWN = ['PrivateMounts=yes', 'PrivateNetwork=yes', 'PrivateIPC=yes', 'ProtectProc=invisible', 'ProcSubset=pid'];
const BEST = { mayMount: false, isolation: 'bestEffort' } as const;

test('without the right to mount, a launch that needs mounts is refused, and told what to do', () => {
  refuses(() => resolvedOf([], FULL), 'isolation', /CAP_SYS_ADMIN.*--isolation=best-effort/, 'NotPermitted');
  const bare = ['ProtectSystem=no', 'ProtectHome=no', 'PrivateTmp=no'];
  assert.equal(resolvedOf(bare, FULL).makesMounts, false);
  assert.equal(resolvedOf(['DynamicUser=no', 'StateDirectory=x'], FULL).makesMounts, false);
  for (const more of ['StateDirectory=x', 'PrivateDevices=yes', 'ReadOnlyPaths=/x', 'PrivateUsers=yes', ...OWN]) {
    refuses(() => resolvedOf([...bare, more], FULL), 'isolation', /CAP_SYS_ADMIN/, 'NotPermitted');
  }
});

test('best effort goes without mounts, and says what is missing', () => {
  const resolved = resolvedOf(['StateDirectory=x', 'PrivateUsers=yes'], BEST);
  assert.equal(resolved.makesMounts, false);
  assert.equal(resolved.exposeDirectories, true);
  for (const name of ['ProtectSystem=strict', 'ProtectHome=read-only', 'PrivateTmp=yes', 'PrivateUsers=yes']) {
    assert.ok(
      resolved.missing.some(words => words.startsWith(`${name}: `)),
      name,
    );
  }
  const plan = planLaunch(resolved, acquiredOf());
  assert.equal(plan.mountNamespace, false);
  assert.deepEqual(plan.mountOps, []);
  assert.equal(plan.privateUsers, undefined);
  assert.equal(plan.noNewPrivileges, true);
  assert.equal(plan.filterIsForTerminal, false);
  assert.equal(resolvedOf([], BEST).exposeDirectories, false);
  const alone = resolvedOf(OWN, BEST);
  for (const property of OWN) {
    assert.ok(
      alone.missing.some(words => words.startsWith(`${property}: `)),
      property,
    );
  }
  const open = planLaunch(alone, acquiredOf());
  assert.deepEqual([open.privateNetwork, open.privateIPC, open.mountOps.length], [false, false, 0]);
});

test('a directory that is read-only needs a mount, whoever the user is', () => {
  for (const value of ['StateDirectory=x::ro', 'RuntimeDirectory=a\\:b:c:ro', 'ConfigurationDirectory=x::ro']) {
    const properties = ['DynamicUser=no', value];
    assert.equal(resolvedOf(properties).makesMounts, true, value);
    refuses(() => resolvedOf(properties, FULL), 'isolation', /CAP_SYS_ADMIN/, 'NotPermitted');
    const name = value.replace(/=.*/, '');
    assert.deepEqual(resolvedOf(properties, BEST).missing, [`${name}=PATH::ro: these directories stay writable`]);
  }
  for (const value of ['StateDirectory=x:ro', 'StateDirectory=x::', 'StateDirectory=a\\:\\:ro', 'StateDirectory=ro']) {
    assert.equal(resolvedOf(['DynamicUser=no', value]).makesMounts, false, value);
  }
});

test('best effort with the right to mount is full isolation', () => {
  const resolved = resolvedOf(['StateDirectory=x'], { isolation: 'bestEffort' });
  assert.equal(resolved.makesMounts, true);
  assert.equal(resolved.exposeDirectories, false);
  assert.deepEqual(resolved.missing, []);
});

test('what changes what a service sees cannot be left out, whatever the effort, and nobody is told to try what does not help', () => {
  for (const name of ['RootDirectory', 'BindPaths', 'TemporaryFileSystem', 'InaccessiblePaths']) {
    for (const how of [FULL, BEST]) {
      const words = new RegExp(
        `^cannot mount: CAP_SYS_ADMIN .* without ${name}= .*; give the launcher CAP_SYS_ADMIN(?!.*effort)`,
      );
      refuses(() => resolvedOf([`${name}=/x`], how), name, words, 'NotPermitted');
    }
  }
  const ofFile = () => resolvedOfUnit(['ExecStart=/x', 'DynamicUser=yes', 'BindPaths=/a'], BEST);
  refuses(ofFile, '/srv/wuff.service:4: BindPaths', /BindPaths=/, 'NotPermitted');
});

test('mounts are made where something needs them, and only there', () => {
  assert.equal(resolvedOf([]).makesMounts, true);
  assert.equal(resolvedOf(['DynamicUser=no']).makesMounts, false);
  assert.equal(resolvedOf(['DynamicUser=no', 'StateDirectory=x']).makesMounts, false);
  assert.equal(resolvedOf(['DynamicUser=no', 'PrivateMounts=yes']).makesMounts, true);
  const bare = ['ProtectSystem=no', 'ProtectHome=no', 'PrivateTmp=no'];
  assert.equal(resolvedOf(bare).makesMounts, false);
  assert.equal(resolvedOf([...bare, 'LogsDirectory=x']).makesMounts, true);
  assert.equal(resolvedOf([...bare, 'RuntimeDirectory=x']).makesMounts, false);
  assert.equal(resolvedOf([...bare, 'RuntimeDirectory=x', 'RuntimeDirectoryPreserve=yes']).makesMounts, true);
});

test('each loss has its words, in the order of the properties', () => {
  const properties = [
    'StateDirectory=x',
    'ProtectHome=yes',
    'PrivateDevices=yes',
    'PrivateUsers=yes',
    'PrivateMounts=yes',
    'ReadOnlyPaths=/a',
    'ReadWritePaths=/b',
    ...OWN.slice(1),
  ];
  const resolved = resolvedOf(properties, BEST);
  assert.deepEqual(resolved.missing, [
    'ProtectSystem=strict: the file system stays writable',
    'ProtectHome=yes: homes are as open as their modes',
    'PrivateTmp=yes: /tmp and /var/tmp are shared with all',
    'PrivateDevices=yes: all devices are there, each as open as its mode',
    'PrivateUsers=yes: the user sees all other users',
    'PrivateMounts=yes: mounts that it makes are seen outside',
    "PrivateNetwork=yes: the network is the host's",
    'PrivateIPC=yes: System V objects and message queues are shared with all',
    'ProtectProc=invisible: the processes of all users are seen',
    'ProcSubset=pid: all of /proc is there',
    'ReadOnlyPaths=: these paths are not read-only',
    'hiding the directories of other services: their modes alone close them',
  ]);
  assert.deepEqual(resolved.leftOut, [
    ...['ProtectSystem', 'ProtectHome', 'PrivateTmp', 'PrivateDevices', 'PrivateUsers', 'PrivateMounts'],
    ...['PrivateNetwork', 'PrivateIPC', 'ProtectProc', 'ProcSubset', 'ReadWritePaths', 'ReadOnlyPaths'],
  ]);
  assert.deepEqual(resolvedOf(properties).missing, []);
  assert.deepEqual(resolvedOf(properties).leftOut, []);
});

test('a launch that needs no mounts has no loss, whoever starts it', () => {
  const bare = resolvedOf(['ProtectSystem=no', 'ProtectHome=no', 'PrivateTmp=no'], BEST);
  assert.deepEqual([bare.missing, bare.leftOut, bare.makesMounts, bare.exposeDirectories], [[], [], false, false]);
});

test('of several that cannot be left out all are named', () => {
  const properties = ['RootDirectory=/r', 'BindPaths=/a', 'InaccessiblePaths=/b', 'ProtectHome=yes'];
  const words =
    /, and without RootDirectory=, InaccessiblePaths=, BindPaths= the service would not be what it is meant to be; .* or take them out$/;
  refuses(() => resolvedOf(properties, BEST), 'RootDirectory', words, 'NotPermitted');
  refuses(
    () => resolvedOf(['BindPaths=/a'], BEST),
    'BindPaths',
    /without BindPaths= .* or take it out$/,
    'NotPermitted',
  );
});

test('a namespace that is not a mount namespace makes no mounts', () => {
  const bare = ['ProtectSystem=no', 'ProtectHome=no', 'PrivateTmp=no'];
  assert.equal(resolvedOf([...bare, 'PrivateUsers=yes']).makesMounts, false);
  assert.deepEqual(resolvedOf([...bare, 'PrivateUsers=yes'], BEST).leftOut, ['PrivateUsers']);
});
