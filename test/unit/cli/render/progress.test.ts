import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderProgress } from '../../../../src/cli/render/progress.ts';
import { widthOf } from '../../../../src/cli/render/text.ts';

const progress = { publicPath: '/var/lib/dynamic-user-test', inodes: 123_456, changed: 7 };

test('the path and the numbers, as far as they are known', () => {
  assert.equal(renderProgress(progress, 79), '/var/lib/dynamic-user-test: 123456 inodes inspected, 7 changed');
});

test('the path gives way to the numbers, and no line is wider than its room', () => {
  assert.equal(renderProgress(progress, 45), '/var/lib…: 123456 inodes inspected, 7 changed');
  for (let columns = 0; columns < 70; columns++) {
    assert.ok(widthOf(renderProgress(progress, columns)) <= columns);
  }
});

test('a path drives no terminal', () => {
  assert.match(renderProgress({ ...progress, publicPath: '/a\r\x1b[2J' }, 79), /^\/a\\x0d\\x1b\[2J: /);
});
