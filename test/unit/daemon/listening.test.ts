/** Which of the sockets that a service manager passed is whose, and what is opened if it is not among them. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Authorization } from '../../../src/api/authorization.ts';
import { listening, openToAllowed } from '../../../src/daemon/listening.ts';
import type { Logger } from '../../../src/daemon/logger.ts';

const [varlink, allocator, unknown, nscd] = ['varlink', 'allocator', 'unknown', 'nscd'].map((name, at) => ({
  descriptor: 3 + at,
  name,
}));
assert.ok(varlink && allocator && unknown && nscd);
const EVERYBODY = { path: '/x/io.dynuser.DynamicUser', mode: 0o666 };
const ALLOCATOR = { path: '/x/io.dynuser.Allocator', mode: 0o600 };
const NSCD = { path: '/x/nscd/socket', mode: 0o666 };

describe('the sockets that the daemon listens on', () => {
  it('are those that were passed, by their names, in any order', () => {
    const { targets, stays } = listening('/x', [nscd, allocator, varlink]);
    assert.deepEqual([targets, stays], [{ everybody: { fd: 3 }, allocator: { fd: 4 }, nscd: { fd: 6 } }, true]);
    assert.deepEqual(listening('/x', [varlink, allocator, nscd]).targets, targets);
  });

  it('are opened if they were not passed; one of any other name is that of everybody', () => {
    const { targets, stays } = listening('/x', [unknown]);
    assert.deepEqual([targets, stays], [{ everybody: { fd: 5 }, allocator: ALLOCATOR, nscd: NSCD }, true]);
    const none = listening('/x', []);
    assert.deepEqual([none.targets, none.stays], [{ everybody: EVERYBODY, allocator: ALLOCATOR, nscd: NSCD }, false]);
    assert.deepEqual(listening('/x', [allocator]).targets, {
      ...{ everybody: EVERYBODY, allocator: { fd: 4 }, nscd: NSCD },
    });
  });
});

describe('the socket of those who may acquire', () => {
  it('is left closed to others, which is said, if they are not known or it is not there', async () => {
    const said: unknown[] = [];
    const logger = { warn: ({ err }: { err: Error }, words: string) => said.push([err.message, words]) };
    const nobody = { uids: new Set(), gids: new Set(), directoryUids: new Set() };
    for (const [allowed, words] of [
      [() => Promise.reject(new Error('NSS')), /^NSS$/],
      [async () => nobody, /\/nowhere\/io\.dynuser\.Allocator/],
    ] as const) {
      said.length = 0;
      await openToAllowed(
        name => `/nowhere/${name}`,
        { allowed } as unknown as Authorization,
        logger as unknown as Logger,
      );
      assert.equal(said.length, 1);
      const [reason, what] = said[0] as [string, string];
      assert.match(reason, words);
      assert.equal(what, 'AllowUsers= and AllowGroups= cannot use the socket of the allocator');
    }
  });
});
