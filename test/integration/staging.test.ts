/** What `npm run stage -- DIR` leaves below DIR for people to read and for shells to complete. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { CHECKOUT } from '../../src/tooling/checkout.ts';
import { completions, manualPages } from '../../src/tooling/documents.ts';

let staged = '';
before(() => {
  staged = mkdtempSync(join(tmpdir(), 'dynuser-staged-'));
  execFileSync(process.execPath, [`${CHECKOUT}dist/src/tooling/stage.js`, staged]);
});
after(() => rmSync(staged, { recursive: true }));

test('manual pages and completions are where their readers look, and readable for all', () => {
  const zsh = execFileSync('find', ['.', '-name', '_dynuserctl', '-printf', '%P'], { cwd: staged, encoding: 'utf8' });
  assert.match(zsh, /^usr\/share\/zsh\/(?:vendor-completions|site-functions)\/_dynuserctl$/);
  for (const { path, text } of [...manualPages(), ...completions(zsh.replace(/\/_dynuserctl$/, ''))]) {
    assert.equal(readFileSync(join(staged, path), 'utf8'), text, path);
    assert.equal(statSync(join(staged, path)).mode & 0o7777, 0o644, path);
  }
});
