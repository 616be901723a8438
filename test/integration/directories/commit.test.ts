/** Between the moment in which directories are ready and that in which the lease is written, what they rest on can end. */
import assert from 'node:assert/strict';
import { existsSync, lstatSync, readdirSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import type { DirectoriesInUse } from '../../../src/core/directory.ts';
import { NEW, NONE, OLD, openSetup, userOf } from './fixture.ts';

async function readySetup(context: TestContext) {
  const setup = openSetup(context);
  await setup.prepare(userOf(NEW), ['foo']);
  const requested = setup.directories.requested(
    { runtime: [], state: ['foo'], cache: [], logs: [] },
    { modes: {}, preserveRuntime: false },
  );
  const prepare = (live = NONE, signal?: AbortSignal, id = NEW, verify = false) =>
    setup.directories.prepare(requested, userOf(id), {
      ...{ makesMounts: false, verify, live },
      ...(signal === undefined ? {} : { signal }),
    });
  return { setup, requested, prepare };
}

test('what needed nothing is refused if another request has worked on it by then', async context => {
  const { setup, prepare } = await readySetup(context);
  await using prepared = await prepare();
  await setup.prepare(userOf(NEW), ['foo', 'foo/part']);
  assert.throws(() => prepared.commit(), /were changed at the same moment: try again/);
});

test('what needed nothing is refused if another lease came first', async context => {
  const { prepare } = await readySetup(context);
  let live: readonly DirectoriesInUse[] = [];
  await using prepared = await prepare(() => live);
  prepared.commit();
  const held = { kind: 'state', source: 'foo', publicPath: '', handover: 'chown', preserved: true } as const;
  live = [{ user: userOf(OLD).name, directories: [{ ...held, exposed: false, aliases: [] }] }];
  assert.throws(() => prepared.commit(), /in use by user-61301, another user/);
});

for (const [what, id, verify] of [
  ['needed nothing', NEW, false],
  ['was handed over', OLD, false],
  ['was verified', NEW, true],
] as const) {
  test(`what ${what} is refused if the caller has gone by then, and leaves no lock`, async context => {
    const { setup, prepare } = await readySetup(context);
    const caller = new AbortController();
    {
      await using prepared = await prepare(NONE, caller.signal, id, verify);
      caller.abort();
      assert.throws(() => prepared.commit(), /the handover was given up/);
    }
    assert.deepEqual(readdirSync(`${setup.root}/lib/private`), ['foo']);
  });
}

test('nothing is begun for a caller that has gone before', async context => {
  const { setup, prepare } = await readySetup(context);
  await assert.rejects(prepare(NONE, AbortSignal.abort(), OLD), /the handover was given up/);
  assert.equal(lstatSync(`${setup.root}/lib/private/foo`).uid, NEW);
  assert.equal(existsSync(`${setup.root}/lib/private/foo/.dynuser-lock`), false);
});

test('directories are locked until they are disposed of, whether the lease is written or not', async context => {
  const { setup, prepare } = await readySetup(context);
  for (const isWritten of [true, false]) {
    await using prepared = await prepare(NONE, undefined, isWritten ? OLD : NEW);
    if (isWritten) {
      prepared.commit();
      await prepared.publish();
    }
    assert.equal(readdirSync(`${setup.root}/lib/private`).length, 2, 'the tree and its lock');
  }
  assert.deepEqual(readdirSync(`${setup.root}/lib/private`), ['foo']);
  assert.equal(lstatSync(`${setup.root}/lib/private/foo`).uid, NEW);
});
