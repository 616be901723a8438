import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DirectoryKind } from '../../../src/core/directory.ts';
import { BASE_DIRECTORIES } from '../../../src/directories/classes.ts';
import type { Found } from '../../../src/directories/observe/path.ts';
import { type Layout, layoutOf, relativePath } from '../../../src/directories/plan/layout.ts';
import { decideLink, decidePlacement } from '../../../src/directories/plan/placement.ts';
import { requestedDirectories } from '../../../src/directories/plan/request.ts';

function layout(text: string, dynamic: boolean, kind: DirectoryKind = 'state', preserveRuntime = false): Layout {
  const request = { runtime: [], state: [], cache: [], logs: [], [kind]: [text] };
  const [directory] = requestedDirectories(request, { modes: { [kind]: 0o6755 }, preserveRuntime });
  assert.ok(directory !== undefined);
  return layoutOf(directory, dynamic, BASE_DIRECTORIES);
}

test('a dynamic user’s directory is behind the boundary, with a relative link', () => {
  const found = layout('foo:x/y', true);
  assert.equal(found.realPath, '/var/lib/private/foo');
  assert.equal(found.publicPath, '/var/lib/foo');
  assert.deepEqual(found.link, { components: ['foo'], text: 'private/foo', former: [] });
  assert.deepEqual(found.aliases, [{ components: ['x', 'y'], text: '../private/foo', former: ['../foo'] }]);
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

test('links are as short as they can be', () => {
  assert.equal(relativePath(['a', 'x'], ['a', 'b']), 'b');
  assert.equal(relativePath(['a', 'x', 'y'], ['a', 'b', 'c']), '../b/c');
  assert.equal(relativePath(['a'], ['a']), 'a');
});

const NOTHING: Found = { kind: 'nothing' };
const DIRECTORY: Found = { kind: 'directory' };
const FILE: Found = { kind: 'other' };
const link = (text: string): Found => ({ kind: 'link', text });

/** What is in the tree's place, what is in the other one, and what is decided. */
type Row = readonly [tree: Found, counterpart: Found, kind: string, link?: string];

test('places a dynamic user’s tree, or refuses, whatever is found', () => {
  const rows: readonly Row[] = [
    [NOTHING, NOTHING, 'make', 'make'],
    [DIRECTORY, NOTHING, 'keep', 'make'],
    [NOTHING, DIRECTORY, 'move', 'make'],
    [DIRECTORY, link('private/foo'), 'keep', 'none'],
    [DIRECTORY, link('/var/lib/private/foo'), 'keep', 'none'],
    [NOTHING, link('private/foo'), 'make', 'none'],
    [DIRECTORY, DIRECTORY, 'refuse'],
    [DIRECTORY, FILE, 'refuse'],
    [NOTHING, FILE, 'refuse'],
    [NOTHING, link('private/bar'), 'refuse'],
    [NOTHING, link('/etc'), 'refuse'],
    [FILE, NOTHING, 'refuse'],
    [link('/etc'), NOTHING, 'refuse'],
    [link('/etc'), DIRECTORY, 'refuse'],
  ];
  check(layout('foo', true), rows);
});

test('places a static user’s tree, or refuses, whatever is found', () => {
  const rows: readonly Row[] = [
    [NOTHING, NOTHING, 'make', 'none'],
    [DIRECTORY, NOTHING, 'keep', 'none'],
    [NOTHING, DIRECTORY, 'move', 'none'],
    [link('private/foo'), DIRECTORY, 'move', 'remove'],
    [link('private/foo'), NOTHING, 'make', 'remove'],
    [link('elsewhere'), DIRECTORY, 'refuse'],
    [link('elsewhere'), NOTHING, 'refuse'],
    [DIRECTORY, DIRECTORY, 'refuse'],
    [FILE, NOTHING, 'refuse'],
    [NOTHING, FILE, 'refuse'],
    [NOTHING, link('/etc'), 'refuse'],
  ];
  check(layout('foo', false), rows);
  const nested = layout('a/b', false);
  assert.equal(decidePlacement(nested, false, link('../private/a/b'), DIRECTORY).kind, 'move');
  assert.equal(decidePlacement(nested, false, link('private/a/b'), DIRECTORY).kind, 'refuse');
});

function check(place: Layout, rows: readonly Row[]): void {
  for (const [tree, counterpart, kind, change] of rows) {
    const decided = decidePlacement(place, false, tree, counterpart);
    const found = JSON.stringify([tree, counterpart]);
    assert.equal(decided.kind, kind, found);
    assert.equal(decided.kind === 'refuse' ? undefined : decided.link, change, found);
  }
}

test('what is below another directory of the request has no link and is not moved', () => {
  assert.deepEqual(decidePlacement(layout('a/b', true), true, NOTHING, DIRECTORY), { kind: 'make', link: 'none' });
  assert.deepEqual(decidePlacement(layout('a/b', true), true, DIRECTORY, NOTHING), { kind: 'keep', link: 'none' });
  assert.equal(decidePlacement(layout('a/b', false), true, link('x'), NOTHING).kind, 'refuse');
});

test('an alias is made, kept, or replaced where it was one before a migration', () => {
  const [alias] = layout('foo:x', true).aliases;
  assert.ok(alias !== undefined);
  assert.equal(decideLink('/var/lib/x', alias, NOTHING), 'make');
  assert.equal(decideLink('/var/lib/x', alias, link('private/foo')), 'keep');
  assert.equal(decideLink('/var/lib/x', alias, link('foo')), 'replace');
  for (const found of [link('bar'), DIRECTORY, FILE]) {
    assert.equal(typeof decideLink('/var/lib/x', alias, found), 'object');
  }
});
