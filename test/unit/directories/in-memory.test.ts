/** Which requests are worked on without another thread: the rest is for directories where something may not answer. */
import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statfsSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { type TestContext, test } from 'node:test';
import type { DirectoryKind } from '../../../src/core/directory.ts';
import { openBasesFor } from '../../../src/directories/in-memory.ts';
import { SMALL_FILE_BYTES } from '../../../src/directories/limits.ts';
import { inspect } from '../../../src/directories/observe/inspect.ts';
import { requestedDirectories } from '../../../src/directories/plan/request.ts';
import { depsOver, openBelow, temporaryRoot } from './fixture.ts';

const TMPFS_MAGIC = 0x01021994;
const inMemory = statfsSync('/dev/shm').type === TMPFS_MAGIC;

const ifInMemory = { skip: !inMemory && '/dev/shm is not a tmpfs' };

function memoryOf(context: TestContext): string {
  const memory = mkdtempSync('/dev/shm/dynuser-test-');
  context.after(() => {
    assert.deepEqual(openBelow(memory), []);
    rmSync(memory, { recursive: true });
  });
  return memory;
}

test('flat runtime directories are, where /run is in memory', ifInMemory, async t => {
  const memory = memoryOf(t);
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

test('they are observed without a helper, as a helper sees them', ifInMemory, async t => {
  const memory = memoryOf(t);
  mkdirSync(`${memory}/private/kept`, { recursive: true });
  symlinkSync('private/kept', `${memory}/kept`);
  const asked: string[] = [];
  const inspector = {
    inspect: async (_: string, paths: readonly string[]) => {
      asked.push(...paths);
      return undefined;
    },
  };
  const deps = depsOver(memory, { inspector });
  const values = (runtime: readonly string[]) =>
    requestedDirectories({ runtime, state: [], cache: [], logs: [] }, { modes: {}, preserveRuntime: false });
  const flat = values(['kept', 'new']);
  using snapshot = await inspect(deps, flat);
  assert.deepEqual(asked, []);
  const [kept, fresh] = flat.map(directory => snapshot.of(directory));
  assert.deepEqual(kept?.at(['kept']), { kind: 'link', text: 'private/kept' });
  assert.equal(kept?.at(['private', 'kept']).kind, 'directory');
  assert.deepEqual([fresh?.at(['new']), fresh?.at(['private', 'new'])], [{ kind: 'nothing' }, { kind: 'nothing' }]);
  using _other = await inspect(deps, values(['user/1000']));
  assert.notEqual(asked.length, 0, 'a directory of somebody else may be on the way');
});

test('their files are removed, small and large ones, and links but not where these lead', ifInMemory, async t => {
  const memory = memoryOf(t);
  mkdirSync(`${memory}/job`);
  writeFileSync(`${memory}/outside`, '');
  writeFileSync(`${memory}/job/empty`, '');
  writeFileSync(`${memory}/job/large`, Buffer.alloc(SMALL_FILE_BYTES + 1));
  symlinkSync('../outside', `${memory}/job/link`);
  const one = { readOnly: false, mode: 0o755, preserved: false, exposed: false, handover: 'chown' } as const;
  using bases = openBasesFor({ runtime: memory, state: memory, cache: memory, logs: memory }, [
    { ...one, kind: 'runtime', source: 'job', aliases: [], publicPath: '/run/job' },
  ]);
  using job = await (await bases.find('runtime'))?.open('job');
  assert.equal(await job?.removeFew(2), false, 'there are more');
  assert.equal(await job?.removeFew(3), true);
  assert.deepEqual(readdirSync(`${memory}/job`), []);
  assert.ok(existsSync(`${memory}/outside`));
  mkdirSync(`${memory}/job/below`);
  writeFileSync(`${memory}/job/file`, '');
  assert.equal(await job?.removeFew(3), false, 'a directory is left to whoever can remove what is in it');
  assert.deepEqual(readdirSync(`${memory}/job`).sort(), ['below', 'file']);
});
