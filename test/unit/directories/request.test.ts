import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DirectoryRequest, DirectorySettings } from '../../../src/core/directory.ts';
import { BASE_DIRECTORIES } from '../../../src/core/directory-classes.ts';
import { DynuserError } from '../../../src/core/errors.ts';
import { directoryEnvironment, requestedDirectories } from '../../../src/directories/plan/request.ts';

const SETTINGS: DirectorySettings = { modes: {}, preserveRuntime: false };

function requested(request: Partial<DirectoryRequest>, settings: Partial<DirectorySettings> = {}) {
  const whole = { runtime: [], state: [], cache: [], logs: [], ...request };
  return requestedDirectories(whole, { ...SETTINGS, ...settings });
}

test('the example of systemd: sorted by component, nested ones part of those above', () => {
  const state = requested({ state: ['waldo', 'quux/pief', 'aaa/bbb', 'aaa', 'aaa-x', 'aaa/ccc'] });
  assert.deepEqual(
    state.map(({ source, below }) => [source, below]),
    [
      ['aaa', undefined],
      ['aaa/bbb', 'aaa'],
      ['aaa/ccc', 'aaa'],
      ['aaa-x', undefined],
      ['quux/pief', undefined],
      ['waldo', undefined],
    ],
  );
  assert.deepEqual(directoryEnvironment(state, BASE_DIRECTORIES), {
    STATE_DIRECTORY: '/var/lib/aaa:/var/lib/aaa/bbb:/var/lib/aaa/ccc:/var/lib/aaa-x:/var/lib/quux/pief:/var/lib/waldo',
  });
});

test('the same directory twice has all aliases, and is read-only where one says so', () => {
  const [directory, ...others] = requested({ cache: ['foo:b', 'foo::ro', 'foo:a', 'foo:b'] });
  assert.deepEqual(others, []);
  assert.deepEqual(directory?.aliases, ['a', 'b']);
  assert.equal(directory?.readOnly, true);
});

test('classes come in the order of systemd, each with its mode and its variable', () => {
  const all = requested(
    { logs: ['l'], cache: ['c'], state: ['s'], runtime: ['r'] },
    { modes: { logs: 0o700 }, preserveRuntime: true },
  );
  assert.deepEqual(
    all.map(({ kind, mode, preserved }) => [kind, mode, preserved]),
    [
      ['runtime', 0o755, true],
      ['state', 0o755, true],
      ['cache', 0o755, true],
      ['logs', 0o700, true],
    ],
  );
  assert.deepEqual(directoryEnvironment(all, BASE_DIRECTORIES), {
    RUNTIME_DIRECTORY: '/run/r',
    STATE_DIRECTORY: '/var/lib/s',
    CACHE_DIRECTORY: '/var/cache/c',
    LOGS_DIRECTORY: '/var/log/l',
  });
  assert.deepEqual(
    requested({ runtime: ['r'] }).map(({ preserved }) => preserved),
    [false],
  );
});

test('the environment has the path that is there, colons and backslashes as they are', () => {
  assert.deepEqual(directoryEnvironment(requested({ state: ['a\\:b'], cache: ['c\\\\d'] }), BASE_DIRECTORIES), {
    STATE_DIRECTORY: '/var/lib/a:b',
    CACHE_DIRECTORY: '/var/cache/c\\d',
  });
});

const VALUE = 'must not contain ".."';
const MODE = 'a mode is 0 to 07777 in octal';

for (const [what, request, settings, field, reason] of [
  ['a value that cannot be', { state: ['ok', '../x'] }, {}, 'stateDirectory', `"../x" ${VALUE}`],
  ['one of another class', { logs: ['../x'] }, {}, 'logsDirectory', `"../x" ${VALUE}`],
  ['a mode that is too great', { cache: ['a'] }, { modes: { cache: 0o10000 } }, 'cacheDirectoryMode', MODE],
  ['a mode below zero', { cache: ['a'] }, { modes: { cache: -1 } }, 'cacheDirectoryMode', MODE],
  ['a mode that is not a whole number', { runtime: [] }, { modes: { runtime: 1.5 } }, 'runtimeDirectoryMode', MODE],
  ['an alias of itself', { state: ['a:a'] }, {}, 'stateDirectory', 'the alias a of a is in the way of a'],
  ['an alias above it', { state: ['a/b:a'] }, {}, 'stateDirectory', 'the alias a of a/b is in the way of a/b'],
  ['an alias that another is', { state: ['a:b', 'b'] }, {}, 'stateDirectory', 'the alias b of a is in the way of b'],
  ['an alias above another', { state: ['a:b', 'b/c'] }, {}, 'stateDirectory', 'the alias b of a is in the way of b/c'],
  ['one alias of two', { state: ['a:c', 'b:c'] }, {}, 'stateDirectory', 'the alias c of b is in the way of a'],
] as const satisfies readonly (readonly [
  string,
  Partial<DirectoryRequest>,
  Partial<DirectorySettings>,
  string,
  string,
])[]) {
  test(`refuses ${what}, by the name of the parameter`, () => {
    assert.throws(
      () => requested(request, settings),
      (error: unknown) => {
        assert.ok(error instanceof DynuserError);
        assert.deepEqual([error.code, error.detail.field, error.message], ['DirectoryFailed', field, reason]);
        return true;
      },
    );
  });
}

test('a request may name 64 directories in all, and no more', () => {
  const names = (count: number) => Array.from({ length: count }, (_, index) => `d${index}`);
  assert.equal(requested({ state: names(32), cache: names(32) }).length, 64);
  assert.throws(() => requested({ state: names(32), cache: names(33) }), {
    message: 'a request may name 64 directories at most',
  });
});

test('modes are whatever chmod takes', () => {
  for (const mode of [0, 0o7777]) {
    assert.equal(requested({ state: ['a'] }, { modes: { state: mode } })[0]?.mode, mode);
  }
});

test('an alias may be in the tree of a directory, or where the caller has something else', () => {
  const covered = ['/var/lib/x', '/var/lib/a/b/c'];
  const values = ['a:a/self', 'e:a/b/i', 'e:x', 'e:x/y', 'e:xy', 'e:a/b/c/d', 'a/b', 'e'];
  const of = (settings: Partial<DirectorySettings>) =>
    requested({ state: values }, settings).map(({ source, aliases, innerAliases = [], coveredAliases = [] }) => [
      ...[source, aliases, innerAliases.map(({ path, within }) => `${path} in ${within}`), coveredAliases],
    ]);
  const self = 'a/self in a';
  const [i, d] = ['a/b/i in a', 'a/b/c/d in a'];
  assert.deepEqual(of({}), [
    ['a', [], [self], []],
    ['a/b', [], [], []],
    ['e', ['x', 'x/y', 'xy'], [d, i], []],
  ]);
  assert.deepEqual(of({ covered }), [
    ['a', [], [self], []],
    ['a/b', [], [], []],
    ['e', ['xy'], [i], ['a/b/c/d', 'x', 'x/y']],
  ]);
  assert.deepEqual(of({ covered: ['/'] }), [
    ['a', [], [self], []],
    ['a/b', [], [], []],
    ['e', [], [d, i], ['x', 'x/y', 'xy']],
  ]);
  assert.deepEqual(of({ covered: ['/var/lib/a'] })[0], ['a', [], [self], []], 'its own tree is there');
});

test('aliases next to each other, and those of other classes, are in nobody’s way', () => {
  const all = requested({ state: ['a:x', 'b:y', 'ax:xa'], cache: ['x', 'c:a'] });
  assert.deepEqual(
    all.map(({ aliases }) => aliases),
    [['x'], ['xa'], ['y'], ['a'], []],
  );
});

test('what is below several directories is a part of the outermost', () => {
  const state = requested({ state: ['a/b/c', 'a', 'a/b', 'ab'] });
  assert.deepEqual(
    state.map(({ source, below }) => [source, below]),
    [
      ['a', undefined],
      ['a/b', 'a'],
      ['a/b/c', 'a'],
      ['ab', undefined],
    ],
  );
});

test('a quota is that of each directory of its class, and of what is below it', () => {
  const quota = { kind: 'share', permyriad: 500 } as const;
  const all = requested({ state: ['a', 'a/b', 'c'], cache: ['a'] }, { quotas: { state: quota } });
  assert.deepEqual(
    all.map(directory => [directory.kind, directory.source, directory.quota]),
    [
      ['state', 'a', quota],
      ['state', 'a/b', undefined],
      ['state', 'c', quota],
      ['cache', 'a', undefined],
    ],
  );
});

test('exposed is what is asked to be, and stays when its user goes', () => {
  const exposed = (preserveRuntime: boolean, expose?: boolean) =>
    requested({ runtime: ['r'], state: ['s'] }, { preserveRuntime, ...(expose === undefined ? {} : { expose }) }).map(
      directory => directory.exposed,
    );
  assert.deepEqual(exposed(false, true), [false, true]);
  assert.deepEqual(exposed(true, true), [true, true]);
  assert.deepEqual(exposed(true, false), [false, false]);
  assert.deepEqual(exposed(true), [false, false]);
});
