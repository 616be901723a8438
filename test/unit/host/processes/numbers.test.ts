import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import type { Pid } from '../../../../src/core/ids.ts';
import { numberFor } from '../../../../src/host/processes/numbers.ts';

const own = process.pid as Pid;

test('a process has its own number for others of its PID namespace', () => {
  assert.equal(
    numberFor(own, own),
    Number(/NSpid:\t(?:.*\t)?(\d+)\n/.exec(spawnSync('cat', [`/proc/${own}/status`]).stdout.toString())?.[1]),
  );
  assert.equal(numberFor(undefined, own), undefined, 'a process that cannot be seen sees nobody');
});

test('a process that has ended is known to have ended, and is told no number', () => {
  const { pid } = spawnSync('true');
  assert.equal(numberFor(own, pid as Pid), 'ended');
  assert.equal(numberFor(pid as Pid, own), undefined);
});
