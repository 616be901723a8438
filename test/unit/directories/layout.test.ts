import assert from 'node:assert/strict';
import { posix } from 'node:path';
import { test } from 'node:test';
import type { DirectoryKind } from '../../../src/core/directory.ts';
import { BASE_DIRECTORIES } from '../../../src/core/directory-classes.ts';
import { exposedLayoutOf, type Layout, layoutOf, relativePath } from '../../../src/directories/plan/layout.ts';
import { requestedDirectories } from '../../../src/directories/plan/request.ts';

function layout(text: string, dynamic: boolean, kind: DirectoryKind = 'state', preserveRuntime = false): Layout {
  const request = { runtime: [], state: [], cache: [], logs: [], [kind]: [text] };
  const [directory] = requestedDirectories(request, { modes: { [kind]: 0o6755 }, preserveRuntime });
  assert.ok(directory !== undefined);
  return layoutOf(directory, dynamic, BASE_DIRECTORIES);
}

test('a dynamic user’s directory is private, with a relative link', () => {
  const found = layout('foo:x/y', true);
  assert.equal(found.realPath, '/var/lib/private/foo');
  assert.equal(found.publicPath, '/var/lib/foo');
  assert.deepEqual(found.link, { components: ['foo'], text: 'private/foo', former: [] });
  assert.deepEqual(found.aliases, [{ components: ['x', 'y'], text: '../foo', former: ['../private/foo'] }]);
  assert.equal(found.mode, 0o755, 'without setuid and setgid');
  assert.equal(layout('a/b/c', true).link?.text, '../../private/a/b/c');
});

test('a static user’s directory is public, and so is a runtime directory that goes with its user', () => {
  const found = layout('foo:x', false);
  assert.equal(found.realPath, '/var/lib/foo');
  assert.equal(found.link, undefined);
  assert.deepEqual(found.aliases, [{ components: ['x'], text: 'foo', former: ['private/foo'] }]);
  assert.equal(found.mode, 0o6755);
  assert.equal(layout('foo', true, 'runtime').realPath, '/run/foo');
  assert.equal(layout('foo', true, 'runtime', true).realPath, '/run/private/foo');
});

test('links are as short as they can be, and lead to their target', () => {
  for (const [place, target, text] of [
    ['a/x', 'a/b', 'b'],
    ['a/x/y', 'a/b/c', '../b/c'],
    ['a/x/y', 'a/x/b', 'b'],
    ['a', 'a', 'a'],
    ['a', 'a/b', 'a/b'],
    ['a/b', 'a', '../a'],
    ['a/b', 'a/b', 'b'],
    ['x/a/b', 'a/b', '../../a/b'],
    ['a/x/c/d', 'a/y/c/e', '../../y/c/e'],
  ] as const) {
    assert.equal(relativePath(place.split('/'), target.split('/')), text, `from ${place} to ${target}`);
    assert.equal(posix.resolve(`/${posix.dirname(place)}`, text), `/${target}`);
  }
});

test('an exposed directory is at its public path, for its user alone, and its aliases lead there', () => {
  const request = { runtime: [], state: ['foo:x'], cache: [], logs: [] };
  const [directory] = requestedDirectories(request, { modes: {}, preserveRuntime: false, expose: true });
  assert.ok(directory !== undefined);
  const exposed = exposedLayoutOf(directory, BASE_DIRECTORIES);
  assert.deepEqual(
    [exposed.isPrivate, exposed.realPath, exposed.publicPath, exposed.link, exposed.mode],
    [false, '/var/lib/foo', '/var/lib/foo', undefined, 0o700],
  );
  assert.deepEqual(exposed.aliases, [{ components: ['x'], text: 'foo', former: ['private/foo'] }]);
  const before = layoutOf(directory, true, BASE_DIRECTORIES);
  assert.deepEqual([before.isPrivate, before.realPath, before.mode], [true, '/var/lib/private/foo', 0o700]);
});
