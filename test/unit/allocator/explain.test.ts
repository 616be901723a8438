import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Directories } from '../../../src/allocator/directory-ports.ts';
import { explain } from '../../../src/allocator/explain.ts';
import { decideRights, type Rights } from '../../../src/core/access.ts';
import { DynuserError } from '../../../src/core/errors.ts';
import { EXPLAINED_CANDIDATES_MAX } from '../../../src/core/limits.ts';
import { directory, gid, uid, unitName, userName } from './fakes.ts';
import { buildUseCases, type UseCases } from './use-cases.ts';

const ROOTS = decideRights(
  { uid: uid(0), gid: gid(0), groups: [], standing: { kind: 'host', mayChown: true } },
  { uids: new Set(), gids: new Set(), directoryUids: new Set() },
);

function rightsOf(number: number, isAllowed: boolean): Rights {
  const uids = new Set(isAllowed ? [uid(number)] : []);
  return decideRights(
    { uid: uid(number), gid: gid(number), groups: [] },
    { uids, gids: new Set(), directoryUids: uids },
  );
}

function ask({ explainDeps, probe }: UseCases, unit: string, rights = ROOTS) {
  return explain(explainDeps, probe, rights, {
    unit: unitName(unit),
    perInstance: false,
    directories: [directory('state', 'wuff')],
    ...{ makesMounts: false, verify: false },
  });
}

test('a UID of a fleet is refused where there is no fleet, but to a user of the host', async () => {
  const built = buildUseCases('61184-61190');
  const refused = (error: unknown) => error instanceof DynuserError && error.code === 'FleetUnavailable';
  await assert.rejects(built.acquire('web.service', { fleet: true }), refused);
  assert.equal(built.users.byName(userName('web')), undefined);
  built.probe.accounts.set('games', { user: { uid: uid(5), gid: gid(60) }, group: { gid: gid(60) } });
  assert.equal((await built.acquire('games.service', { fleet: true })).user.uid, 5);
  await built.acquire('web.service', { fleet: false });
  await built.acquire('web.service', { fleet: true });
});

test('says which UID a request would get, and changes nothing', async () => {
  const built = buildUseCases();
  const explanation = await ask(built, 'dynamic-user-test.service');
  assert.equal(explanation.outcome, 'allocate');
  assert.equal(explanation.uid, 64642);
  assert.deepEqual(explanation.candidates, [{ uid: 64642, origin: 'preferred', free: true, finding: 'free' }]);
  assert.equal(built.locks.files.size + built.registry.intents.size + built.users.leaseCount, 0);
});

test('puts each evidence into words', async () => {
  const built = buildUseCases('61184-61191');
  await built.acquire('holder.service');
  const held = built.users.byName(userName('holder'))?.uid;
  const others = Array.from({ length: 8 }, (_, index) => uid(61184 + index)).filter(number => number !== held);
  const [locked, strange, user, group, ipc, process, free] = others;
  assert.ok(held && locked && strange && user && group && ipc && process && free);
  built.locks.foreign.add(locked);
  built.locks.strange.set(strange, 'ELOOP');
  built.probe.against.set(user, { kind: 'user', name: 'bob' });
  built.probe.against.set(group, { kind: 'group', name: 'staff' });
  built.probe.against.set(ipc, { kind: 'ipc', object: 'sysv-shm', id: '32768' });
  built.probe.against.set(process, { kind: 'process', pid: 42, command: 'sleep', as: 'user' });
  built.directories.found = [held, locked, strange, user, group, ipc, process, free];
  const { candidates, uid: given } = await ask(built, 'x.service');
  assert.equal(given, free);
  const finding = new Map(candidates.map(candidate => [candidate.uid, candidate.finding]));
  assert.equal(finding.get(held), 'held by the dynamic user holder');
  assert.equal(finding.get(locked), 'locked by systemd or another allocator');
  assert.match(finding.get(strange) ?? '', /lock file cannot be used: ELOOP/);
  assert.equal(finding.get(user), 'the user bob has this number');
  assert.equal(finding.get(group), 'the group staff has this number');
  assert.equal(finding.get(ipc), 'the System V shared memory segment 32768 belongs to it');
  assert.equal(finding.get(process), 'process 42 (sleep) runs with it');
});

test('says who had a UID a moment ago, who is still ending, and that a cooling one is better than none', async () => {
  const built = buildUseCases('61184-61185');
  const first = await built.acquire('first.service');
  await built.release(first.lease.id);
  const cooling = await ask(built, 'other.service');
  const finding = cooling.candidates.find(({ uid }) => uid === first.user.uid)?.finding;
  assert.ok(finding === undefined || finding === "it was the dynamic user first's a moment ago");
  const stuck = await built.acquire('stuck.service');
  built.reaper.processes.set(stuck.user.uid, { kind: 'process', pid: 7, command: 'd-state', as: 'user' });
  await built.release(stuck.lease.id);
  const explanation = await ask(built, 'other.service');
  assert.equal(explanation.uid, first.user.uid, 'the one that cools down, since nothing else is free');
  assert.ok(
    explanation.candidates.some(
      ({ finding }) =>
        finding === 'held until nothing is left of the dynamic user stuck: process 7 (d-state) runs with it',
    ),
  );
});

test('says when a user would be joined, used as it is, refused, or not found room for', async () => {
  const built = buildUseCases('61184-61184');
  await built.acquire('live.service');
  built.probe.accounts.set('games', { user: { uid: uid(5), gid: gid(60) }, group: { gid: gid(60) } });
  built.probe.accounts.set('dialout', { group: { gid: gid(20) } });
  assert.equal((await ask(built, 'live.service')).outcome, 'join');
  const used = await ask(built, 'games.service');
  assert.deepEqual([used.outcome, used.uid, used.gid], ['static', 5, 60]);
  assert.equal((await ask(built, 'dialout.service')).outcome, 'conflict');
  const full = await ask(built, 'other.service');
  assert.equal(full.outcome, 'exhausted');
  assert.equal(full.candidates.length, 1);
});

test('a request that would be refused is not a promise: the outcome says so, with the error', async () => {
  const built = buildUseCases();
  await built.acquire('roots.service');
  const joined = await ask(built, 'roots.service', rightsOf(1000, true));
  assert.deepEqual([joined.outcome, joined.refusal?.code], ['refused', 'NotPermitted']);
  assert.match(joined.reason, /roots is held by root/);
  const stranger = await ask(built, 'dynamic-user-test.service', rightsOf(1001, false));
  assert.deepEqual([stranger.outcome, stranger.refusal?.code, stranger.uid], ['refused', 'NotPermitted', 64642]);
  assert.equal(stranger.candidates.length, 1, 'it is told what would be found, all the same');
  built.directories.refusal = new DynuserError('DirectoryFailed', 'it is in use', { field: 'stateDirectory' });
  const busy = await ask(built, 'other.service');
  assert.deepEqual([busy.outcome, busy.reason, busy.handovers], ['refused', 'it is in use', []]);
  built.probe.accounts.set('games', { user: { uid: uid(5), gid: gid(60) }, group: { gid: gid(60) } });
  assert.equal((await ask(built, 'games.service', rightsOf(1000, true))).refusal?.code, 'NotPermitted');
});

test('leaves the UIDs that it looks at to whoever wants them meanwhile', async () => {
  const built = buildUseCases();
  let open: () => void = () => undefined;
  let gate: Promise<void> | undefined = new Promise(resolve => {
    open = resolve;
  });
  built.probe.gate = async () => gate;
  const asking = ask(built, 'dynamic-user-test.service');
  await new Promise(setImmediate);
  gate = undefined;
  assert.equal((await built.acquire('dynamic-user-test.service')).user.uid, 64642);
  open();
  await asking;
});

test('the reason says what is done, and how many hold the user that is joined', async () => {
  const built = buildUseCases();
  assert.equal(
    (await ask(built, 'dynamic-user-test.service')).reason,
    'the UID 64642 is free, and is the one that the name prefers',
  );
  await built.acquire('live.service');
  assert.equal((await ask(built, 'live.service')).reason, 'the user lives already, with one lease, and is joined');
  await built.acquire('live.service');
  assert.equal((await ask(built, 'live.service')).reason, 'the user lives already, with 2 leases, and is joined');
  built.probe.accounts.set('games', { user: { uid: uid(5), gid: gid(60) } });
  const used = await ask(built, 'games.service');
  assert.deepEqual([used.reason, used.candidates], ['this host has the user, which is used', []]);
  built.directories.found = [uid(61_300)];
  assert.equal(
    (await ask(built, 'owned.service')).reason,
    'the UID 61300 is free, and is the owner of a directory that the request names',
  );
});

test('a UID that is found by the search through the range is said to be that', async () => {
  const built = buildUseCases();
  built.locks.foreign.add(uid(64_642));
  const { reason, uid: number } = await ask(built, 'dynamic-user-test.service');
  assert.equal(reason, `the UID ${number} is free, and is the first free one of a search through the whole range`);
});

test('of very many UIDs that are not free some are told of, and the one that is free', async () => {
  const built = buildUseCases('61184-65519');
  const free = uid(65_000);
  for (let number = 61_184; number <= 65_519; number++) {
    built.locks.foreign.add(uid(number));
  }
  built.locks.foreign.delete(free);
  // The last one that is tried.
  built.directories.found = [...built.locks.foreign, free];
  const { candidates, uid: number } = await ask(built, 'web.service');
  assert.equal(number, free);
  assert.deepEqual(
    candidates.filter(candidate => candidate.free).map(candidate => candidate.uid),
    [free],
  );
  assert.equal(candidates.length, EXPLAINED_CANDIDATES_MAX + 1);
});

test('says where the name comes from', async () => {
  const built = buildUseCases();
  const derived = await ask(built, 'web.service');
  const given = await explain(built.explainDeps, built.probe, ROOTS, {
    ...{ unit: unitName('web.service'), userName: userName('mail'), perInstance: false, directories: [] },
    ...{ makesMounts: false, verify: false },
  });
  assert.deepEqual([derived.userName, given.userName, given.nameOrigin], [...['web', 'mail', 'given in the request']]);
  assert.notEqual(derived.nameOrigin, given.nameOrigin);
});

test('whether it would be a dynamic user is said as far as that is known, also if it is refused', async () => {
  const built = buildUseCases('61184-61184');
  assert.equal((await ask(built, 'free.service')).dynamic, true);
  assert.equal((await ask(built, 'free.service', rightsOf(1001, false))).dynamic, true);
  built.probe.accounts.set('games', { user: { uid: uid(5), gid: gid(60) } });
  built.probe.accounts.set('dialout', { group: { gid: gid(20) } });
  assert.equal((await ask(built, 'games.service')).dynamic, false);
  assert.equal((await ask(built, 'dialout.service')).dynamic, false);
  await built.acquire('live.service');
  const full = await ask(built, 'other.service');
  assert.deepEqual([full.outcome, full.dynamic, full.uid], ['exhausted', true, undefined]);
});

test('the rights come first, then the limits, then what was found', async () => {
  const built: UseCases = buildUseCases('61184-61184', undefined, {
    capacity: { hasRoom: () => built.users.leaseCount === 0, refusal: 'there is no descriptor' },
  });
  await built.acquire('live.service');
  const stranger = await ask(built, 'other.service', rightsOf(1001, false));
  assert.deepEqual(
    [stranger.outcome, stranger.refusal?.code, stranger.refusal?.detail],
    [...['refused', 'NotPermitted', { field: 'unit' }]],
  );
  const limited = await ask(built, 'other.service');
  assert.deepEqual(
    [limited.outcome, limited.refusal?.code, limited.reason],
    [...['refused', 'LimitReached', 'there is no descriptor']],
  );
});

test('what cannot be found out is not an answer', async () => {
  const built = buildUseCases();
  built.probe.gate = async () => {
    throw new DynuserError('ProbeFailed', 'NSS does not answer', {});
  };
  await assert.rejects(ask(built, 'web.service'), { name: 'DynuserError', message: 'NSS does not answer' });
  built.probe.gate = async () => {
    throw new TypeError('a slip');
  };
  await assert.rejects(ask(built, 'web.service'), TypeError);
});

test('the former user of the name is waited for, and its UID is free then', async () => {
  const built = buildUseCases('61184-61184');
  const { lease, user } = await built.acquire('web.service', { directories: [directory('runtime', 'web')] });
  let open: () => void = () => undefined;
  const gate = new Promise<void>(resolve => {
    open = resolve;
  });
  built.directories.gate = () => gate;
  const ending = built.release(lease.id);
  const asking = ask(built, 'web.service');
  await new Promise(setImmediate);
  open();
  await ending;
  const { outcome, uid: number } = await asking;
  assert.deepEqual([outcome, number], ['allocate', user.uid]);
});

test('directories are explained for the user that would be had, with the group that is asked for', async () => {
  const built = buildUseCases();
  const asked: unknown[] = [];
  const directories = {
    inspect: () => built.directories.inspect(),
    explain: async (
      ...[of, { name, uid: number, gid: group, dynamic }, options]: Parameters<Directories['explain']>
    ) => {
      asked.push([of.length, name, number, group, dynamic, options.makesMounts, options.verify, options.live().length]);
      return [];
    },
  };
  await built.acquire('live.service', { directories: [directory('state', 'live')] });
  const request = {
    ...{ unit: unitName('dynamic-user-test.service'), perInstance: false, directories: [directory('state', 'wuff')] },
    ...{ makesMounts: true, verify: true },
  };
  const deps = { ...built.explainDeps, directories };
  await explain(deps, built.probe, ROOTS, request);
  await explain(deps, built.probe, ROOTS, { ...request, directoryGid: gid(20) });
  await explain(deps, built.probe, ROOTS, { ...request, directories: [] });
  assert.deepEqual(asked, [
    [1, 'dynamic-user-test', 64_642, 64_642, true, true, true, 1],
    [1, 'dynamic-user-test', 64_642, 20, true, true, true, 1],
  ]);
  assert.equal(built.directories.snapshots, 0);
});

test('who may make no user is told whether the host has one', async () => {
  const built = buildUseCases();
  const only = (unit: string) =>
    explain(built.explainDeps, built.probe, ROOTS, {
      ...{ unit: unitName(unit), perInstance: false, directories: [], staticOnly: true },
      ...{ makesMounts: false, verify: false },
    });
  built.probe.accounts.set('games', { user: { uid: uid(5), gid: gid(60) } });
  assert.equal((await only('games.service')).outcome, 'static');
  const none = await only('other.service');
  assert.deepEqual([none.outcome, none.candidates], ['conflict', []]);
  assert.match(none.reason, /^user other does not exist and DynamicUser=no forbids creating it/);
});

test('a user that has lost its UID is not joined', async () => {
  const built = buildUseCases();
  const { user } = await built.acquire('web.service');
  built.users.put({ ...user, lost: 'somebody else has locked its UID' });
  const { outcome, reason } = await ask(built, 'web.service');
  assert.equal(outcome, 'conflict');
  assert.match(reason, /^the user web has lost its UID \d+: somebody else has locked its UID; release its leases/);
});
