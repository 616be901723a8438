/** The fuzz targets in C hold for all inputs of their corpora, under ASan and UBSan. `npm run fuzz` looks for more. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { corpusOf } from '../fuzz/fuzz.ts';
import { NATIVE_TARGETS, programOf } from '../fuzz/native.ts';
import { buildNative, SANITIZED } from '../support/native.ts';

const CORPUS_MIN = 5;
const REPLAY_TIMEOUT_MS = 60_000;

describe('the fuzz targets in C', () => {
  buildNative('fuzz-replays', SANITIZED);
  const replay = (target: string, files: readonly string[]) =>
    spawnSync(`${SANITIZED.programs}/fuzz/${programOf(target)}`, files, {
      ...{ encoding: 'utf8', timeout: REPLAY_TIMEOUT_MS },
    });

  for (const target of NATIVE_TARGETS) {
    it(`${target} holds`, () => {
      const files = [...corpusOf(target).keys()];
      assert.ok(files.length >= CORPUS_MIN, `${files.length} inputs`);
      const { status, stdout, stderr } = replay(target, files);
      assert.equal(status, 0, stderr.slice(-4_000));
      assert.equal(stdout, `${files.length} inputs\n`);
    });
  }

  it('fail if they are given what is not there', () => {
    assert.notEqual(replay('json-reader', ['/nowhere']).status, 0);
  });
});
