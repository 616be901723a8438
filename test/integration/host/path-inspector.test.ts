/** Paths below a directory, as the real helper sees them; and what is made of a helper that lies. */
import assert from 'node:assert/strict';
import { lstatSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { describe, it, type TestContext, test } from 'node:test';
import type { PathStatus } from '../../../src/core/directory.ts';
import { HelperPathInspector } from '../../../src/host/helper/path-inspector.ts';
import type { HelperCommand } from '../../../src/host/helper/process.ts';
import { shell, temporaryDirectory } from '../../native/tree/fixture.ts';
import { BUILD } from '../../support/native.ts';
import { built } from './helpers.ts';

const NOTHING: PathStatus = { kind: 'nothing' };
const OTHER: PathStatus = { kind: 'other' };

function open(context: TestContext, command: HelperCommand): HelperPathInspector {
  const inspector = new HelperPathInspector(command);
  context.after(() => inspector.close());
  return inspector;
}

function directory(path: string, ownerHint: 'none' | number = 'none'): PathStatus {
  const { uid, gid, mode, dev, ino } = lstatSync(path);
  const numbers = { uid, gid, mode: mode & 0o7777, device: String(dev), inode: String(ino) };
  return { kind: 'directory', ...numbers, ownerHint } as PathStatus;
}

describe(`paths, as the ${BUILD.name} helper sees them`, () => {
  it('each component is told, down to the first that is not a directory', async context => {
    const base = temporaryDirectory(context);
    mkdirSync(`${base}/private/deep/tree`, { recursive: true });
    shell(base, 'chmod 0700 private; chown 61184:61185 private/deep; chmod 1751 private/deep');
    shell(base, 'setfattr -n trusted.dynuser.uid -v 61186 private/deep/tree');
    symlinkSync('private/deep/../so%me where', `${base}/link`);
    writeFileSync(`${base}/file`, '');
    shell(base, 'mkfifo pipe');
    const paths = ['private/deep/tree', 'private/none/at/all', 'link', 'link/deep', 'file', 'pipe/x', 'none'];
    assert.deepEqual(await open(context, built()).inspect(base, paths), [
      [directory(`${base}/private`), directory(`${base}/private/deep`), directory(`${base}/private/deep/tree`, 61_186)],
      [directory(`${base}/private`), NOTHING],
      [{ kind: 'link', text: 'private/deep/../so%me where' }],
      [{ kind: 'link', text: 'private/deep/../so%me where' }],
      [OTHER],
      [OTHER],
      [NOTHING],
    ]);
  });

  it('names of any bytes are names', async context => {
    const base = temporaryDirectory(context);
    const names = ['with space', 'per%41cent', 'ünïcode', 'new\nline', '...', '-', 'a'.repeat(255)];
    for (const name of names) {
      mkdirSync(`${base}/${name}`);
    }
    assert.deepEqual(
      await open(context, built()).inspect(base, names),
      names.map(name => [directory(`${base}/${name}`)]),
    );
  });

  it('a file system without such attributes is told from a directory without a hint', async context => {
    const inspector = open(context, built());
    const [[proc] = []] = (await inspector.inspect('/proc', ['self'])) ?? [];
    assert.equal(proc?.kind, 'link', 'a link is not followed, wherever it leads');
    const [[system] = []] = (await inspector.inspect('/proc', ['sys'])) ?? [];
    assert.equal(system?.kind === 'directory' && system.ownerHint, 'unsupported');
  });

  for (const [what, base, path] of [
    ['the way out of a base', '', '../x'],
    ['a base that does not exist', '/none', 'x'],
    ['a base that is a file', '/file', 'x'],
    ['a path that is too long', '', Array(200).fill('a').join('/')],
    ['a link whose text is too long', '', 'long'],
  ] as const) {
    it(`${what} is not an answer, and the next question has one`, async context => {
      const top = temporaryDirectory(context);
      writeFileSync(`${top}/file`, '');
      symlinkSync('x'.repeat(256), `${top}/long`);
      const inspector = open(context, built());
      assert.equal(await inspector.inspect(`${top}${base}`, [path]), undefined);
      assert.deepEqual(await inspector.inspect(top, ['none']), [[NOTHING]]);
    });
  }

  it('more than a line has room for is not an answer', async context => {
    const top = temporaryDirectory(context);
    const inspector = open(context, built());
    for (let at = 0; at < 40; at++) {
      symlinkSync('x'.repeat(250), `${top}/${at}`);
    }
    const all = Array.from({ length: 40 }, (_, at) => String(at));
    assert.equal(await inspector.inspect(top, all), undefined);
    assert.equal((await inspector.inspect(top, all.slice(0, 20)))?.length, 20);
    assert.equal(await inspector.inspect(top, Array(60).fill('y'.repeat(200))), undefined);
  });
});

for (const line of [
  'inspect',
  'inspect nothing nothing',
  'inspect something',
  'inspect directory 0 0 493 1 2',
  'inspect directory 0 0 493 1 2 x nothing',
  'inspect directory -1 0 493 1 2 - nothing',
  'inspect directory 0 0 4096 1 2 - nothing',
  'inspect directory 0 0 493 1 0x2 - nothing',
  'inspect directory 0 0 493 1 2 4294967295 nothing',
  'inspect link a%2',
  'account - -',
]) {
  test(`"${line}" is not an answer to a question for two components`, async context => {
    const inspector = open(context, ['/bin/sh', '-c', `read -r l; echo '${line}'; read -r l`]);
    assert.equal(await inspector.inspect('/', ['a/b']), undefined);
  });
}
