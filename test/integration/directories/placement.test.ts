/** Where trees are put, and that nothing is lost where they cannot be. */
import assert from 'node:assert/strict';
import { existsSync, lstatSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { DynuserError } from '../../../src/core/errors.ts';
import { shell } from '../../native/tree/fixture.ts';
import { NEW, OLD, openSetup, type Setup, userOf } from './fixture.ts';

const STATIC = userOf(1_234, false);

/** Everything below the bases: types, owners, modes, targets, contents. Locks must be gone. */
function everything(root: string): string {
  return shell(root, 'find . -printf "%y %U:%G %m %p %l\\n" | sort; find . -type f -exec cat {} +');
}

async function refuses(setup: Setup, action: () => Promise<unknown>, reason: RegExp): Promise<void> {
  shell(
    setup.root,
    'for one in run lib cache log; do [ -e $one/private -o -L $one/private ] || mkdir -m 0700 $one/private; done',
  );
  const before = everything(setup.root);
  await assert.rejects(action, error => {
    assert.ok(error instanceof DynuserError, String(error));
    assert.equal(error.code, 'DirectoryFailed');
    assert.equal(error.detail.field, 'stateDirectory');
    assert.match(error.message, reason);
    return true;
  });
  assert.equal(everything(setup.root), before, 'everything is where it was');
}

test('makes a private directory, and links to it', async context => {
  const setup = openSetup(context);
  const { directories, environment } = await setup.prepare(userOf(NEW), ['foo:alias/x', 'a/b', 'a/b/c'], {
    modes: { state: 0o6750 },
  });
  const lib = `${setup.root}/lib`;
  assert.equal(
    shell(lib, 'find . -mindepth 1 -printf "%y %U %m %p %l\\n" | sort -k4'),
    [
      'd 0 755 ./a ',
      'l 0 777 ./a/b ../private/a/b',
      'd 0 755 ./alias ',
      'l 0 777 ./alias/x ../foo',
      'l 0 777 ./foo private/foo',
      'd 0 700 ./private ',
      'd 0 755 ./private/a ',
      `d ${NEW} 750 ./private/a/b `,
      `d ${NEW} 750 ./private/a/b/c `,
      `d ${NEW} 750 ./private/foo `,
      '',
    ].join('\n'),
  );
  assert.deepEqual(environment, { STATE_DIRECTORY: `${lib}/a/b:${lib}/a/b/c:${lib}/foo` });
  assert.deepEqual(
    directories.map(({ realPath, handover, changed, within }) => [realPath, handover, changed, within]),
    [
      [`${lib}/private/a/b`, 'chown', 1, undefined],
      [`${lib}/private/a/b/c`, 'chown', 1, `${lib}/a/b`],
      [`${lib}/private/foo`, 'chown', 1, undefined],
    ],
  );
  const { dev, ino } = lstatSync(`${lib}/private/foo`, { bigint: true });
  assert.deepEqual([directories[2]?.device, directories[2]?.inode], [String(dev), String(ino)]);
  const again = await setup.prepare(userOf(NEW), ['foo:alias/x', 'a/b', 'a/b/c'], { modes: { state: 0o700 } });
  assert.deepEqual(
    again.directories.map(({ handover, changed }) => [handover, changed]),
    Array(3).fill(['none', 0]),
  );
  assert.equal(lstatSync(`${lib}/private/foo`).mode & 0o7777, 0o700);
});

test('migrates static → dynamic → static → dynamic by rename, with links that follow', async context => {
  const setup = openSetup(context);
  const lib = `${setup.root}/lib`;
  await setup.prepare(STATIC, ['foo/bar:alias', 'foo/bar/sub']);
  writeFileSync(`${lib}/foo/bar/sub/file`, 'data');
  const { ino } = lstatSync(`${lib}/foo/bar/sub/file`);
  for (const user of [userOf(NEW), STATIC, userOf(OLD), userOf(NEW), STATIC]) {
    await setup.prepare(user, ['foo/bar:alias', 'foo/bar/sub']);
    const place = user.dynamic ? 'private/foo/bar' : 'foo/bar';
    const found = lstatSync(`${lib}/${place}/sub/file`);
    assert.deepEqual([found.uid, found.gid, found.ino], [user.uid, user.gid, ino]);
    assert.equal(readFileSync(`${lib}/alias/sub/file`, 'utf8'), 'data');
    assert.equal(readFileSync(`${lib}/foo/bar/sub/file`, 'utf8'), 'data');
    assert.equal(readlinkSync(`${lib}/alias`), 'foo/bar');
    assert.equal(lstatSync(`${lib}/foo/bar`).isSymbolicLink(), user.dynamic);
    assert.equal(existsSync(`${lib}/private/foo/bar`), user.dynamic);
  }
});

test('a link to a private directory that is gone gets a new one', async context => {
  const setup = openSetup(context);
  shell(setup.root, 'ln -s private/x lib/x; ln -s private/y lib/y');
  await setup.prepare(userOf(NEW), ['x']);
  await setup.prepare(STATIC, ['y']);
  assert.equal(lstatSync(`${setup.root}/lib/x/`).uid, NEW);
  assert.ok(lstatSync(`${setup.root}/lib/y`).isDirectory());
});

/** A script that makes the obstacle, what is asked for, and the words of the refusal; for a dynamic user and for a static one. */
const OBSTACLES: readonly (readonly [script: string, value: string, reason: RegExp, dynamic?: boolean])[] = [
  ['mkdir lib/foo lib/private/foo; echo 1 >lib/foo/f; echo 2 >lib/private/foo/f', 'foo', /two directories/],
  ['mkdir lib/foo lib/private/foo', 'foo', /two directories/, false],
  ['echo 1 >lib/foo', 'foo', /lib\/foo is a file, and in the way/],
  ['echo 1 >lib/foo', 'foo', /lib\/foo is a file, and in the way/, false],
  ['echo 1 >lib/private/foo', 'foo', /private\/foo is a file/],
  ['mkdir other; ln -s ../other lib/foo', 'foo', /lib\/foo is a symlink to \.\.\/other/],
  ['mkdir other; ln -s ../other lib/foo', 'foo', /lib\/foo is a symlink to \.\.\/other/, false],
  ['mkdir other; ln -s ../../other lib/private/foo', 'foo', /private\/foo is a symlink/],
  ['ln -s /etc lib/a', 'a/b', /lib\/a is not a directory/],
  ['ln -s /etc lib/private/a', 'a/b', /private\/a is not a directory/],
  ['mkdir lib/foo; echo 1 >lib/alias', 'foo:alias', /lib\/alias is a file/],
  ['mkdir lib/foo; ln -s /etc lib/alias', 'foo:alias', /lib\/alias is a symlink to \/etc/],
  ['chmod 0755 lib/private', 'foo', /lib\/private has the mode 0755/],
  ['chmod 0701 lib/private', 'foo', /chmod it to 0700/],
  ['chown 1000 lib/private', 'foo', /lib\/private belongs to 1000:0/],
  ['rmdir lib/private; ln -s /var/lib/private lib/private', 'foo', /lib\/private is not a directory/],
  ['rmdir lib/private; echo 1 >lib/private', 'foo', /lib\/private is not a directory/],
];

for (const [script, value, reason, dynamic = true] of OBSTACLES) {
  test(`refuses ${value} for a ${dynamic ? 'dynamic' : 'static'} user after: ${script}`, async context => {
    const setup = openSetup(context);
    shell(setup.root, `mkdir -m 0700 lib/private; ${script}`);
    await refuses(setup, () => setup.prepare(dynamic ? userOf(NEW) : STATIC, [value]), reason);
  });
}

test('takes back what it did for the directories before the one that cannot be', async context => {
  const setup = openSetup(context);
  await setup.prepare(STATIC, ['moved:alias']);
  writeFileSync(`${setup.root}/lib/moved/file`, 'data');
  // Below a base, and so seen only when the tree is put in its place: what looks ahead does not look below a request's trees.
  shell(setup.root, 'mkdir lib/moved/x; ln -s /etc lib/moved/x/y');
  await refuses(setup, () => setup.prepare(userOf(NEW), ['fresh:new', 'moved:alias', 'moved/x/y']), /moved\/x\/y/);
});

test('a base of another mode accepts 0500, as systemd does', async context => {
  const setup = openSetup(context);
  shell(setup.root, 'mkdir -m 0500 lib/private');
  await setup.prepare(userOf(NEW), ['foo']);
  assert.equal(lstatSync(`${setup.root}/lib/private`).mode & 0o7777, 0o500);
});

test('never follows what a former user has planted in its tree', async context => {
  const setup = openSetup(context);
  await setup.prepare(userOf(OLD), ['foo']);
  shell(setup.root, 'mkdir outside; ln -s ../../../outside lib/private/foo/bar');
  await refuses(setup, () => setup.prepare(userOf(NEW), ['foo', 'foo/bar/below']), /foo\/bar is not a directory/);
  await refuses(setup, () => setup.prepare(userOf(NEW), ['foo', 'foo/bar']), /foo\/bar is a symlink/);
  assert.deepEqual([lstatSync(`${setup.root}/outside`).uid, existsSync(`${setup.root}/outside/below`)], [0, false]);
});
