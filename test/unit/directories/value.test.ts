import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDirectoryValue } from '../../../src/directories/value.ts';

test('reads the value syntax of systemd.exec(5)', () => {
  assert.deepEqual(parseDirectoryValue('foo'), { source: 'foo', readOnly: false });
  assert.deepEqual(parseDirectoryValue('foo/./bar//'), { source: 'foo/bar', readOnly: false });
  assert.deepEqual(parseDirectoryValue('foo:alias'), { source: 'foo', destination: 'alias', readOnly: false });
  assert.deepEqual(parseDirectoryValue('foo::ro'), { source: 'foo', readOnly: true });
  assert.deepEqual(parseDirectoryValue('foo:bar:ro'), { source: 'foo', destination: 'bar', readOnly: true });
  assert.deepEqual(parseDirectoryValue('a\\:b'), { source: 'a:b', readOnly: false });
  assert.deepEqual(parseDirectoryValue('privateer'), { source: 'privateer', readOnly: false });
});

test('refuses what is no directory of a service, with a reason', () => {
  const refused = [
    '',
    '.',
    '/',
    '/etc',
    '..',
    'a/../b',
    'private',
    'private/x',
    './private',
    'a:..',
    'a::rw',
    'a:b:ro:c',
  ];
  for (const text of [...refused, 'a\0b', 'x'.repeat(256)]) {
    assert.equal(typeof parseDirectoryValue(text), 'string', JSON.stringify(text));
  }
});
