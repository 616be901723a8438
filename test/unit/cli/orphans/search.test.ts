/** The search of a tree by a helper, which is a script here. */
import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { test } from 'node:test';
import { searchTree } from '../../../../src/cli/orphans/search.ts';
import { until } from '../../../support/until.ts';

test('a helper whose answer is of no use any more is ended', async () => {
  const top = mkdtempSync(`${tmpdir()}/dynuser-search-`);
  const helper = `${top}/helper`;
  writeFileSync(helper, `#!/bin/sh\necho $$ >'${top}/pid'\nprintf '61184 a\\0'\nexec /bin/sleep 600\n`);
  chmodSync(helper, 0o755);
  const interruption = new AbortController();
  const search = { helper, ranges: '61184-65519', onProgress: () => undefined, signal: interruption.signal };
  try {
    const refuse = () => assert.fail('too many');
    await assert.rejects(searchTree(top, search, refuse), /too many/);
    const pid = readFileSync(`${top}/pid`, 'utf8').trim();
    await until('the helper has ended', () => !existsSync(`/proc/${pid}`));
  } finally {
    interruption.abort();
    rmSync(top, { recursive: true });
  }
});
