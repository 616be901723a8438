import assert from 'node:assert/strict';
import { test } from 'node:test';
import { acquirerState } from '../../../src/cli/acquirer.ts';
import { type Host, thisHost } from '../../../src/cli/host.ts';

const HERE = thisHost(process.env);
const NOW = Date.now();

test('a process that was there before its lease is the one that acquired it', () => {
  assert.equal(acquirerState(HERE, { pid: process.pid, since: Date.now() * 1_000 }, Date.now()), 'running');
});

test('one that started later has only the number of it', () => {
  assert.equal(acquirerState(HERE, { pid: process.pid, since: (NOW - 86_400_000) * 1_000 }, NOW), 'ended');
});

test('no process of that number: it has ended', () => {
  assert.equal(acquirerState(HERE, { pid: 2 ** 22 + 1, since: NOW * 1_000 }, NOW), 'ended');
});

test('who sees nobody else knows nothing', () => {
  const blind: Host = { ...HERE, inode: () => undefined };
  assert.equal(acquirerState(blind, { pid: process.pid, since: NOW * 1_000 }, NOW), 'unknown');
  assert.equal(acquirerState(HERE, { since: NOW * 1_000 }, NOW), 'unknown');
});
