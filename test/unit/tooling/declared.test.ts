import assert from 'node:assert/strict';
import { it } from 'node:test';
import { parseDeclared } from '../../support/declared.ts';

it('a test file declares nothing, that it runs alone, its time limit, that it starts early, or several of them', () => {
  assert.deepEqual(parseDeclared("/** What runs alone is not a file of its own. */\nimport 'node:test';\n", 'x'), {});
  assert.deepEqual(parseDeclared('/** x */\n// runs alone: it counts\nimport x;\n', 'x'), { alone: 'it counts' });
  assert.deepEqual(parseDeclared('// time limit: 600 s\n// runs alone: it measures\n', 'x'), {
    alone: 'it measures',
    limitSec: 600,
  });
  assert.deepEqual(parseDeclared('// starts early: many machines\n', 'x'), { early: 'many machines' });
});

for (const line of [
  '// runs alone',
  '// runs alone:',
  '// run alone: why',
  '// Runs alone: why',
  ' // runs alone: why',
  '/** runs alone: why */',
  '// time limit: 5 min',
  '// time limit: 0 s',
  '// time limit: 10000 s',
  '// timelimit: 5 s',
  '// starts early',
  '// start early: why',
  '// starts early: why\n// starts early: why',
  '// time limit: 5 s\n// time limit: 5 s',
]) {
  it(`is told that it is not understood: ${JSON.stringify(line)}`, () => {
    assert.throws(() => parseDeclared(`${line}\n`, 'x.test.ts'), /^Error: x\.test\.ts: .*not understood; write/);
  });
}
