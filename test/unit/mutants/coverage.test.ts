/** Which places of the code a test came to. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { it } from 'node:test';
import { Coverage } from '../../mutants/coverage.ts';

it('is the code that one of its processes ran', () => {
  const dist = `${mkdtempSync(`${tmpdir()}/dynuser-coverage-`)}/`;
  try {
    const text = 'export function sign(x) { if (x < 0) { return "below"; } return x > 0 ? "above" : "at"; }';
    mkdirSync(`${dist}src`);
    writeFileSync(`${dist}src/sign.mjs`, text);
    const profiles = `${dist}profiles`;
    const reaches = (place: string) => new Coverage(profiles, dist).reaches('src/sign.mjs', text.indexOf(place));
    const run = (argument: number): void => {
      const script = `import { sign } from ${JSON.stringify(`${dist}src/sign.mjs`)}; sign(${argument});`;
      const env = { ...process.env, NODE_V8_COVERAGE: profiles };
      assert.equal(spawnSync(process.execPath, ['--input-type=module', '-e', script], { env }).status, 0);
    };
    run(0);
    assert.deepEqual(['x < 0', '"below"', '"above"', '"at"'].map(reaches), [true, false, false, true]);
    run(1);
    assert.deepEqual(['x < 0', '"below"', '"above"', '"at"'].map(reaches), [true, false, true, true]);
    assert.equal(new Coverage(profiles, dist).reaches('src/other.mjs', 0), false);
  } finally {
    rmSync(dist, { recursive: true });
  }
});
