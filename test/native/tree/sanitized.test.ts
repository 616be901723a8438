/** The verbs on the tree that has everything, built with AddressSanitizer and UndefinedBehaviorSanitizer. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { CHECKOUT } from '../../../src/tooling/checkout.ts';
import { buildNative } from '../../support/native.ts';
import { makeFlat, NEW, OLD, runVerb, temporaryDirectory, type VerbResult } from './fixture.ts';
import { makeTorture } from './torture.ts';

const SANITIZED = `${CHECKOUT}dist/native-sanitized/dynuser-helper`;

before(() => {
  buildNative('../dist/native-sanitized/dynuser-helper', { sanitize: true });
});

function clean(result: VerbResult): VerbResult {
  assert.equal(result.stderr, '', 'a sanitizer has found something');
  assert.equal(result.status, 0, result.last);
  return result;
}

test('every verb runs clean', context => {
  const { tree } = makeTorture(temporaryDirectory(context), OLD);
  clean(runVerb(tree, ['probe'], SANITIZED));
  clean(runVerb(tree, ['count', NEW, NEW], SANITIZED));
  clean(runVerb(tree, ['chown', NEW, NEW, '755'], SANITIZED));
  clean(runVerb(tree, ['chown', NEW, NEW, '755'], SANITIZED));
  clean(runVerb(tree, ['remove'], SANITIZED));
});

test('and so does a large one, with all threads', context => {
  const tree = `${temporaryDirectory(context)}/tree`;
  makeFlat(tree, 40, 800, OLD);
  assert.equal(clean(runVerb(tree, ['chown', NEW, NEW, '755'], SANITIZED)).last, 'done 32041 32041 0 0');
});
