import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planOf, refuses } from '../launches.ts';

test('files to open: path, name and options', () => {
  const plain = { access: 'both', append: false, truncate: false, optional: false } as const;
  assert.deepEqual(planOf(['OpenFile=/a/b', 'OpenFile=/c:d', 'OpenFile=/e::read-only,graceful']).openFiles, [
    { path: '/a/b', name: 'b', ...plain },
    { path: '/c', name: 'd', ...plain },
    { path: '/e', name: 'e', ...plain, access: 'read', optional: true },
  ]);
  assert.equal(planOf(['OpenFile=/a', 'OpenFile=']).openFiles, undefined);
  assert.deepEqual(planOf(['OpenFile=/a:b:append']).openFiles, [{ path: '/a', name: 'b', ...plain, append: true }]);
  refuses(() => planOf(['OpenFile=a']), 'OpenFile', /absolute/);
  refuses(() => planOf(['OpenFile=/a:b:write']), 'OpenFile', /with the options/);
  refuses(() => planOf(['OpenFile=/a:b:append:c']), 'OpenFile', /with the options/);
  refuses(() => planOf(['OpenFile=/a:b:append,truncate']), 'OpenFile', /exclude each other/);
  refuses(() => planOf(['OpenFile=/é']), 'OpenFile', /name of a descriptor/);
});

test('keyrings, securebits and labels', () => {
  assert.equal(planOf([]).keyring, undefined);
  assert.equal(planOf(['KeyringMode=shared']).keyring, 'shared');
  assert.equal(planOf(['KeyringMode=inherit'], {}, { untrusted: true }).keyring, 'inherit');
  assert.equal(planOf(['SecureBits=noroot', 'SecureBits=keep-caps-locked no-setuid-fixup']).secureBits, 0b100101);
  assert.equal(planOf(['SecureBits=noroot', 'SecureBits=']).secureBits, undefined);
  refuses(() => planOf(['SecureBits=root']), 'SecureBits', /unknown bit/);
  const { selinuxContext, apparmorProfile, smackLabel } = planOf(
    ['SELinuxContext=a:b:c:s0', 'AppArmorProfile=-%p', 'SmackProcessLabel=_'],
    {},
    { unit: 'wuff' },
  );
  assert.deepEqual([selinuxContext, apparmorProfile, smackLabel], ['a:b:c:s0', '-wuff', '_']);
  refuses(() => planOf(['AppArmorProfile=a b']), 'AppArmorProfile', /not a label/);
});
