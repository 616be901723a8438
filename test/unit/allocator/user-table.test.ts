/** The users in memory: every index says the same, and it is told of each lease that came or went. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UserTable } from '../../../src/allocator/user-table.ts';
import type { LeasedDirectory } from '../../../src/core/directory.ts';
import type { LeaseId } from '../../../src/core/ids.ts';
import type { DynamicUser, Lease } from '../../../src/core/lease.ts';
import { gid, leaseEvents, uid, unitName, userName } from './fakes.ts';

const leaseId = (text: string) => text.padStart(32, '0') as LeaseId;

function lease(id: string, owner = 0, ...sources: readonly string[]): Lease {
  const directories: readonly LeasedDirectory[] = sources.map(source => {
    const publicPath = `/var/lib/${source}`;
    return { kind: 'state', source, publicPath, handover: 'chown', preserved: true, exposed: false, aliases: [] };
  });
  return {
    ...{ id: leaseId(id), unit: unitName('x.service'), lifetime: 'explicit', pid: undefined, owner: uid(owner) },
    ...{ since: 0, directories, cleanup: { processes: true, ipc: true } },
  };
}

function user(name: string, number: number, leases: readonly Lease[], more: Partial<DynamicUser> = {}): DynamicUser {
  return { uid: uid(number), gid: gid(number), name: userName(name), dynamic: true, leases, ...more };
}

/** A table, and what is told of it: the kind, the user, the lease, and whether the user came or went with it. */
function watchedTable() {
  const events = leaseEvents();
  const users = new UserTable(events);
  const told: string[] = [];
  const stop = events.on(['allocated', 'released', 'recovered'], event => {
    const { kind, user: of } = event;
    if (kind === 'recovered') {
      told.push(`${kind} ${of.name} ${of.leases.length}`);
    } else {
      const whole = kind === 'allocated' ? (event.joined ? 'joined' : 'new') : `${event.left} left`;
      told.push(`${kind} ${of.name} ${event.lease.id.replace(/^0+/, '')}, ${whole}`);
    }
  });
  return { users, stop, changes: () => told.splice(0) };
}

test('a live user is found by its name, its number and its leases, until it is taken out', () => {
  const { users, changes } = watchedTable();
  const web = user('web', 61_200, [lease('a'), lease('b')]);
  users.put(web);
  assert.deepEqual(changes(), ['allocated web a, new', 'allocated web b, new']);
  const found = () => [
    ...[users.byName(web.name), users.dynamicByName(web.name), users.dynamicByUid(web.uid), users.numbered(web.uid)],
    ...[users.holding(web.uid), users.byLease(leaseId('a')), users.byLease(leaseId('b'))],
  ];
  assert.deepEqual(found(), Array(7).fill(web));
  assert.deepEqual([[...users.live()], [...users.dynamic()]], [[web], [web]]);
  assert.deepEqual([users.heldCount, users.leaseCount], [1, 2]);
  users.remove(web);
  assert.deepEqual(changes(), ['released web a, 1 left', 'released web b, 0 left']);
  assert.deepEqual(found(), Array(7).fill(undefined));
  assert.deepEqual([[...users.live()], [...users.dynamic()]], [[], []]);
  assert.deepEqual([users.heldCount, users.leaseCount], [0, 0]);
});

test('of a user that changes, the leases that came and went are told, and those that stay are not', () => {
  const { users, changes } = watchedTable();
  const [a, b, c] = [lease('a'), lease('b'), lease('c')];
  users.put(user('web', 61_200, [a, b]));
  changes();
  const changed = user('web', 61_200, [b, c]);
  users.put(changed);
  assert.deepEqual(changes(), ['released web a, 2 left', 'allocated web c, joined']);
  assert.deepEqual(
    [a, b, c].map(({ id }) => users.byLease(id)),
    [undefined, changed, changed],
  );
  assert.equal(users.leaseCount, 2);
});

test('a static user has leases and a name, and no number of the range', () => {
  const { users, changes } = watchedTable();
  const games = user('games', 5, [lease('a')], { dynamic: false });
  users.put(games);
  assert.deepEqual(changes(), ['allocated games a, new']);
  assert.deepEqual([users.byName(games.name), users.byLease(leaseId('a'))], [games, games]);
  const others = [users.dynamicByName(games.name), users.dynamicByUid(games.uid), users.holding(games.uid)];
  assert.deepEqual(others, [undefined, undefined, undefined]);
  assert.deepEqual([users.heldCount, users.leaseCount, [...users.live()]], [0, 1, [games]]);
  users.remove(games);
  assert.deepEqual(changes(), ['released games a, 0 left']);
  assert.equal(users.byName(games.name), undefined);
});

test('a lost user resolves no more, keeps its number until it is taken out', () => {
  const { users, changes } = watchedTable();
  const web = user('web', 61_200, [lease('a', 0, 'web'), lease('b')]);
  users.put(web);
  changes();
  const lost = { ...web, lost: 'taken' };
  users.put(lost);
  assert.deepEqual(changes(), [], 'who has found it out tells of it');
  assert.deepEqual([users.byName(web.name), users.holding(web.uid)], [lost, lost]);
  const resolved = [users.dynamicByName(web.name), users.dynamicByUid(web.uid), users.numbered(web.uid)];
  assert.deepEqual(resolved, [undefined, undefined, undefined]);
  assert.deepEqual([users.heldCount, [...users.dynamic()], users.directoriesInUse()], [1, [], []]);
  const smaller = { ...lost, leases: lost.leases.slice(1) };
  users.put(smaller);
  assert.deepEqual(changes(), ['released web a, 1 left']);
  users.remove(smaller);
  assert.deepEqual(changes(), ['released web b, 0 left']);
  assert.deepEqual([users.holding(web.uid), users.heldCount], [undefined, 0]);
});

test('a user of a former daemon is found as every other, and its leases are not new ones', () => {
  const { users, changes } = watchedTable();
  const [web, gone] = [
    user('web', 61_200, [lease('a'), lease('b')]),
    user('gone', 61_201, [lease('c')], { lost: 'x' }),
  ];
  users.restore(web);
  users.restore(gone);
  assert.deepEqual(changes(), ['recovered web 2', 'recovered gone 1']);
  assert.deepEqual(
    [users.byLease(leaseId('b')), users.dynamicByUid(web.uid), users.holding(gone.uid)],
    [web, web, gone],
  );
  assert.equal(users.dynamicByUid(gone.uid), undefined);
});

test('a number that is about to be given is a user’s for who chooses numbers, and for nobody else', () => {
  const { users } = watchedTable();
  const coming = user('web', 61_200, []);
  const end = users.announce(coming);
  assert.equal(users.numbered(coming.uid), coming);
  assert.deepEqual([users.dynamicByUid(coming.uid), users.holding(coming.uid)], [undefined, undefined]);
  const live = user('web', 61_200, [lease('a')]);
  users.put(live);
  assert.equal(users.numbered(coming.uid), live);
  end();
  assert.equal(users.numbered(coming.uid), live);
  users.remove(live);
  assert.equal(users.numbered(coming.uid), undefined);
});

test('a user that ends keeps its number, and nothing else', () => {
  const { users } = watchedTable();
  const web = user('web', 61_200, [lease('a')]);
  users.reserve(web);
  assert.deepEqual([users.holding(web.uid), users.heldCount, [...users.ending()]], [web, 1, [web]]);
  assert.deepEqual([users.byName(web.name), users.dynamicByUid(web.uid), users.leaseCount], [undefined, undefined, 0]);
  users.free(web);
  assert.deepEqual([users.holding(web.uid), users.heldCount, [...users.ending()]], [undefined, 0, []]);
});

test('leases are counted by who holds them, whoever their user is', () => {
  const { users } = watchedTable();
  users.put(user('web', 61_200, [lease('a', 1_000), lease('b', 0), lease('c', 1_000)]));
  users.put(user('games', 5, [lease('d', 1_000)], { dynamic: false }));
  users.put(user('gone', 61_201, [lease('e', 1_000)], { lost: 'taken' }));
  assert.deepEqual([users.leasesOf(uid(1_000)), users.leasesOf(uid(0)), users.leasesOf(uid(1_001))], [4, 1, 0]);
});

test('directories are in use by each lease that has any; those of leases that leave do not stay', () => {
  const { users } = watchedTable();
  const [a, b, c] = [lease('a', 0, 'one', 'two'), lease('b'), lease('c', 0, 'three')];
  users.put(user('web', 61_200, [a, b, c]));
  const inUse = () => users.directoriesInUse().map(({ user: of, directories }) => [of, directories]);
  const stay = () => users.directoriesThatStay().map(({ user: of, directories }) => [of, directories]);
  const all = [
    ['web', a.directories],
    ['web', c.directories],
  ];
  assert.deepEqual([inUse(), stay()], [all, all]);
  const end = users.leave(a.id);
  assert.deepEqual([inUse(), stay()], [all, [['web', c.directories]]]);
  end();
  assert.deepEqual(stay(), all);
});

test('who watches no more is told of nothing', () => {
  const { users, stop, changes } = watchedTable();
  stop();
  users.put(user('web', 61_200, [lease('a')]));
  assert.deepEqual(changes(), []);
});
