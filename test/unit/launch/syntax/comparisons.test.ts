import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareVersions, holds, takeOperator } from '../../../../src/launch/syntax/comparisons.ts';

test('operators are the longest that there are, and white space may follow', () => {
  for (const [text, operator, rest] of [
    ['>=5', '>=', '5'],
    ['> 5', '>', '5'],
    ['<>5', '<>', '5'],
    ['==5', '==', '5'],
    ['!=x', '!=', 'x'],
    ['$=x*', '$=', 'x*'],
    ['!$=x', '!$=', 'x'],
    ['5', undefined, '5'],
    ['', undefined, ''],
  ] as const) {
    assert.deepEqual(takeOperator(text), { operator, rest });
  }
  assert.deepEqual(
    (['<', '<=', '=', '==', '>=', '>', '!=', '<>'] as const).map(operator =>
      [-1, 0, 1].filter(at => holds(operator, at)),
    ),
    [[-1], [-1, 0], [0], [0], [0, 1], [1], [-1, 1], [-1, 1]],
  );
});

test('versions are in the order of the specification', () => {
  // From its own list, and systemd's.
  const ordered = '122.1 123~rc1-1 123 123-a 123-a.1 123-1 123-1.1 123^post1 123.a-1 123.1-1 123a-1 124-1'.split(' ');
  for (const [index, one] of ordered.entries()) {
    for (const [other, text] of ordered.entries()) {
      assert.equal(Math.sign(compareVersions(one, text)), Math.sign(index - other), `${one} ${text}`);
    }
  }
  assert.equal(compareVersions('123_a', '123a'), 0);
  assert.equal(compareVersions('6.012', '6.12'), 0);
  assert.ok(compareVersions('6.9', '6.12') < 0);
});
