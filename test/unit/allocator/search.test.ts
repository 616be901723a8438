/** The order in which UIDs are tried, what is known against each without asking the host, and when the search ends. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { examineUid, Reservations, rangeExhausted, searchUids } from '../../../src/allocator/search.ts';
import type { Evidence } from '../../../src/core/evidence.ts';
import { SEARCH_DEADLINE_MS } from '../../../src/core/limits.ts';
import { uid, userName } from './fakes.ts';
import { buildUseCases, fails, type UseCases } from './use-cases.ts';

/** @returns the UIDs that a search comes to, each with what is known against it */
async function all(built: UseCases, owners: readonly number[] = [], explains = true) {
  const found: (readonly [number, string, string | undefined])[] = [];
  const search = { name: userName('web'), range: built.range, owners: owners.map(uid), explains };
  for await (const { uid: number, origin, evidence } of searchUids(built.explainDeps, search)) {
    found.push([number, origin, evidence?.kind]);
  }
  return found;
}

test('each UID of the range is tried once: the owners, the preferred one, the others', async () => {
  const built = buildUseCases('61184-61187');
  const found = await all(built, [61_186]);
  assert.deepEqual(
    found.map(([number]) => number).toSorted((one, other) => one - other),
    [61_184, 61_185, 61_186, 61_187],
  );
  assert.deepEqual(
    found.map(([, origin]) => origin),
    ['owner', 'preferred', 'sweep', 'sweep'],
  );
  assert.equal(found[0]?.[0], 61_186);
});

test('what is held here is known without a question; who explains is told of it, who acquires is not', async () => {
  const built = buildUseCases('61184-61184');
  const { user, lease } = await built.acquire('holder.service');
  assert.deepEqual(await all(built), [[user.uid, 'preferred', 'lease']]);
  assert.deepEqual(await all(built, [], false), []);
  built.reaper.processes.set(user.uid, { kind: 'process', pid: 1, command: 'stays', as: 'user' });
  await built.release(lease.id);
  assert.deepEqual(await all(built), [[user.uid, 'preferred', 'ending']]);
  built.teardown.stop();
});

test('a UID that cools down comes again, once nothing else is left; its owner’s directory has it at once', async () => {
  const built = buildUseCases('61184-61184');
  built.coolDown.freed(uid(61_184), userName('former'));
  assert.deepEqual(await all(built), [
    [61_184, 'preferred', 'cooling'],
    [61_184, 'preferred', undefined],
  ]);
  assert.deepEqual(await all(built, [61_184]), [[61_184, 'owner', undefined]]);
});

test('a UID that another request tries is waited for, and comes again', async () => {
  const built = buildUseCases('61184-61184');
  const { reservations } = built.explainDeps;
  const taken = reservations.take(uid(61_184));
  const seen: unknown[] = [];
  const search = { name: userName('web'), range: built.range, owners: [], explains: true };
  for await (const { evidence } of searchUids(built.explainDeps, search)) {
    seen.push(evidence?.kind);
    taken[Symbol.dispose]();
  }
  assert.deepEqual(seen, ['reserved', undefined]);
});

test('the UID that is being tried is reserved until the next is asked for; who only explains reserves none', async () => {
  const built = buildUseCases('61184-61185');
  const { reservations } = built.explainDeps;
  const search = { name: userName('web'), range: built.range, owners: [] };
  for (const explains of [false, true]) {
    const tried: number[] = [];
    for await (const { uid: number } of searchUids(built.explainDeps, { ...search, explains })) {
      assert.equal(reservations.has(number), !explains);
      assert.ok(tried.every(other => !reservations.has(uid(other))));
      tried.push(number);
    }
    assert.ok(tried.length === 2 && tried.every(other => !reservations.has(uid(other))));
  }
});

test('a search that takes too long is given up, and the one who asked may try again', async () => {
  const built = buildUseCases('61184-61187');
  const search = { name: userName('web'), range: built.range, owners: [], explains: false };
  const searching = async (ms: number) => {
    built.now = 0;
    for await (const _ of searchUids(built.explainDeps, search)) {
      built.now = ms;
    }
  };
  await searching(SEARCH_DEADLINE_MS);
  await fails(searching(SEARCH_DEADLINE_MS + 1), 'ProbeFailed', /^no free UID was found within \d+ s; try again$/);
});

test('who waits for reservations waits for all of them, and for none that there is not', async () => {
  const reservations = new Reservations();
  await reservations.waitFor([uid(1), uid(2)]);
  const [one, two] = [reservations.take(uid(1)), reservations.take(uid(2))];
  let isOver = false;
  const waiting = reservations.waitFor([uid(1), uid(2)]).then(() => {
    isOver = true;
  });
  one[Symbol.dispose]();
  await new Promise(setImmediate);
  assert.deepEqual([isOver, reservations.has(uid(1)), reservations.has(uid(2))], [false, false, true]);
  two[Symbol.dispose]();
  await waiting;
});

test('a UID is examined under its lock, and the accounts are locked only if that could be had', async () => {
  const rows = [
    [{ kind: 'taken' }, { kind: 'systemd-lock' }, []],
    [{ kind: 'unusable', reason: 'ELOOP' }, { kind: 'lock-unusable', reason: 'ELOOP' }, []],
    [{ kind: 'locked' }, { kind: 'user', name: 'bob' }, ['accounts', 'check 5']],
    [{ kind: 'free' }, { kind: 'user', name: 'bob' }, ['accounts', 'check 5']],
  ] as const;
  for (const [lock, found, steps] of rows) {
    const log: string[] = [];
    const hold = { lock: () => lock, lockAccounts: async () => void log.push('accounts') };
    const evidence: Evidence = { kind: 'user', name: 'bob' };
    const lookup = {
      async check(number: number) {
        log.push(`check ${number}`);
        return evidence;
      },
    };
    assert.deepEqual(await examineUid(hold, uid(5), lookup as never), found);
    assert.deepEqual(log, steps);
  }
});

test('who finds no UID is told how many are held here, and what to do', async () => {
  const built = buildUseCases('61184-61185');
  const { message, code, detail } = rangeExhausted(built, built.range);
  assert.deepEqual([code, detail], ['RangeExhausted', { held: 0 }]);
  const advice = 'release users that are not needed, or widen UidRange=';
  assert.equal(
    message,
    `no UID of 61184-61185 is free: 0 of 2 are held here and the rest is used by others; ${advice}`,
  );
  await built.acquire('a.service');
  await built.acquire('b.service');
  const full = rangeExhausted(built, built.range);
  assert.equal(full.message, `no UID of 61184-61185 is free: 2 of 2 are held here; ${advice}`);
});
