import assert from 'node:assert/strict';
import { chmodSync, chownSync, mkdirSync, readdirSync, readlinkSync, statSync, symlinkSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import type { HandoverProgress, PrepareOptions } from '../../../src/allocator/directory-ports.ts';
import type { DirectoriesInUse } from '../../../src/core/directory.ts';
import { MAPPED_ID } from '../../../src/core/directory-classes.ts';
import { DynuserError } from '../../../src/core/errors.ts';
import { Scope } from '../../../src/core/scope.ts';
import { heartbeat, prepareDirectories } from '../../../src/directories/apply/prepare.ts';
import { PROGRESS_SILENCE_MS } from '../../../src/directories/limits.ts';
import { inspect } from '../../../src/directories/observe/inspect.ts';
import { MapSupport } from '../../../src/directories/observe/map-support.ts';
import { PathSnapshot, RequestSnapshot } from '../../../src/directories/observe/snapshot.ts';
import { gid, uid, userName } from '../allocator/fakes.ts';
import { depsOver, openBelow, requested, temporaryRoot } from './fixture.ts';

test('progress is told at once, and the last of it again in every silence', async context => {
  context.mock.timers.enable({ apis: ['setInterval'] });
  const told: HandoverProgress[] = [];
  const scope = new Scope();
  const onProgress = heartbeat('/var/lib/web', progress => told.push(progress), scope);
  const start = { publicPath: '/var/lib/web', inodes: 0, changed: 0 };
  const further = { publicPath: '/var/lib/web', inodes: 7, changed: 3 };
  context.mock.timers.tick(4_999);
  assert.deepEqual(told, []);
  context.mock.timers.tick(5_001);
  assert.deepEqual(told.splice(0), [start, start]);
  context.mock.timers.tick(2_500);
  onProgress(further);
  assert.deepEqual(told.splice(0), [further]);
  context.mock.timers.tick(4_999);
  assert.deepEqual(told, []);
  context.mock.timers.tick(1);
  assert.deepEqual(told.splice(0), [further]);
  await scope[Symbol.asyncDispose]();
  context.mock.timers.tick(60_000);
  assert.deepEqual(told, []);
});

test('who only hears of progress later is told of the last directory that there was', async context => {
  context.mock.timers.enable({ apis: ['setInterval'] });
  const told: HandoverProgress[] = [];
  await using scope = new Scope();
  const onProgress = heartbeat('/var/lib/a', progress => told.push(progress), scope);
  const other = { publicPath: '/var/lib/b', inodes: 1, changed: 1 };
  onProgress(other);
  context.mock.timers.tick(PROGRESS_SILENCE_MS);
  assert.deepEqual(told, [other, other]);
});

/** A static user who is whoever runs this, and its directory "web", to which nothing has to be done. */
async function prepared(
  context: TestContext,
  asked: Partial<PrepareOptions> & { readonly values?: readonly string[] },
) {
  const { values = ['web:alias:ro'], ...options } = asked;
  const root = temporaryRoot(context);
  context.after(() => assert.deepEqual(openBelow(root), []));
  mkdirSync(`${root}/web/part`, { recursive: true });
  chmodSync(`${root}/web`, 0o755);
  chmodSync(`${root}/web/part`, 0o755);
  symlinkSync('web', `${root}/alias`);
  const { uid: owner, gid: group, dev, ino } = statSync(`${root}/web`, { bigint: true });
  const user = { name: userName('web'), uid: uid(Number(owner)), gid: gid(Number(group)), dynamic: false };
  const deps = depsOver(root);
  const directories = requested(values);
  const all = { makesMounts: false, verify: false, live: () => [], ...options };
  const result = await prepareDirectories(deps, directories, user, all);
  const [device, inode] = [String(dev), String(ino)];
  return { root, deps, directories, result, top: { device, inode, diskUid: Number(owner), diskGid: Number(group) } };
}

test('what needs nothing is ready as it is, and nothing else is made', async context => {
  const { root, result, top } = await prepared(context, {});
  assert.deepEqual(result.directories, [
    {
      ...{ kind: 'state', source: 'web', preserved: true, exposed: false, aliases: ['alias'], readOnly: true },
      ...{ handover: 'none', publicPath: `${root}/web`, realPath: `${root}/web`, ...top },
      ...{ changed: 0, leftPaths: [], mountPaths: [] },
    },
  ]);
  assert.deepEqual(result.environment, { STATE_DIRECTORY: `${root}/web` });
  result.commit();
  await result.publish();
  await result[Symbol.asyncDispose]();
  assert.deepEqual(readdirSync(root).sort(), ['alias', 'web']);
});

test('a part says what it is within', async context => {
  const { root, result } = await prepared(context, { values: ['web', 'web/part'] });
  assert.deepEqual(
    result.directories.map(({ publicPath, within }) => [publicPath, within]),
    [
      [`${root}/web`, undefined],
      [`${root}/web/part`, `${root}/web`],
    ],
  );
  await result[Symbol.asyncDispose]();
});

const refused = (message: RegExp) => (error: unknown) => {
  assert.ok(error instanceof DynuserError);
  assert.deepEqual([error.code, error.detail.field], ['DirectoryFailed', 'stateDirectory']);
  assert.match(error.message, message);
  return true;
};

test('nothing is prepared for a caller that has gone', async context => {
  await assert.rejects(prepared(context, { signal: AbortSignal.abort() }), refused(/^the handover was given up: /));
});

test('a directory in whose place there was another when it was looked at is looked at again, and has the hint', async context => {
  if (process.geteuid?.() !== 0) {
    return context.skip('root alone gives directories away');
  }
  const root = temporaryRoot(context);
  const tree = `${root}/private/web`;
  mkdirSync(tree, { recursive: true });
  chmodSync(`${root}/private`, 0o700);
  chmodSync(tree, 0o755);
  chownSync(tree, MAPPED_ID, MAPPED_ID);
  symlinkSync('private/web', `${root}/web`);
  const { dev, ino } = statSync(tree, { bigint: true });
  const hinted: string[] = [];
  const write = async (descriptor: number) => void hinted.push(readlinkSync(`/proc/self/fd/${descriptor}`));
  const deps = depsOver(root, {
    hints: { read: async () => undefined, write },
    mapSupport: new MapSupport(async () => true),
  });
  const directories = requested(['web']);
  const [directory = assert.fail()] = directories;
  const user = { name: userName('web'), uid: uid(61_184), gid: gid(61_184), dynamic: true };
  using now = await inspect(deps, directories);
  for (const former of [{ inode: '1' }, { device: '1' }]) {
    const [parent = assert.fail(), top] = now.of(directory).directoriesAlong(['private', 'web']);
    const paths = new PathSnapshot(
      root,
      'stateDirectory',
      new Map([
        ['private/web', [parent, { ...(top ?? assert.fail()), ...former }]],
        ['web', [now.of(directory).at(['web'])]],
      ]),
    );
    const times = { watch: deps.activity.watch(directories), since: performance.now() };
    using snapshot = new RequestSnapshot(deps.bases, new Map([[directory, paths]]), times);
    const options = { makesMounts: true, verify: false, live: () => [], snapshot };
    await using result = await prepareDirectories(deps, directories, user, options);
    assert.deepEqual(
      result.directories.map(({ handover, device, inode }) => [handover, device, inode]),
      [['map', String(dev), String(ino)]],
    );
    assert.deepEqual(hinted.splice(0), [tree]);
  }
});

test('a directory that another has is refused', async context => {
  await assert.rejects(prepared(context, { live: () => inUse('other') }), refused(/\/web is in use by other, another/));
});

test('what was ready is refused once its caller has gone, another has it, or somebody has worked on it', async context => {
  const caller = new AbortController();
  let live: readonly DirectoriesInUse[] = [];
  const { deps, directories, result } = await prepared(context, { signal: caller.signal, live: () => live });
  result.commit();
  live = inUse('other');
  assert.throws(() => result.commit(), refused(/\/web is in use by other, another/));
  live = inUse('web');
  result.commit();
  deps.activity.begin(directories)();
  assert.throws(() => result.commit(), refused(/^the directories were changed at the same moment: try again$/));
  caller.abort();
  assert.throws(() => result.commit(), refused(/^the handover was given up: /));
  await result[Symbol.asyncDispose]();
});

function inUse(user: string): readonly DirectoriesInUse[] {
  const held = {
    kind: 'state',
    source: 'web',
    publicPath: '/var/lib/web',
    handover: 'chown',
    preserved: true,
  } as const;
  return [{ user: userName(user), directories: [{ ...held, exposed: false, aliases: [] }] }];
}
