/** What one user can take of the requests and leases that there may be, and what is kept for root. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  LEASES_MAX,
  LEASES_PER_PEER_MAX,
  REQUESTS_IN_FLIGHT_MAX,
  REQUESTS_OF_OTHERS_MAX,
  REQUESTS_PER_PEER_MAX,
  SHARE_OF_OTHERS,
} from '../../../src/core/limits.ts';
import { uid, unitName, userName } from './fakes.ts';
import { buildUseCases, fails, type UseCases } from './use-cases.ts';

/** Requests that stay under way until the test lets them go on. */
function held(built: UseCases): () => void {
  let open: () => void = () => undefined;
  const gate = new Promise<void>(resolve => {
    open = resolve;
  });
  built.probe.gate = () => gate;
  return open;
}

test('one user has so many requests under way, and root as many as there may be', async () => {
  const built = buildUseCases();
  const letGo = held(built);
  const requests = Array.from({ length: REQUESTS_PER_PEER_MAX }, (_, index) =>
    built.acquire(`a${index}.service`, { owner: uid(1000) }),
  );
  await fails(built.acquire('more.service', { owner: uid(1000) }), 'LimitReached', /requests of the user 1000/);
  requests.push(built.acquire('other.service', { owner: uid(1001) }), built.acquire('root.service'));
  letGo();
  await Promise.all(requests);
  await built.acquire('more.service', { owner: uid(1000) });
});

test('all users together leave root a place for its request', async () => {
  const built = buildUseCases();
  const letGo = held(built);
  const requests = Array.from({ length: REQUESTS_OF_OTHERS_MAX }, (_, index) =>
    built.acquire(`a${index}.service`, { owner: uid(1000 + Math.floor(index / 100)) }),
  );
  await fails(built.acquire('more.service', { owner: uid(2000) }), 'LimitReached', /users other than root/);
  requests.push(built.acquire('root.service'));
  letGo();
  await Promise.all(requests);
});

/** Gives a peer so many leases of one account. */
function fillOf(built: UseCases) {
  return (owner: number, count: number): void => {
    const user = {
      ...{ uid: uid(61184), gid: 61184 as never, name: userName(`u${owner}`), dynamic: false },
      leases: Array.from({ length: count }, (_, index) => ({
        ...{ id: `${owner}-${index}` as never, unit: unitName('a.service'), lifetime: 'explicit' as const },
        ...{ pid: undefined, owner: uid(owner), since: 0, directories: [], cleanup: { processes: true, ipc: true } },
      })),
    };
    built.users.put(user);
  };
}

test('one user has so many leases, and all users together leave root the rest', async () => {
  const built = buildUseCases();
  const fill = fillOf(built);
  fill(1000, LEASES_PER_PEER_MAX);
  await fails(built.acquire('a.service', { owner: uid(1000) }), 'LimitReached', /the user 1000 holds/);
  await built.acquire('b.service', { owner: uid(1001) });
  for (let owner = 1002; built.users.leaseCount < LEASES_MAX * SHARE_OF_OTHERS; owner++) {
    fill(owner, LEASES_PER_PEER_MAX);
  }
  await fails(built.acquire('c.service', { owner: uid(1001) }), 'LimitReached', /the rest is root's/);
  const { user } = await built.acquire('root.service');
  assert.equal(user.leases.length, 1);
});

test('root, too, has so many requests and leases as there may be in all, and as there are descriptors for', async () => {
  const built = buildUseCases();
  const letGo = held(built);
  const requests = Array.from({ length: REQUESTS_IN_FLIGHT_MAX }, (_, index) => built.acquire(`a${index}.service`));
  assert.equal(built.allocator.inFlight, REQUESTS_IN_FLIGHT_MAX);
  await fails(built.acquire('more.service'), 'LimitReached', /requests are under way/);
  letGo();
  await Promise.all(requests);
  fillOf(built)(0, LEASES_MAX - built.users.leaseCount - 1);
  await built.acquire('last.service');
  await fails(built.acquire('more.service'), 'LimitReached', /leases are held already/);

  const capacity = {
    hasRoom: (underWay: number) => small.users.leaseCount + underWay < 2,
    refusal: 'there are descriptors for 2 leases',
  };
  const small: UseCases = buildUseCases(undefined, undefined, { capacity });
  const last = held(small);
  const first = small.acquire('a.service');
  const second = small.acquire('b.service');
  await fails(small.acquire('c.service'), 'LimitReached', /descriptors for 2 leases/);
  last();
  await Promise.all([first, second]);
  await fails(small.acquire('c.service'), 'LimitReached', /descriptors for 2 leases/);
});

test('how many leases there may be is configured, and may change', async () => {
  const limits = { maxLeases: 8, maxLeasesPerUser: 2 };
  const built = buildUseCases(undefined, undefined, { limits });
  const acquire = (unit: string, owner: number) => built.acquire(unit, { owner: uid(owner) });
  await acquire('a.service', 1000);
  const { lease } = await acquire('b.service', 1000);
  await fails(acquire('c.service', 1000), 'LimitReached', /the user 1000 holds 2 leases .*raise MaxLeasesPerUser=/);
  limits.maxLeasesPerUser = 3;
  await acquire('c.service', 1000);
  for (const unit of ['d', 'e', 'f']) {
    await acquire(unit, 1001);
  }
  await fails(acquire('g.service', 1002), 'LimitReached', /users other than root hold 6 leases already/);
  await acquire('g.service', 0);
  await acquire('h.service', 0);
  await fails(acquire('i.service', 0), 'LimitReached', /8 leases are held already; release some, or raise MaxLeases=/);
  await built.release(lease.id);
  await acquire('i.service', 0);
});
