/** What an interface makes of the parameters of Acquire: defaults, bounds, and which field is named if one is wrong. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AcquireParameters } from '../../../src/api/generated/io-dynuser-allocator.ts';
import { directoriesOf, readAcquire } from '../../../src/api/request.ts';
import type { RequestedDirectory } from '../../../src/core/directory.ts';
import { DynuserError } from '../../../src/core/errors.ts';
import { DESCRIPTION_BYTES_MAX } from '../../../src/core/lease.ts';
import { DIRECTORIES_MAX, DIRECTORY_BYTES_MAX } from '../../../src/core/limits.ts';
import type { VarlinkError } from '../../../src/varlink/errors.ts';
import type { JsonObject } from '../../../src/varlink/json.ts';

/** Accepts every value. */
const READER = { requested: (): readonly RequestedDirectory[] => [] };

const read = (parameters: JsonObject) => readAcquire({ unit: 'a.service', ...parameters } as AcquireParameters, READER);

function refusedField(parameters: JsonObject): string {
  try {
    read(parameters);
  } catch (error) {
    return error instanceof DynuserError
      ? `${error.code} ${error.detail.field}`
      : `InvalidParameter ${(error as VarlinkError).parameters['parameter']}`;
  }
  return 'accepted';
}

test('what is not given has its default', () => {
  assert.deepEqual(read({}), {
    unit: 'a.service',
    lifetime: 'connection',
    perInstance: false,
    directories: [],
    makesMounts: false,
    verify: false,
    cleanup: { processes: true, ipc: true },
    removesAccountIpc: false,
  });
  const given = read({ lifetime: 'process', pid: 7, removeIPC: true, killProcesses: false, userName: 'wuff' });
  assert.deepEqual(
    [given.lifetime, given.pid, given.removesAccountIpc, given.cleanup, given.userName],
    ['process', 7, true, { processes: false, ipc: true }, 'wuff'],
  );
  assert.deepEqual(read({ removeIPC: false }).cleanup, { processes: true, ipc: false });
  assert.equal('pid' in read({}), false);
});

test('a process is named for the lifetime that ends with one, and for no other', () => {
  assert.equal(refusedField({ lifetime: 'process', pid: 1 }), 'accepted');
  for (const [lifetime, pid] of [
    ['process', 0],
    ['process', 2 ** 22 + 1],
    ['connection', 1],
    ['unit', 1],
    ['explicit', 1],
  ] as const) {
    assert.equal(refusedField({ lifetime, pid }), 'InvalidParameter pid', `${lifetime} ${pid}`);
  }
});

test('names that cannot be had are refused by their field', () => {
  assert.equal(refusedField({ unit: 'a b' }), 'InvalidName unit');
  assert.equal(refusedField({ userName: '1' }), 'InvalidName userName');
});

test('a description is one line of bounded length', () => {
  const longest = 'ä'.repeat(DESCRIPTION_BYTES_MAX / 2);
  assert.equal(read({ description: longest }).description, longest);
  for (const description of [`${longest}.`, '', 'two\nlines', 'a\u007f', 'a\u0085']) {
    assert.equal(refusedField({ description }), 'InvalidName description', JSON.stringify(description));
  }
});

test('directories are bounded in number and length, to the last one that is allowed', () => {
  const settings = { modes: {}, preserveRuntime: false };
  const none = { runtime: [], state: [], cache: [], logs: [] };
  const check = (values: readonly string[]) => directoriesOf({ ...none, cache: values }, settings, false, READER);
  check(Array<string>(DIRECTORIES_MAX).fill('a'));
  check(['a'.repeat(DIRECTORY_BYTES_MAX)]);
  const many = Array<string>(DIRECTORIES_MAX + 1).fill('a');
  assert.equal(refusedField({ cacheDirectory: many }), 'LimitReached cacheDirectory');
  const long = ['a'.repeat(DIRECTORY_BYTES_MAX + 1)];
  assert.equal(refusedField({ logsDirectory: long }), 'DirectoryFailed logsDirectory');
  assert.equal(refusedField({ exposeDirectories: true, makesMounts: true }), 'DirectoryFailed exposeDirectories');
});

test('the values of each class are read with its settings', () => {
  const asked: unknown[] = [];
  const reader = {
    requested(...given: unknown[]) {
      asked.push(...given);
      return [];
    },
  };
  const parameters = {
    ...{ unit: 'a.service', stateDirectory: ['a', 'b'], runtimeDirectory: ['c'] },
    ...{ stateDirectoryMode: 0o700, runtimeDirectoryPreserve: true, exposeDirectories: true },
  };
  readAcquire(parameters, reader);
  assert.deepEqual(asked, [
    { runtime: ['c'], state: ['a', 'b'], cache: [], logs: [] },
    { modes: { state: 0o700 }, preserveRuntime: true, expose: true },
  ]);
});
