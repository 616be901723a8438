/** Which process a service's is, by the leases of its unit. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mainProcessOf } from '../../../src/api/main-process.ts';
import type { Pid } from '../../../src/core/ids.ts';
import type { DynamicUser, Lease } from '../../../src/core/lease.ts';
import { refuses } from '../launch/launches.ts';

const lease = (pid: number, more: Partial<Record<keyof Lease, unknown>> = {}): Lease =>
  ({ unit: 'web.service', lifetime: 'process', pid, process: { pid, inode: `${pid}0` }, ...more }) as unknown as Lease;
const user = (...leases: readonly Lease[]): DynamicUser => ({ leases }) as unknown as DynamicUser;
/** Whoever asks counts from 100 on. */
const numberOf = (pid: Pid): number | 'ended' | undefined => (pid < 50 ? pid + 100 : pid === 99 ? 'ended' : undefined);

const found = (users: readonly DynamicUser[], wanted?: number) => mainProcessOf(users, 'web.service', numberOf, wanted);

test('the one process that holds a lease of the unit is its main process', () => {
  const others = [
    lease(1, { unit: 'other.service' }),
    lease(2, { lifetime: 'explicit', process: undefined }),
    lease(3, { lifetime: 'connection' }),
    lease(4, { description: 'commands of ExecStop=' }),
  ];
  assert.equal(found([user(...others)]), undefined);
  assert.deepEqual(
    found([user(...others, lease(7)), user(lease(7))]),
    { pid: 107, inode: '70' },
    'its group has a lease, too',
  );
  assert.deepEqual(found([user(lease(7, { process: { pid: 7 } }))]), { pid: 107 });
});

test('of several it has to be named', () => {
  const two = [user(lease(7), lease(8))];
  refuses(() => found(two), 'phase', /^2 processes run as web.service \(107, 108\); name one with --main-pid=$/);
  assert.equal(found(two, 108)?.pid, 108);
  refuses(() => found(two, 8), 'mainPid', /holds no lease of web.service/);
  refuses(() => found([], 8), 'mainPid');
});

test('one that cannot be seen from there is said', () => {
  refuses(() => found([user(lease(60))]), 'phase', /another PID namespace/);
  refuses(() => found([user(lease(60), lease(7))]), 'phase', /one of another PID namespace, 107/);
});

test('one that has ended is not a main process, although its lease is still there', () => {
  assert.equal(found([user(lease(99))]), undefined);
  assert.equal(found([user(lease(99), lease(7))])?.pid, 107);
});
