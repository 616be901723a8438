/** What `npm run stage -- DIR` leaves below DIR, and what `--uninstall` leaves of it. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { CHECKOUT } from '../../src/tooling/checkout.ts';
import { completions, manualPages } from '../../src/tooling/documents.ts';
import { PACKAGES } from '../../src/tooling/installed-files.ts';

const MANIFEST = 'usr/lib/dynuser/installed-files';

let directory = '';
let staged = '';
before(() => {
  directory = mkdtempSync(join(tmpdir(), 'dynuser-staged-'));
  staged = join(directory, 'staged');
  mkdirSync(staged);
  stage(staged);
});
after(() => rmSync(directory, { recursive: true }));

function run(...argv: readonly string[]) {
  return spawnSync(process.execPath, [`${CHECKOUT}dist/src/tooling/stage.js`, ...argv], { encoding: 'utf8' });
}

function stage(...argv: readonly string[]): string {
  const { status, stdout, stderr } = run(...argv);
  assert.equal(status, 0, stderr);
  return stderr + stdout;
}

/** @returns all that is below a directory, with types and modes */
function tree(root: string): string[] {
  const text = execFileSync('find', [root, '-mindepth', '1', '-printf', '%y %m %P %l\n'], { encoding: 'utf8' });
  return text
    .split('\n')
    .filter(line => line !== '')
    .map(line => line.trimEnd())
    .sort();
}

test('manual pages and completions are where their readers look, and readable for all', () => {
  const zsh = execFileSync('find', ['.', '-name', '_dynuserctl', '-printf', '%P'], { cwd: staged, encoding: 'utf8' });
  assert.match(zsh, /^usr\/share\/zsh\/(?:vendor-completions|site-functions)\/_dynuserctl$/);
  for (const { path, text } of [...manualPages(), ...completions(zsh.replace(/\/_dynuserctl$/, ''))]) {
    assert.equal(readFileSync(join(staged, path), 'utf8'), text, path);
    assert.equal(statSync(join(staged, path)).mode & 0o7777, 0o644, path);
  }
});

test('the packages have all of it, each file in one of them, and no list', () => {
  const trees = PACKAGES.map(name => {
    const root = join(directory, name);
    stage(`--package=${name}`, root);
    return tree(root).filter(line => !line.startsWith('d '));
  });
  const whole = tree(staged).filter(line => !line.startsWith('d ') && !line.includes(MANIFEST));
  assert.deepEqual(trees.flat().sort(), whole);
  assert.ok(trees.every(files => files.length > 1));
  stage('--package=all', join(directory, 'all'));
  assert.deepEqual(
    tree(join(directory, 'all')).filter(line => !line.startsWith('d ')),
    whole,
  );
});

test('a second time is as the first, and takes away what only the former version had', () => {
  const root = join(directory, 'twice');
  stage(root);
  const first = tree(root);
  const former = 'usr/lib/dynuser/former/part';
  mkdirSync(join(root, 'usr/lib/dynuser/former'));
  writeFileSync(join(root, former), '');
  const empty = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
  appendFileSync(join(root, MANIFEST), `directory  usr/lib/dynuser/former\n${empty}  ${former}\n`);
  stage(root);
  assert.deepEqual(tree(root), first);
});

test('--uninstall leaves what others have put there, and nothing else', () => {
  const root = join(directory, 'used');
  mkdirSync(join(root, 'etc'), { recursive: true });
  writeFileSync(join(root, 'etc/nsswitch.conf'), 'passwd: files dynuser\n# dynuser\n');
  mkdirSync(join(root, 'usr/share'), { recursive: true });
  const before = tree(root);
  stage(root);
  // A second time: what was there before the first is nobody's to remove now.
  stage(root);
  writeFileSync(join(root, 'usr/bin/other'), '');
  appendFileSync(join(root, 'usr/lib/systemd/system/dynuserd.socket'), '# changed\n');

  mkdirSync(join(root, 'run/dynuser/leases'), { recursive: true });
  writeFileSync(join(root, 'run/dynuser/leases/61184'), '');
  const refused = run('--uninstall', root);
  assert.equal(refused.status, 1);
  assert.match(refused.stderr, /leases: 1 users live; release them first/);
  assert.ok(existsSync(join(root, 'usr/bin/dynuser-run')));
  rmSync(join(root, 'run'), { recursive: true });

  const said = stage('--uninstall', root);
  assert.match(said, /dynuserd\.socket: not as it was installed, so it stays; /);
  assert.match(said, /nsswitch\.conf: it still has the word dynuser; /);
  const after = tree(root);
  assert.deepEqual(
    before.filter(line => !after.includes(line)),
    [],
  );
  const left = after.filter(line => !before.includes(line));
  assert.deepEqual(
    left.filter(line => line.startsWith('f ')).map(line => line.split(' ')[2]),
    ['usr/bin/other', 'usr/lib/systemd/system/dynuserd.socket'],
  );

  const again = run('--uninstall', root);
  assert.equal(again.status, 1);
  assert.match(again.stderr, /installed-files: no such file; /);
});

test('--uninstall of what nobody has touched leaves nothing, also of an installation that was killed', () => {
  const root = join(directory, 'untouched');
  stage(root);
  // As it is if a newer version was being installed: its list is there, and so are files of the former one.
  const lines = readFileSync(join(root, MANIFEST), 'utf8');
  writeFileSync(join(root, MANIFEST), lines.replace(/^[0-9a-f]{64}(?= )/gm, '0'.repeat(64)) + lines);
  assert.match(stage('--uninstall', root), /^removed \d+ files below /);
  assert.deepEqual(tree(root), []);
});

test('what is not a directory, and what is not a command line, is refused', () => {
  const file = join(directory, 'file');
  writeFileSync(file, '');
  const { status, stderr } = run(file);
  assert.equal(status, 1);
  assert.equal(stderr, `stage: ${file}: it is not a directory; name one, or one to make\n`);
  for (const argv of [
    [],
    [''],
    ['a', 'b'],
    ['--package=other', 'a'],
    ['--package=all', '--uninstall', 'a'],
    ['--x', 'a'],
  ]) {
    const wrong = run(...argv);
    assert.equal(wrong.status, 2, argv.join(' '));
    assert.match(wrong.stderr, /^stage: usage: /);
  }
});
