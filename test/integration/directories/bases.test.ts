/** Bases that are missing, as on a host that comes up with an empty /var. */
import assert from 'node:assert/strict';
import { existsSync, rmSync, symlinkSync } from 'node:fs';
import { test } from 'node:test';
import { shell } from '../../native/tree/fixture.ts';
import { NEW, NONE, openRoom, ownersOf, type Room, userOf } from './fixture.ts';

function requested(room: Room, ...values: string[]) {
  const settings = { modes: {}, preserveRuntime: false, expose: false };
  return room.directories.requested({ runtime: [], state: values, cache: [], logs: [] }, settings);
}

test('what is looked at is not made, and what is expected is what comes', async context => {
  const room = openRoom(context);
  const lib = `${room.root}/lib`;
  rmSync(lib, { recursive: true });
  const directories = requested(room, 'foo', 'foo/bar');
  assert.deepEqual(await ownersOf(room, directories), []);
  const expected = await room.directories.explain(directories, userOf(NEW), {
    makesMounts: true,
    verify: false,
    live: NONE,
  });
  assert.equal(existsSync(lib), false);
  const { directories: prepared } = await room.prepare(userOf(NEW), ['foo', 'foo/bar'], { makesMounts: true });
  assert.deepEqual(
    expected.map(({ publicPath, realPath, handover }) => [publicPath, realPath, handover]),
    prepared.map(({ publicPath, realPath, handover }) => [publicPath, realPath, handover]),
  );
});

test('a base is made with what is above it, each root’s with mode 0755', async context => {
  const room = openRoom(context);
  rmSync(room.root, { recursive: true });
  const umask = process.umask(0o022);
  try {
    await room.prepare(userOf(NEW), ['foo']);
  } finally {
    process.umask(umask);
  }
  const script = 'stat -c "%u:%g %a" . lib lib/private; stat -c "%u %a" lib/private/foo; readlink lib/foo';
  assert.equal(shell(room.root, script), `0:0 755\n0:0 755\n0:0 700\n${NEW} 755\nprivate/foo\n`);
});

test('a base that cannot be made is refused, and what is not there needs no removal', async context => {
  const room = openRoom(context);
  const { directories } = await room.prepare(userOf(NEW), ['foo'], { kind: 'runtime' });
  rmSync(`${room.root}/run`, { recursive: true });
  const leased = directories.map(one => ({ ...one, preserved: false, exposed: false }));
  assert.deepEqual(await room.directories.cleanUp(leased, NONE), []);
  assert.equal(existsSync(`${room.root}/run`), false);

  rmSync(`${room.root}/lib`, { recursive: true });
  symlinkSync('nowhere', `${room.root}/lib`);
  await assert.rejects(room.prepare(userOf(NEW), ['foo']), /mkdir .*\/lib: |leads nowhere/);
});
