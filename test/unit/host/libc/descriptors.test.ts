/** What descriptors are for: with many, all that is wanted; with few, connections keep a share whatever is leased. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { limitsFor, socketDescriptors } from '../../../../src/api/sockets.ts';
import { LEASES_MAX } from '../../../../src/core/limits.ts';
import { planDescriptors } from '../../../../src/host/libc/descriptors.ts';

const WANTED = 4_096;
const plan = (limit: number, leased = 0) => planDescriptors(limit, leased, WANTED, socketDescriptors);
/** The least limit with which a daemon starts. */
const LEAST = 256 + socketDescriptors(64) + 2;

describe('the plan of descriptors', () => {
  it('with many there is all that is wanted', () => {
    const { connections, leases } = plan(1_048_576);
    assert.equal(connections, WANTED);
    assert.ok(leases >= LEASES_MAX);
  });

  it('with few it holds both, and connections have their share', () => {
    for (let limit = LEAST; limit < 50_000; limit = Math.ceil(limit * 1.1)) {
      for (const leased of [0, Math.floor((limit - LEAST) / 4), Math.floor((limit - LEAST) / 2)]) {
        const { connections, leases } = plan(limit, leased);
        const words = `${limit} descriptors, ${leased} leased: ${connections} connections, ${leases} leases`;
        assert.ok(connections >= 64, words);
        assert.ok(leases > leased, words);
        assert.ok(socketDescriptors(connections) + 2 * leases <= limit, words);
      }
    }
  });

  it('with fewer than the least there is no daemon', () => {
    const tooFew = { code: 'LimitReached', message: /raise the hard limit/ };
    assert.throws(() => plan(LEAST - 1), tooFew);
    assert.throws(() => plan(LEAST, 1), tooFew);
  });
});

it('half of few connections is root’s', () => {
  assert.equal(limitsFor(64).reservedConnections, 32);
  assert.equal(limitsFor(WANTED).reservedConnections, 256);
});
