/** The verbs on the tree that has everything, built with AddressSanitizer and UndefinedBehaviorSanitizer. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { makeFlat, NEW, OLD, runVerb, temporaryDirectory, type VerbResult } from '../native/tree/fixture.ts';
import { makeTorture } from '../native/tree/torture.ts';
import { buildNative, SANITIZED } from '../support/native.ts';

const HELPER = `${SANITIZED.lib}/dynuser-helper`;

before(() => {
  buildNative('../dist/native-sanitized/dynuser-helper', SANITIZED);
});

function clean(result: VerbResult): VerbResult {
  assert.equal(result.stderr, '', 'a sanitizer has found something');
  assert.equal(result.status, 0, result.last);
  return result;
}

test('every verb runs clean', context => {
  const { tree } = makeTorture(temporaryDirectory(context), OLD);
  clean(runVerb(tree, ['probe'], HELPER));
  clean(runVerb(tree, ['count', NEW, NEW], HELPER));
  clean(runVerb(tree, ['chown', NEW, NEW, '755'], HELPER));
  clean(runVerb(tree, ['chown', NEW, NEW, '755'], HELPER));
  clean(runVerb(tree, ['remove'], HELPER));
});

test('and so does a large one, with all threads', context => {
  const tree = `${temporaryDirectory(context)}/tree`;
  makeFlat(tree, 40, 800, OLD);
  assert.equal(clean(runVerb(tree, ['chown', NEW, NEW, '755'], HELPER)).last, 'done 32041 32041 0 0');
});
