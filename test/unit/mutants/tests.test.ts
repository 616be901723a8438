/** Which tests `npm run test:mutants` tries for a change of a file. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname } from 'node:path';
import { it } from 'node:test';
import { TestChooser } from '../../mutants/tests.ts';

it('are those that load it, the most direct first, and those of its programs, its own first', () => {
  const dist = `${mkdtempSync(`${tmpdir()}/dynuser-mutants-`)}/`;
  const write = (path: string, ...imported: readonly string[]): void => {
    mkdirSync(dirname(dist + path), { recursive: true });
    writeFileSync(dist + path, imported.map(each => `import '${each}';\n`).join(''));
  };
  try {
    write('src/cli/image/clean.js');
    write('src/cli/main.js', './image/clean.js');
    write('test/unit/cli/main.test.js', '../../../src/cli/main.js');
    write('test/unit/cli/image/clean.test.js', '../../../../src/cli/image/clean.js');
    write('test/integration/cli/status.test.js', '../../../src/cli/main.js');
    write('test/system/doctor.test.js');
    write('test/system/portable.test.js');
    write('test/system/history.test.js');
    write('test/stress/soak.test.js', '../../src/cli/main.js');
    const { loading, running } = new TestChooser(dist, { 'unit/cli/image/clean.test.js': 100 }).choose(
      'src/cli/image/clean.js',
    );
    assert.deepEqual(
      loading.map(({ path }) => path),
      ['unit/cli/image/clean.test.js', 'unit/cli/main.test.js'],
    );
    assert.deepEqual(
      running.map(({ path }) => path),
      ['system/portable.test.js', 'integration/cli/status.test.js', 'system/doctor.test.js'],
    );
  } finally {
    rmSync(dist, { recursive: true });
  }
});
