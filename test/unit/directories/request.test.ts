import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DirectoryRequest, DirectorySettings } from '../../../src/core/directory.ts';
import { BASE_DIRECTORIES } from '../../../src/core/directory-classes.ts';
import { DynuserError } from '../../../src/core/errors.ts';
import { directoryEnvironment } from '../../../src/directories/plan/environment.ts';
import { requestedDirectories } from '../../../src/directories/plan/request.ts';

const SETTINGS: DirectorySettings = { modes: {}, preserveRuntime: false };

function requested(request: Partial<DirectoryRequest>, settings: Partial<DirectorySettings> = {}) {
  const whole = { runtime: [], state: [], cache: [], logs: [], ...request };
  return requestedDirectories(whole, { ...SETTINGS, ...settings });
}

function refused(request: Partial<DirectoryRequest>, field: string, settings: Partial<DirectorySettings> = {}): void {
  assert.throws(
    () => requested(request, settings),
    error => error instanceof DynuserError && error.code === 'DirectoryFailed' && error.detail.field === field,
  );
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

test('refuses values, modes and aliases that cannot be, by the name of the parameter', () => {
  refused({ state: ['ok', '../x'] }, 'stateDirectory');
  refused({ logs: ['private'] }, 'logsDirectory');
  refused({ cache: ['a'] }, 'cacheDirectoryMode', { modes: { cache: 0o10000 } });
  refused({ cache: ['a'] }, 'cacheDirectoryMode', { modes: { cache: -1 } });
  for (const state of [['a:a'], ['a:a/b'], ['a/b:a'], ['a:b', 'b'], ['a:b', 'b/c'], ['a:c', 'b:c']]) {
    refused({ state }, 'stateDirectory');
  }
  refused({ state: Array.from({ length: 65 }, (_, index) => `d${index}`) }, 'stateDirectory');
});
