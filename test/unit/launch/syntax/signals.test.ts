import assert from 'node:assert/strict';
import { constants } from 'node:os';
import { test } from 'node:test';
import { signalName, signalNumber } from '../../../../src/launch/syntax/signals.ts';

test('signals have the numbers that this host gives them, with and without their prefix', () => {
  for (const [name, number] of Object.entries(constants.signals)) {
    // Another name of 29 and of 7 on some hosts.
    assert.equal(signalNumber(name), name === 'SIGUNUSED' ? undefined : number, name);
    assert.equal(signalNumber(name.slice('SIG'.length)), signalNumber(name));
  }
  assert.deepEqual(['RTMIN', 'SIGRTMIN+3', 'RTMAX', 'RTMAX-1', '15', '64'].map(signalNumber), [34, 37, 64, 63, 15, 64]);
  for (const text of ['', 'SIG', 'term', '0', '32', '65', 'RTMIN+31', 'RTMAX-40', '-1', 'TERM ', 'SIGSIGTERM']) {
    assert.equal(signalNumber(text), undefined, text);
  }
});

test('each signal has a name that leads back to it', () => {
  for (let number = 1; number <= 64; number++) {
    if (number !== 32 && number !== 33) {
      assert.equal(signalNumber(signalName(number)), number);
    }
  }
});
