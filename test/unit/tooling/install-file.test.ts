/** What an installer puts in its place: whole or not at all, with its mode, and never through what somebody has planted. */
import assert from 'node:assert/strict';
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { type TestContext, test } from 'node:test';
import { installDirectory, installFile, installLink } from '../../../src/tooling/install-file.ts';

function temporary(context: TestContext): string {
  const root = mkdtempSync(`${tmpdir()}/dynuser-install-`);
  context.after(() => rmSync(root, { recursive: true }));
  const umask = process.umask(0o077);
  context.after(() => process.umask(umask));
  return root;
}

const mode = (path: string) => (statSync(path).mode & 0o7777).toString(8);

test('a file has its content and its mode, whatever the umask is, and what is above it is made', context => {
  const root = temporary(context);
  installFile(`${root}/usr/bin/tool`, 'text', 0o755);
  installFile(`${root}/usr/lib/data`, Buffer.from([1, 2]), 0o644);
  assert.equal(readFileSync(`${root}/usr/bin/tool`, 'utf8'), 'text');
  assert.deepEqual([...readFileSync(`${root}/usr/lib/data`)], [1, 2]);
  const modes = ['usr', 'usr/bin', 'usr/bin/tool', 'usr/lib/data'].map(path => mode(`${root}/${path}`));
  assert.deepEqual(modes, ['755', '755', '755', '644']);
});

test('what is there is replaced, and not written to', context => {
  const root = temporary(context);
  writeFileSync(`${root}/elsewhere`, 'theirs');
  symlinkSync('elsewhere', `${root}/tool`);
  installFile(`${root}/tool`, 'first', 0o644);
  const { ino } = lstatSync(`${root}/tool`);
  installFile(`${root}/tool`, 'second', 0o600);
  assert.notEqual(lstatSync(`${root}/tool`).ino, ino, 'who has the old one open still reads it');
  assert.deepEqual([readFileSync(`${root}/tool`, 'utf8'), mode(`${root}/tool`)], ['second', '600']);
  assert.equal(readFileSync(`${root}/elsewhere`, 'utf8'), 'theirs');
  assert.deepEqual(readdirSync(root).sort(), ['elsewhere', 'tool']);
});

test('a link says what it is to say, and replaces another', context => {
  const root = temporary(context);
  installLink(`${root}/bin/tool`, '../lib/tool');
  installLink(`${root}/bin/tool`, '../lib/other');
  assert.equal(readlinkSync(`${root}/bin/tool`), '../lib/other');
  assert.deepEqual(readdirSync(`${root}/bin`), ['tool']);
});

test('a directory that is there is left as it is', context => {
  const root = temporary(context);
  mkdirSync(`${root}/a`, { mode: 0o700 });
  installDirectory(`${root}/a`);
  installDirectory(`${root}/a/b/c`);
  assert.deepEqual(
    ['a', 'a/b', 'a/b/c'].map(path => mode(`${root}/${path}`)),
    ['700', '755', '755'],
  );
});

test('what cannot be put in its place leaves nothing else behind', context => {
  const root = temporary(context);
  mkdirSync(`${root}/taken/inner`, { recursive: true });
  assert.throws(() => installFile(`${root}/taken`, 'text', 0o644), /EISDIR|ENOTEMPTY|EEXIST/);
  assert.throws(() => installLink(`${root}/taken`, 'text'), /EISDIR|ENOTEMPTY|EEXIST/);
  assert.deepEqual(readdirSync(root), ['taken']);
  writeFileSync(`${root}/file`, '');
  assert.throws(() => installFile(`${root}/file/below`, 'text', 0o644), /ENOTDIR|EEXIST/);
});
