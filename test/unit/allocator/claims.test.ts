import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Lifetimes } from '../../../src/allocator/lifetimes.ts';
import type { PinOutcome } from '../../../src/allocator/ports.ts';
import { DynuserError } from '../../../src/core/errors.ts';
import type { LeaseId, Pid } from '../../../src/core/ids.ts';
import { isSameProcess, type ProcessIdentity } from '../../../src/core/process-identity.ts';
import { until } from '../../support/until.ts';
import { uid } from './fakes.ts';
import { buildUseCases, type UseCases } from './use-cases.ts';

const process = (pid: number, inode = String(pid)): ProcessIdentity => {
  return { boot: 'b', pid: pid as Pid, startTime: 1, inode };
};

/** Processes that are there until a test ends them. */
class FakeProcesses {
  readonly running = new Map<ProcessIdentity, () => void>();
  opened = 0;

  open(): PinOutcome {
    return { kind: 'gone' };
  }

  adopt(identity: ProcessIdentity): PinOutcome {
    const found = [...this.running.keys()].find(known => isSameProcess(known, identity));
    if (found === undefined) {
      return { kind: 'gone' };
    }
    this.opened++;
    let open = true;
    const close = () => {
      this.opened -= open ? 1 : 0;
      open = false;
    };
    const onExit = (callback: () => void) => {
      this.running.set(found, () => {
        if (open) {
          callback();
        }
      });
    };
    return {
      kind: 'running',
      process: { identity: found, owner: () => uid(0), runsAs: () => false, signal: () => undefined, onExit, close },
    };
  }

  start(...identities: ProcessIdentity[]): void {
    for (const identity of identities) {
      this.running.set(identity, () => undefined);
    }
  }

  exit(identity: ProcessIdentity): void {
    for (const [known, told] of this.running) {
      if (isSameProcess(known, identity)) {
        this.running.delete(known);
        told();
      }
    }
  }
}

function claimsOf(built: UseCases, graceMs = 60_000) {
  const processes = new FakeProcesses();
  const failures: string[] = [];
  const claims = new Lifetimes({
    ...{ events: built.events, users: built.users, processes, graceMs, clock: { now: () => 0, sinceBoot: () => 0 } },
    userProcesses: { findProcess: async () => undefined },
    units: { check: async () => ({ kind: 'active' }), watch: () => () => undefined },
    release: async lease => {
      await built.release(lease);
    },
    onFailure: what => failures.push(what),
  });
  return { claims, processes, failures };
}

const acquire = (built: UseCases, unit: string, identity?: ProcessIdentity) =>
  built.acquire(unit, {
    lifetime: 'connection',
    owner: uid(7),
    ...(identity === undefined ? {} : { process: identity }),
  });

function refuses(action: () => unknown): string {
  let message = '';
  assert.throws(action, error => {
    assert.ok(error instanceof DynuserError);
    assert.equal(error.code, 'NoSuchLease');
    ({ message } = error);
    return true;
  });
  return message;
}

test('the process that acquired a lease takes it back, once, and then it waits no more', async () => {
  const built = buildUseCases();
  const { lease, user } = await acquire(built, 'a.service', process(1));
  const { claims, processes } = claimsOf(built);
  processes.start(process(1));
  assert.equal(claims.resume(), 1);
  assert.equal(processes.opened, 1);
  assert.deepEqual(claims.claim(lease.id, uid(7), process(1)), { user, lease });
  assert.equal(processes.opened, 0);
  refuses(() => claims.claim(lease.id, uid(7), process(1)));
  assert.equal(built.users.leaseCount, 1);
});

test('without a grace nobody gets anything back, however soon he asks', async () => {
  const built = buildUseCases();
  const { lease } = await acquire(built, 'a.service', process(1));
  const { claims, processes } = claimsOf(built, 0);
  processes.start(process(1));
  assert.equal(claims.resume(), 0);
  refuses(() => claims.claim(lease.id, uid(7), process(1)));
  assert.equal(processes.opened, 0);
  await new Promise(resolve => setImmediate(resolve));
  assert.equal(built.users.leaseCount, 0);
});

test('nobody else takes it, and all are told the same', async () => {
  const built = buildUseCases();
  const { lease } = await acquire(built, 'a.service', process(1));
  const explicit = await built.acquire('b.service', { owner: uid(7) });
  const { claims, processes } = claimsOf(built);
  processes.start(process(1));
  claims.resume();
  const words = [
    refuses(() => claims.claim(lease.id, uid(7), process(2))),
    refuses(() => claims.claim(lease.id, uid(7), process(1, 'another of the number'))),
    refuses(() => claims.claim(lease.id, uid(0), process(1))),
    refuses(() => claims.claim(lease.id, uid(7), undefined)),
    refuses(() => claims.claim(explicit.lease.id, uid(7), process(1))).replace(explicit.lease.id, lease.id),
    refuses(() => claims.claim('f'.repeat(32) as LeaseId, uid(7), process(1))).replace('f'.repeat(32), lease.id),
  ];
  assert.equal(new Set(words).size, 1);
  claims.claim(lease.id, uid(7), process(1));
});

test('a lease whose process is gone or was never seen ends at once, one whose process ends then', async () => {
  const built = buildUseCases();
  await acquire(built, 'gone.service', process(1));
  await acquire(built, 'unseen.service');
  await acquire(built, 'ending.service', process(2));
  await acquire(built, 'late.service', process(3));
  await built.acquire('explicit.service');
  const names = () => [...built.users.live()].map(user => user.name);
  const { claims, processes, failures } = claimsOf(built);
  processes.start(process(2), process(3));
  assert.equal(claims.resume(), 2);
  await until('two have ended', () => names().length === 3);
  assert.deepEqual(names(), ['ending', 'late', 'explicit']);
  processes.exit(process(2));
  await until('the third has ended', () => names().length === 2);
  assert.deepEqual(names(), ['late', 'explicit']);
  assert.deepEqual([processes.opened, failures], [1, []]);
});

test('a lease that nobody claims ends after the grace', async () => {
  const built = buildUseCases();
  const { lease } = await acquire(built, 'late.service', process(3));
  await built.acquire('explicit.service');
  const names = () => [...built.users.live()].map(user => user.name);
  const { claims, processes, failures } = claimsOf(built, 20);
  processes.start(process(3));
  claims.resume();
  await until('it has ended', () => names().length === 1);
  assert.deepEqual(names(), ['explicit']);
  refuses(() => claims.claim(lease.id, uid(7), process(3)));
  assert.deepEqual([processes.opened, failures], [0, []]);
});

test('a lease that is released while it waits is nobody’s any more', async () => {
  const built = buildUseCases();
  const { lease } = await acquire(built, 'a.service', process(1));
  const { claims, processes } = claimsOf(built, 1_000);
  processes.start(process(1));
  claims.resume();
  await built.release(lease.id);
  assert.equal(processes.opened, 0);
  refuses(() => claims.claim(lease.id, uid(7), process(1)));
  await sleep(1_100);
});
