/** What descriptors are for: with many, all that is wanted; with few, connections keep a share whatever is leased. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { limitsFor, socketDescriptors } from '../../../../src/api/sockets.ts';
import { LEASES_MAX } from '../../../../src/core/limits.ts';
import {
  leasesPastLimit,
  planDescriptors,
  raiseDescriptorLimit,
  reserveDescriptors,
} from '../../../../src/host/libc/descriptors.ts';
import { nscdDescriptors } from '../../../../src/nscd/limits.ts';
import { effectiveCapabilities } from '../../../support/capabilities.ts';

const WANTED = 4_096;
/** Of the daemon's sockets. */
const cost = (connections: number) => socketDescriptors(connections) + nscdDescriptors(connections);
const wants = (maxConnections: number) => ({ maxConnections, maxLeases: LEASES_MAX });
const plan = (limit: number, leased = 0) => planDescriptors(limit, leased, wants(WANTED), cost);
/** The least limit with which a daemon starts. */
const LEAST = 256 + cost(64) + 2;

describe('the plan of descriptors', () => {
  it('with many there is all that is wanted', () => {
    const { connections, ofLeases } = plan(1_048_576);
    assert.equal(connections, WANTED);
    assert.ok(ofLeases >= 2 * LEASES_MAX);
  });

  it('with few it holds both, and connections have their share', () => {
    for (let limit = LEAST; limit < 50_000; limit = Math.ceil(limit * 1.1)) {
      for (const leased of [0, Math.floor((limit - LEAST) / 4), Math.floor((limit - LEAST) / 2)]) {
        const { connections, ofLeases } = plan(limit, leased);
        const words = `${limit} descriptors, ${leased} leased: ${connections} connections, ${ofLeases} for leases`;
        assert.ok(connections >= 64, words);
        assert.ok(ofLeases >= 2 * leased + 2, words);
        assert.ok(cost(connections) + ofLeases <= limit, words);
      }
    }
  });

  it('with fewer than the least there is no daemon', () => {
    const tooFew = { code: 'LimitReached', message: /raise the hard limit/ };
    assert.throws(() => plan(LEAST - 1), tooFew);
    assert.throws(() => plan(LEAST, 1), tooFew);
    assert.equal(plan(LEAST + 2, 1).ofLeases, 4, 'what is leased, and one more');
    assert.throws(() => plan(100, 5), {
      message: `descriptors: this process may have 100, and with 5 leases needs ${LEAST + 10} at least; raise the hard limit (LimitNOFILE= of the unit, or ulimit -Hn)`,
    });
  });

  /** With these, each connection takes 4, 256 are kept for other things, and a lease takes 2. */
  const CASES: readonly (readonly [limit: number, leased: number, connections: number, leases: number])[] = [
    // All that is wanted, to the last lease.
    [256 + 4_000 + 2 * LEASES_MAX + 2, 0, 1_000, LEASES_MAX + 1],
    [256 + 4_000 + 2 * LEASES_MAX + 2, 100, 1_000, LEASES_MAX + 1],
    // One less: connections have a quarter of what is left, and that is enough for all of them.
    [256 + 4_000 + 2 * LEASES_MAX + 1, 0, 1_000, LEASES_MAX],
    [258 + 16_000, 0, 1_000, 6_001],
    // Here it is not.
    [258 + 15_999, 0, 999, 6_002],
    [258 + 8_000, 0, 500, 3_001],
    [258 + 8_000, 1_000, 375, 3_251],
    // As few connections as there may be.
    [258 + 1_000, 0, 64, 373],
    [514, 0, 64, 1],
  ];
  for (const [limit, leased, connections, leases] of CASES) {
    it(`of ${limit}, with ${leased} leases, has ${connections} connections and ${leases} leases`, () => {
      const plan = planDescriptors(limit, leased, wants(1_000), count => 4 * count);
      assert.deepEqual([plan.connections, Math.floor(plan.ofLeases / 2)], [connections, leases]);
    });
  }

  it('has as many leases as are configured, as far as it goes', () => {
    const many = { maxConnections: 1_000, maxLeases: 100_000 };
    const of = (limit: number) => planDescriptors(limit, 0, many, count => 4 * count);
    assert.deepEqual(of(258 + 4_000 + 200_000), { connections: 1_000, ofLeases: 200_002 });
    assert.deepEqual(of(258 + 3_999), { connections: 249, ofLeases: 3_005 });
  });

  it('has all leases that there are, even if they are more than there may be', () => {
    const leased = LEASES_MAX + 10;
    assert.deepEqual(
      planDescriptors(258 + 4_000 + 2 * leased, leased, wants(1_000), count => 4 * count),
      { connections: 1_000, ofLeases: 2 * leased + 2 },
    );
  });
});

describe('the limit of descriptors', () => {
  const cost = (count: number) => 4 * count;
  /** CAP_SYS_RESOURCE, which root need not have in a container */
  const mayRaise = (effectiveCapabilities() & (1n << 24n)) !== 0n;
  /** Sets the limits of this process; a limit that is not given stays. */
  const set = (soft: number, hard?: number) =>
    execFileSync('prlimit', [`--pid=${process.pid}`, `--nofile=${soft}:${hard ?? ''}`]);

  function limits(): readonly number[] {
    const [, soft, hard] =
      /^Max open files +(\d+) +(\d+) /m.exec(readFileSync('/proc/self/limits', 'latin1')) ?? assert.fail();
    return [Number(soft), Number(hard)];
  }

  it('is raised to what connections and leases take', () => {
    set(1_000);
    const [, hard = 0] = limits();
    const wanted = 256 + cost(70) + 2 * (LEASES_MAX + 1);
    const plan = reserveDescriptors(0, wants(70), cost);
    const [now = 0] = limits();
    assert.equal(now, mayRaise ? wanted : Math.min(wanted, hard));
    assert.deepEqual(plan, planDescriptors(now, 0, wants(70), cost));
  });

  it('is planned with the leases that there are', () => {
    const plan = reserveDescriptors(3, wants(70), cost);
    assert.deepEqual(plan, planDescriptors(limits()[0] ?? 0, 3, wants(70), cost));
  });

  it('is raised no further than is of use, and as far as is allowed', () => {
    set(500, 1_000);
    for (const [wanted, soft] of [
      [400, 500],
      [500, 500],
      [501, 501],
      [1_000, 1_000],
    ] as const) {
      assert.equal(raiseDescriptorLimit(wanted), soft);
      assert.deepEqual(limits(), [soft, 1_000]);
    }
    set(500);
    // More than anybody may have, root included.
    const most = Number(readFileSync('/proc/sys/fs/nr_open', 'latin1'));
    assert.equal(raiseDescriptorLimit(most + 1), 1_000);
    assert.deepEqual(limits(), [1_000, 1_000]);
  });

  it('is raised past the hard one by who may do that', { skip: !mayRaise && 'this process may not' }, () => {
    set(500, 1_000);
    assert.equal(raiseDescriptorLimit(1_500), 1_500);
    assert.deepEqual(limits(), [1_500, 1_500]);
  });

  it('is named to who asks for one lease too many', () => {
    assert.equal(
      leasesPastLimit(14),
      'the descriptors of dynuserd are enough for 7 leases: release some; or raise the hard limit (LimitNOFILE= of the unit, or ulimit -Hn), and restart dynuserd',
    );
  });
});

it('half of few connections is root’s', () => {
  assert.equal(limitsFor(64).reservedConnections, 32);
  assert.equal(limitsFor(WANTED).reservedConnections, 256);
});
