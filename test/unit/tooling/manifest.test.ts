/** The list of what was staged: written, read, and taken for what it says alone. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { directoriesAbove, entryOf, parseManifest, renderManifest } from '../../../src/tooling/manifest.ts';

describe('the list of what was staged', () => {
  it('is read as it was written', () => {
    const entries = [
      entryOf({ path: 'usr/bin/a', package: 'dynuser', mode: 0o755, content: 'text' }),
      entryOf({ path: 'usr/sbin/b', package: 'dynuser', target: '../bin/a' }),
      { path: 'usr/bin', kind: 'directory', content: '' } as const,
    ];
    assert.deepEqual(parseManifest(renderManifest(entries), 'list'), entries);
  });

  it('removes nothing by a line that leads out of the directory, or is no line of such a list', () => {
    const sum = '0'.repeat(64);
    for (const line of [
      `${sum}  ../etc/passwd`,
      `${sum}  usr/../../etc/passwd`,
      `${sum}  /etc/passwd`,
      `${sum}  usr//bin`,
      'directory  ..',
      'usr/bin/a',
      `${sum}`,
    ]) {
      assert.throws(() => parseManifest(`${line}\n`, 'list'), /list: .* is not a line of a manifest; /, line);
    }
  });

  it('names the directories above a file', () => {
    assert.deepEqual(directoriesAbove('usr/lib/dynuser/x'), ['usr', 'usr/lib', 'usr/lib/dynuser']);
    assert.deepEqual(directoriesAbove('x'), []);
  });
});
