import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDirectoryValue } from '../../../src/core/directory-value.ts';

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

const LONGEST = `${'x'.repeat(255)}/`.repeat(15);

test('paths are as long as file systems can hold them, and no longer', () => {
  const longest = LONGEST + 'x'.repeat(4_000 - LONGEST.length);
  for (const path of ['x'.repeat(255), 'ü'.repeat(127), longest]) {
    assert.deepEqual(parseDirectoryValue(path), { source: path, readOnly: false });
    assert.deepEqual(parseDirectoryValue(`a:${path}`), { source: 'a', destination: path, readOnly: false });
  }
  for (const path of ['x'.repeat(256), 'ü'.repeat(128), `${longest}x`, 'a\0b']) {
    assert.match(String(parseDirectoryValue(path)), / is a path that no file system can hold$/);
    assert.match(String(parseDirectoryValue(`a:${path}`)), / is a path that no file system can hold$/);
  }
});

/** What is refused, and how that begins. */
const REFUSED: Readonly<Record<string, readonly string[]>> = {
  'must be relative: it is a path below the base directory': ['/', '/etc', '\\x2fetc', 'a:/b'],
  'names no directory': ['', '.', './/.', ':a', 'a:.'],
  'must not contain ".."': ['..', 'a/../b', 'a/..', '\\x2e.', 'a:..'],
  'holds the private directories, and no service may have it': [
    ...['private', 'private/x', './private', '\\x70rivate', 'a:private'],
  ],
  'is not a flag of a directory; there is only "ro"': ['a::rw', 'a:b:RO', 'a:b:ro '],
  'has more than three parts; a colon within a part is written "\\:"': ['a:b:ro:c', 'a:b:ro:'],
  'has an invalid escape; a backslash is written "\\\\"': [
    ...['a\\', 'a\\q', '\\x4', '\\x00', '\\xff', '\\ud800', '\\U00110000', '\\400', 'a:\\q'],
  ],
};

for (const [reason, texts] of Object.entries(REFUSED)) {
  test(`refuses what ${reason}`, () => {
    for (const text of texts) {
      const refusal = parseDirectoryValue(text);
      assert.ok(typeof refusal === 'string' && refusal.startsWith('"'), text);
      assert.equal(refusal.slice(refusal.indexOf('" ') + 2), reason, text);
    }
  });
}

test('a refusal shows what was refused, and of a long text its beginning', () => {
  assert.equal(parseDirectoryValue('a/../b'), '"a/../b" must not contain ".."');
  assert.equal(parseDirectoryValue('a::\n'), '"\\n" is not a flag of a directory; there is only "ro"');
  const longest = `/${'x'.repeat(254)}`;
  assert.ok(String(parseDirectoryValue(longest)).startsWith(`"${longest}" must`));
  assert.ok(String(parseDirectoryValue(`${longest}x`)).startsWith(`"${longest}…" must`));
});
