/** Which requests are worked on without another thread: the rest is for directories where something may not answer. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { test } from 'node:test';
import type { DirectoryKind } from '../../../src/core/directory.ts';
import { openBasesFor } from '../../../src/directories/in-memory.ts';
import { temporaryRoot } from './fixture.ts';

const TMPFS_MAGIC = 0x01021994;
const inMemory = statfsSync('/dev/shm').type === TMPFS_MAGIC;

test('flat runtime directories are, where /run is in memory', {
  skip: !inMemory && '/dev/shm is no tmpfs',
}, async t => {
  const memory = mkdtempSync('/dev/shm/dynuser-test-');
  t.after(() => rmSync(memory, { recursive: true }));
  const disk = temporaryRoot(t);
  const paths = { runtime: memory, state: disk, cache: disk, logs: disk };
  const one = { readOnly: false, mode: 0o755, preserved: false, exposed: false, handover: 'chown' } as const;
  const isInMemory = async (kind: DirectoryKind, source: string, aliases: readonly string[] = []) => {
    using bases = openBasesFor(paths, [{ ...one, kind, source, aliases, publicPath: `/run/${source}` }]);
    return (await bases.find(kind))?.inMemory;
  };
  assert.equal(await isInMemory('runtime', 'job', ['name']), true);
  assert.equal(await isInMemory('runtime', 'user/1000'), false);
  assert.equal(await isInMemory('runtime', 'job', ['user/name']), false);
  assert.equal(await isInMemory('state', 'job'), false);
  using other = openBasesFor({ ...paths, runtime: '/proc' }, [
    { ...one, kind: 'runtime', source: 'job', aliases: [], publicPath: '/proc/job' },
  ]);
  assert.equal((await other.find('runtime'))?.inMemory, false);
});
