/** The list of what was staged: written, read, and taken for what it says alone. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { describe, it } from 'node:test';
import {
  directoriesAbove,
  entryOf,
  parseManifest,
  removeEmptyDirectories,
  removeInstalled,
  renderManifest,
} from '../../../src/tooling/manifest.ts';

describe('the list of what was staged', () => {
  it('is read as it was written', () => {
    const entries = [
      entryOf({ path: 'usr/bin/a', package: 'dynuser', mode: 0o755, content: 'text' }),
      entryOf({ path: 'usr/sbin/b', package: 'dynuser', target: '../bin/a' }),
      { path: 'usr/bin', kind: 'directory', content: '' } as const,
    ];
    assert.deepEqual(parseManifest(renderManifest(entries), 'list'), entries);
  });

  it('removes nothing by a line that leads out of the directory, or is not a line of such a list', () => {
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

  it('has files and links removed that are as they were staged, and directories with nothing left in them', () => {
    const root = mkdtempSync(`${tmpdir()}/dynuser-manifest-`);
    try {
      mkdirSync(`${root}/usr/bin`, { recursive: true });
      mkdirSync(`${root}/usr/lib/deep`, { recursive: true });
      writeFileSync(`${root}/usr/bin/same`, 'text');
      writeFileSync(`${root}/usr/bin/changed`, 'theirs');
      symlinkSync('same', `${root}/usr/bin/link`);
      symlinkSync('other', `${root}/usr/bin/moved`);
      mkdirSync(`${root}/usr/bin/empty`);
      const file = (path: string) => entryOf({ path, package: 'dynuser', mode: 0o755, content: 'text' });
      const link = (path: string) => entryOf({ path, package: 'dynuser', target: 'same' });
      const entries = [
        ...['usr', 'usr/lib', 'usr/lib/deep', 'usr/bin', 'usr/none'].map(
          path => ({ path, kind: 'directory', content: '' }) as const,
        ),
        ...['usr/bin/same', 'usr/bin/changed', 'usr/bin/none', 'usr/bin/empty'].map(file),
        ...['usr/bin/link', 'usr/bin/moved'].map(link),
      ];
      const kept = removeInstalled(root, entries);
      assert.deepEqual([...(kept ?? [])].sort(), ['usr/bin/changed', 'usr/bin/empty', 'usr/bin/moved']);
      assert.deepEqual(readdirSync(`${root}/usr/bin`).sort(), ['changed', 'empty', 'moved']);
      removeEmptyDirectories(root, entries);
      assert.deepEqual(
        [readdirSync(`${root}/usr`), readdirSync(`${root}/usr/bin`).length],
        [['bin'], 3],
        'and no other',
      );
    } finally {
      rmSync(root, { recursive: true });
    }
  });

  it('names the directories above a file', () => {
    assert.deepEqual(directoriesAbove('usr/lib/dynuser/x'), ['usr', 'usr/lib', 'usr/lib/dynuser']);
    assert.deepEqual(directoriesAbove('x'), []);
  });
});
