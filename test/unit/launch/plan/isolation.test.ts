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
  assert.equal(plan.privateUsers, false);
  assert.equal(plan.noNewPrivileges, true);
  assert.equal(plan.restrictSuidSgid, true);
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

test('best effort with the right to mount is full isolation', () => {
  const resolved = resolvedOf(['StateDirectory=x'], { isolation: 'bestEffort' });
  assert.equal(resolved.makesMounts, true);
  assert.equal(resolved.exposeDirectories, false);
  assert.deepEqual(resolved.missing, []);
});

test('what makes another world of it cannot be left out, whatever the effort, and nobody is sent the way that is none', () => {
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
