/** What dynuserctl says of the paths of this host in the place of the launcher. */
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { after, before, test } from 'node:test';
import { answerQuestion } from '../../../src/cli/launch-answers.ts';

let top = '';
before(() => {
  top = mkdtempSync(`${tmpdir()}/dynuser-answers-`);
});
after(() => rmSync(top, { recursive: true }));

test('the facts of a path are those of what a link leads to, and that it is a link', () => {
  const factsOf = (name: string) => {
    const { found, names } = answerQuestion({ kind: 'path', path: `${top}/${name}` });
    return found ? names : undefined;
  };
  mkdirSync(`${top}/directory`);
  assert.deepEqual(factsOf('directory'), ['directory', 'exists']);
  writeFileSync(`${top}/directory/file`, '');
  assert.deepEqual(factsOf('directory'), ['directory', 'exists', 'notEmpty']);
  assert.deepEqual(factsOf('directory/file'), ['exists', 'file']);
  writeFileSync(`${top}/program`, 'text');
  chmodSync(`${top}/program`, 0o700);
  assert.deepEqual(factsOf('program'), ['executable', 'exists', 'file', 'notEmpty']);
  symlinkSync('program', `${top}/link`);
  assert.deepEqual(factsOf('link'), ['executable', 'exists', 'file', 'link', 'notEmpty']);
  symlinkSync('nowhere', `${top}/dangling`);
  assert.deepEqual(factsOf('dangling'), ['link']);
  assert.equal(factsOf('nowhere'), undefined);
});
