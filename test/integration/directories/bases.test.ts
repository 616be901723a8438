/** Bases that are missing, as on a host that comes up with an empty /var. */
import assert from 'node:assert/strict';
import { existsSync, rmSync, symlinkSync } from 'node:fs';
import { test } from 'node:test';
import { shell } from '../../native/tree/fixture.ts';
import { NEW, NONE, openSetup, ownersOf, type Setup, userOf } from './fixture.ts';

function requested(setup: Setup, ...values: string[]) {
  const settings = { modes: {}, preserveRuntime: false, expose: false };
  return setup.directories.requested({ runtime: [], state: values, cache: [], logs: [] }, settings);
}

test('what is looked at is not made, and what is expected is what comes', async context => {
  const setup = openSetup(context);
  const lib = `${setup.root}/lib`;
  rmSync(lib, { recursive: true });
  const directories = requested(setup, 'foo', 'foo/bar');
  assert.deepEqual(await ownersOf(setup, directories), []);
  const expected = await setup.directories.explain(directories, userOf(NEW), {
    makesMounts: true,
    verify: false,
    live: NONE,
  });
  assert.equal(existsSync(lib), false);
  const { directories: prepared } = await setup.prepare(userOf(NEW), ['foo', 'foo/bar'], { makesMounts: true });
  assert.deepEqual(
    expected.map(({ publicPath, realPath, handover }) => [publicPath, realPath, handover]),
    prepared.map(({ publicPath, realPath, handover }) => [publicPath, realPath, handover]),
  );
});

test('a base is made with what is above it, each root’s with mode 0755', async context => {
  const setup = openSetup(context);
  rmSync(setup.root, { recursive: true });
  const umask = process.umask(0o022);
  try {
    await setup.prepare(userOf(NEW), ['foo']);
  } finally {
    process.umask(umask);
  }
  const script = 'stat -c "%u:%g %a" . lib lib/private; stat -c "%u %a" lib/private/foo; readlink lib/foo';
  assert.equal(shell(setup.root, script), `0:0 755\n0:0 755\n0:0 700\n${NEW} 755\nprivate/foo\n`);
});

test('a base that cannot be made is refused, and what is not there needs no removal', async context => {
  const setup = openSetup(context);
  const { directories } = await setup.prepare(userOf(NEW), ['foo'], { kind: 'runtime' });
  rmSync(`${setup.root}/run`, { recursive: true });
  const leased = directories.map(one => ({ ...one, preserved: false, exposed: false }));
  await setup.directories.cleanUp(leased, NONE);
  assert.equal(existsSync(`${setup.root}/run`), false);

  rmSync(`${setup.root}/lib`, { recursive: true });
  symlinkSync('nowhere', `${setup.root}/lib`);
  await assert.rejects(setup.prepare(userOf(NEW), ['foo']), /mkdir .*\/lib: |leads nowhere/);
});
