import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDirectoryValue } from '../../../src/directories/plan/value.ts';

test('reads the value syntax of systemd.exec(5)', () => {
  assert.deepEqual(parseDirectoryValue('foo'), { source: 'foo', readOnly: false });
  assert.deepEqual(parseDirectoryValue('foo/./bar//'), { source: 'foo/bar', readOnly: false });
  assert.deepEqual(parseDirectoryValue('foo:alias'), { source: 'foo', destination: 'alias', readOnly: false });
  assert.deepEqual(parseDirectoryValue('foo::ro'), { source: 'foo', readOnly: true });
  assert.deepEqual(parseDirectoryValue('foo:bar:ro'), { source: 'foo', destination: 'bar', readOnly: true });
  assert.deepEqual(parseDirectoryValue('foo::'), { source: 'foo', readOnly: false });
  assert.deepEqual(parseDirectoryValue('a\\:b'), { source: 'a:b', readOnly: false });
  assert.deepEqual(parseDirectoryValue('a\\:b:c\\:d'), { source: 'a:b', destination: 'c:d', readOnly: false });
  assert.deepEqual(parseDirectoryValue('privateer'), { source: 'privateer', readOnly: false });
});

test('reads the escapes of C', () => {
  const sources = {
    'a\\x2db': 'a-b',
    'a\\\\b': 'a\\b',
    'a\\sb': 'a b',
    'a\\nb': 'a\nb',
    'a\\055b': 'a-b',
    '\\u00fcber': 'über',
    '\\xc3\\xbcber': 'über',
    'ü\\x2d': 'ü-',
    '\\U0001f600': '😀',
  };
  for (const [text, source] of Object.entries(sources)) {
    assert.deepEqual(parseDirectoryValue(text), { source, readOnly: false }, text);
  }
});

test('refuses what is no directory of a service, with a reason', () => {
  const paths = ['', '.', '/', '/etc', '..', 'a/../b', 'private', 'private/x', './private', '\\x70rivate', 'a:..'];
  const syntax = ['a::rw', 'a:b:ro:c', 'a\\', 'a\\q', '\\x4', '\\x00', '\\xff', '\\ud800', '\\U00110000', '\\400'];
  for (const text of [...paths, ...syntax, 'a\0b', 'x'.repeat(256), 'x/'.repeat(2_500)]) {
    assert.equal(typeof parseDirectoryValue(text), 'string', JSON.stringify(text));
  }
});
