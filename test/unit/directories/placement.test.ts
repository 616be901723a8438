import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PathStatus, RequestedDirectory } from '../../../src/core/directory.ts';
import { BASE_DIRECTORIES } from '../../../src/core/directory-classes.ts';
import { directoryFailed } from '../../../src/directories/errors.ts';
import { type ObservedPath, PathSnapshot } from '../../../src/directories/observe/snapshot.ts';
import { layoutOf } from '../../../src/directories/plan/layout.ts';
import { planPlacement } from '../../../src/directories/plan/placement.ts';
import { requestedDirectories } from '../../../src/directories/plan/request.ts';

const NOTHING: PathStatus = { kind: 'nothing' };
const DIRECTORY: PathStatus = {
  ...{ kind: 'directory', uid: 0, gid: 0, mode: 0o755 },
  ...{ device: '1', inode: '2', ownerHint: 'none' },
};
const FILE: PathStatus = { kind: 'other' };
const link = (text: string): PathStatus => ({ kind: 'link', text });

interface Observed {
  readonly tree: PathStatus;
  readonly counterpart?: PathStatus;
  readonly alias?: PathStatus;
}

/** Plans one directory, of which this is found; what is above it exists. @param below what it is a part of */
function plan(value: string, dynamic: boolean, found: Observed, below?: string, isInCounterpart = false) {
  const request = { runtime: [], state: [value], cache: [], logs: [] };
  const [requested] = requestedDirectories(request, { modes: {}, preserveRuntime: false });
  assert.ok(requested !== undefined);
  const directory: RequestedDirectory = below === undefined ? requested : { ...requested, below };
  const layout = layoutOf(directory, dynamic, BASE_DIRECTORIES);
  const path = (components: readonly string[], last: PathStatus): [string, ObservedPath] => [
    components.join('/'),
    [...components.slice(1).map(() => DIRECTORY), last],
  ];
  const paths = new PathSnapshot(
    '/var/lib',
    'stateDirectory',
    new Map([
      path(layout.tree, found.tree),
      path(layout.counterpart, found.counterpart ?? NOTHING),
      ...layout.aliases.map(alias => path(alias.components, found.alias ?? NOTHING)),
    ]),
  );
  return planPlacement(paths, layout, directory, isInCounterpart);
}

/** @returns in short: what is done with the tree, with links removed and made, or that it is refused */
function short(value: string, dynamic: boolean, found: Observed): string {
  try {
    const { tree, unlink, link: made } = plan(value, dynamic, found);
    const links = [...unlink.map(({ text }) => `-${text}`), ...made.map(({ text }) => `+${text}`)];
    return [tree, ...links].join(' ');
  } catch (error) {
    assert.match(String(error), /move (?:it|one of them) elsewhere/);
    return 'refused';
  }
}

type Row = readonly [tree: PathStatus, counterpart: PathStatus, planned: string];

const PRIVATE_ROWS: readonly Row[] = [
  [NOTHING, NOTHING, 'make +private/foo'],
  [DIRECTORY, NOTHING, 'keep +private/foo'],
  [NOTHING, DIRECTORY, 'move +private/foo'],
  [DIRECTORY, link('private/foo'), 'keep'],
  [DIRECTORY, link('/var/lib/private/foo'), 'keep'],
  [NOTHING, link('private/foo'), 'make'],
  [DIRECTORY, DIRECTORY, 'refused'],
  [DIRECTORY, FILE, 'refused'],
  [NOTHING, FILE, 'refused'],
  [NOTHING, link('private/bar'), 'refused'],
  [NOTHING, link('/etc'), 'refused'],
  [FILE, NOTHING, 'refused'],
  [link('/etc'), NOTHING, 'refused'],
  [link('/etc'), DIRECTORY, 'refused'],
];

const PUBLIC_ROWS: readonly Row[] = [
  [NOTHING, NOTHING, 'make'],
  [DIRECTORY, NOTHING, 'keep'],
  [NOTHING, DIRECTORY, 'move'],
  [link('private/foo'), DIRECTORY, 'move -private/foo'],
  [link('private/foo'), NOTHING, 'make -private/foo'],
  [link('/var/lib/private/foo'), DIRECTORY, 'move -/var/lib/private/foo'],
  [link('elsewhere'), DIRECTORY, 'refused'],
  [link('elsewhere'), NOTHING, 'refused'],
  [DIRECTORY, DIRECTORY, 'refused'],
  [FILE, NOTHING, 'refused'],
  [NOTHING, FILE, 'refused'],
  [NOTHING, link('/etc'), 'refused'],
];

for (const [whose, dynamic, rows] of [
  ['dynamic', true, PRIVATE_ROWS],
  ['static', false, PUBLIC_ROWS],
] as const) {
  test(`a ${whose} user’s tree is placed, or refused, whatever is found`, () => {
    for (const [tree, counterpart, planned] of rows) {
      assert.equal(short('foo', dynamic, { tree, counterpart }), planned, JSON.stringify([tree, counterpart]));
    }
  });
}

test('a link is known by its text, which depends on its place', () => {
  const counterpart = DIRECTORY;
  assert.equal(short('a/b', false, { tree: link('../private/a/b'), counterpart }), 'move -../private/a/b');
  assert.equal(short('a/b', false, { tree: link('private/a/b'), counterpart }), 'refused');
});

test('what is below another directory of the request has no link and is not moved', () => {
  const nothingToDo = { unlink: [], link: [] };
  assert.deepEqual(plan('a/b', true, { tree: NOTHING, counterpart: DIRECTORY }, 'a'), { tree: 'make', ...nothingToDo });
  assert.deepEqual(plan('a/b', true, { tree: DIRECTORY }, 'a'), { tree: 'keep', ...nothingToDo });
  assert.throws(
    () => plan('a/b', false, { tree: link('x') }, 'a'),
    /\/var\/lib\/a\/b is a symlink to x, and in the way/,
  );
  const moved = plan('a/b', true, { tree: NOTHING, counterpart: DIRECTORY }, 'a', true);
  assert.deepEqual(moved, { tree: 'keep', ...nothingToDo }, 'it is where its tree still is');
});

test('an alias is made, kept, or replaced if an earlier version made it', () => {
  const placed = { tree: DIRECTORY, counterpart: link('private/foo') };
  assert.equal(short('foo:x', true, placed), 'keep +foo');
  assert.equal(short('foo:x', true, { ...placed, alias: link('foo') }), 'keep');
  assert.equal(short('foo:x', true, { ...placed, alias: link('private/foo') }), 'keep -private/foo +foo');
  for (const alias of [link('bar'), DIRECTORY, FILE]) {
    assert.equal(short('foo:x', true, { ...placed, alias }), 'refused');
  }
});

test('a path that leads through what is not a directory is refused by the name of that', () => {
  const status = (observed: ObservedPath) =>
    new PathSnapshot('/var/lib', 'stateDirectory', new Map([['a/b/c', observed]])).at(['a', 'b', 'c']);
  for (const blocking of [FILE, link('/etc')]) {
    assert.throws(
      () => status([DIRECTORY, blocking]),
      /^DynuserError: \/var\/lib\/a\/b is not a directory: move it out/,
    );
  }
  assert.deepEqual(status([DIRECTORY, NOTHING]), NOTHING);
  assert.deepEqual(status([DIRECTORY, DIRECTORY, FILE]), FILE);
  const failure = directoryFailed('stateDirectory', 'open /var/lib/a: input/output error (EIO)');
  assert.throws(() => status(failure), failure);
});

test('what is in the way is told by what it is and where', () => {
  const placed = { tree: DIRECTORY, counterpart: link('private/foo') };
  for (const [value, dynamic, found, what] of [
    ['foo:x', true, { ...placed, alias: DIRECTORY }, '/var/lib/x is a directory'],
    ['foo:x', true, { ...placed, alias: FILE }, '/var/lib/x is a file'],
    ['foo:x', true, { ...placed, alias: link('bar') }, '/var/lib/x is a symlink to bar'],
    ['foo', true, { tree: FILE }, '/var/lib/private/foo is a file'],
    ['foo', true, { tree: NOTHING, counterpart: FILE }, '/var/lib/foo is a file'],
    ['foo', true, { tree: NOTHING, counterpart: link('/etc') }, '/var/lib/foo is a symlink to /etc'],
    ['foo', false, { tree: NOTHING, counterpart: link('/etc') }, '/var/lib/private/foo is a symlink to /etc'],
    ['foo', false, { tree: NOTHING, counterpart: FILE }, '/var/lib/private/foo is a file'],
    ['foo', false, { tree: link('/etc') }, '/var/lib/foo is a symlink to /etc'],
  ] as const satisfies readonly (readonly [string, boolean, Observed, string])[]) {
    assert.throws(() => plan(value, dynamic, found), { message: `${what}, and in the way: move it elsewhere` });
  }
  const both = (dynamic: boolean) => plan('foo', dynamic, { tree: DIRECTORY, counterpart: DIRECTORY });
  const [closed, open] = ['/var/lib/private/foo', '/var/lib/foo'];
  assert.throws(() => both(true), {
    message: `there are two directories, ${closed} and ${open}: move one of them elsewhere`,
  });
  assert.throws(() => both(false), {
    message: `there are two directories, ${open} and ${closed}: move one of them elsewhere`,
  });
});
