import assert from 'node:assert/strict';
import { test } from 'node:test';
import { groupInFile, loginInFile, membershipsInFile } from '../../../../src/launch/syntax/account-files.ts';

const GROUP = [
  'root:x:0:',
  'first:x:7:web',
  '  spaced:x:8: other , web ',
  'prefix:x:9:webmaster,awe',
  '#comment:x:10:web',
  '+compat:x:11:web',
  '-compat:x:12:web',
  'short:x:13',
  'negative:x:-14:web',
  'hex:x:0x15:web',
  'nobodys:x:4294967295:web',
  'largest:x:4294967294:web',
  'first:x:16:',
  'web:x:900:',
].join('\n');
const PASSWD =
  'web:x:900:900:Web:/srv:/bin/sh\nshort:x:1:1::/\n+nis:x:2:2::/:/bin/sh\nempty:x:3:3:::\nweb:x:1:1::/other:/x';

test('memberships are those of lines that are groups, by exact names', () => {
  assert.deepEqual(membershipsInFile(GROUP, 'web'), [7, 8, 4_294_967_294]);
  assert.deepEqual(membershipsInFile(GROUP, 'awe'), [9]);
  for (const name of ['', 'we', 'root', 'nobody-has-this']) {
    assert.deepEqual(membershipsInFile(GROUP, name), [], name);
  }
  assert.deepEqual(membershipsInFile('', 'web'), []);
});

test('of two groups of one name the first counts', () => {
  assert.equal(groupInFile(GROUP, 'first'), 7);
  assert.equal(groupInFile(GROUP, 'web'), 900);
  for (const name of ['', 'compat', '+compat', 'short', 'negative', 'hex', 'nobodys', 'x']) {
    assert.equal(groupInFile(GROUP, name), undefined, name);
  }
});

test('home and shell are those of the first line of the user that is whole', () => {
  assert.deepEqual(loginInFile(PASSWD, 'web'), { home: '/srv', shell: '/bin/sh' });
  assert.deepEqual(loginInFile(PASSWD, 'empty'), { home: '', shell: '' });
  for (const name of ['', 'short', 'nis', '+nis', 'Web']) {
    assert.equal(loginInFile(PASSWD, name), undefined, name);
  }
});

test('a login is looked for by the number, if the user is one', () => {
  assert.deepEqual(loginInFile('900:x:1:1::/name:/a\nweb:x:900:1::/number:/b', '900'), {
    home: '/number',
    shell: '/b',
  });
  assert.deepEqual(loginInFile('a:x:0:0:900:/h:/s', '900'), undefined);
});

test('ids are decimal numbers that somebody can have', () => {
  const gid = (id: string) => groupInFile(`g:x:${id}:`, 'g');
  assert.deepEqual(['0', '7', '4294967294', '4294967295', '-1', '0x1', '', ' 1', '1 '].map(gid), [
    0,
    7,
    4_294_967_294,
    ...Array(6).fill(undefined),
  ]);
  // The first that is whole counts, also behind one that is not.
  assert.equal(groupInFile('g:x:-1:\ng:x:5:\ng:x:6:', 'g'), 5);
  assert.equal(groupInFile('g:x:5', 'g'), undefined);
});
