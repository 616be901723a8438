import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planLaunch } from '../../../../src/launch/launch.ts';
import { acquiredOf, refuses, wantedOf, wantedOfUnit } from '../launches.ts';

const FULL = { mayMount: false, isolation: 'full' } as const;
const OWN = ['PrivateNetwork=yes', 'PrivateIPC=yes', 'ProtectProc=invisible', 'ProcSubset=pid'];
const BEST = { mayMount: false, isolation: 'bestEffort' } as const;

test('without the right to mount, a launch that needs mounts is refused, and told what to do', () => {
  refuses(() => wantedOf([], FULL), 'isolation', /CAP_SYS_ADMIN.*--isolation=best-effort/, 'NotPermitted');
  const bare = ['ProtectSystem=no', 'ProtectHome=no', 'PrivateTmp=no'];
  assert.equal(wantedOf(bare, FULL).makesMounts, false);
  assert.equal(wantedOf(['DynamicUser=no', 'StateDirectory=x'], FULL).makesMounts, false);
  for (const more of ['StateDirectory=x', 'PrivateDevices=yes', 'ReadOnlyPaths=/x', 'PrivateUsers=yes', ...OWN]) {
    refuses(() => wantedOf([...bare, more], FULL), 'isolation', /CAP_SYS_ADMIN/, 'NotPermitted');
  }
});

test('best effort goes without mounts, and says what is missing', () => {
  const wanted = wantedOf(['StateDirectory=x', 'PrivateUsers=yes'], BEST);
  assert.equal(wanted.makesMounts, false);
  assert.equal(wanted.exposeDirectories, true);
  for (const name of ['ProtectSystem=strict', 'ProtectHome=read-only', 'PrivateTmp=yes', 'PrivateUsers=yes']) {
    assert.ok(
      wanted.missing.some(words => words.startsWith(`${name}: `)),
      name,
    );
  }
  const plan = planLaunch(wanted, acquiredOf());
  assert.equal(plan.mountNamespace, false);
  assert.deepEqual(plan.steps, []);
  assert.equal(plan.privateUsers, false);
  assert.equal(plan.noNewPrivileges, true);
  assert.equal(plan.restrictSuidSgid, true);
  assert.equal(wantedOf([], BEST).exposeDirectories, false);
  const alone = wantedOf(OWN, BEST);
  for (const property of OWN) {
    assert.ok(
      alone.missing.some(words => words.startsWith(`${property}: `)),
      property,
    );
  }
  const open = planLaunch(alone, acquiredOf());
  assert.deepEqual([open.privateNetwork, open.privateIPC, open.steps.length], [false, false, 0]);
});

test('best effort with the right to mount is full isolation', () => {
  const wanted = wantedOf(['StateDirectory=x'], { isolation: 'bestEffort' });
  assert.equal(wanted.makesMounts, true);
  assert.equal(wanted.exposeDirectories, false);
  assert.deepEqual(wanted.missing, []);
});

test('what makes another world of it cannot be left out, whatever the effort, and nobody is sent the way that is none', () => {
  for (const name of ['RootDirectory', 'BindPaths', 'TemporaryFileSystem', 'InaccessiblePaths']) {
    for (const how of [FULL, BEST]) {
      const words = new RegExp(
        `^cannot mount: CAP_SYS_ADMIN .* without ${name}= .*; give the launcher CAP_SYS_ADMIN(?!.*effort)`,
      );
      refuses(() => wantedOf([`${name}=/x`], how), name, words, 'NotPermitted');
    }
  }
  const ofFile = () => wantedOfUnit(['ExecStart=/x', 'DynamicUser=yes', 'BindPaths=/a'], BEST);
  refuses(ofFile, '/srv/wuff.service:4: BindPaths', /BindPaths=/, 'NotPermitted');
});

test('mounts are made where something needs them, and only there', () => {
  assert.equal(wantedOf([]).makesMounts, true);
  assert.equal(wantedOf(['DynamicUser=no']).makesMounts, false);
  assert.equal(wantedOf(['DynamicUser=no', 'StateDirectory=x']).makesMounts, false);
  const bare = ['ProtectSystem=no', 'ProtectHome=no', 'PrivateTmp=no'];
  assert.equal(wantedOf(bare).makesMounts, false);
  assert.equal(wantedOf([...bare, 'LogsDirectory=x']).makesMounts, true);
  assert.equal(wantedOf([...bare, 'RuntimeDirectory=x']).makesMounts, false);
  assert.equal(wantedOf([...bare, 'RuntimeDirectory=x', 'RuntimeDirectoryPreserve=yes']).makesMounts, true);
});
