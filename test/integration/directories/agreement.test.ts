/**
 * Explain says what Acquire does: random requests of different peers over a host on which everything is in the way of
 * something, each first explained and then made. DYNUSER_SEED=NUMBER repeats a run.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { explain } from '../../../src/allocator/explain.ts';
import { checkAcquire, checkDirectories } from '../../../src/api/authorization.ts';
import { decideRights, type Rights, type Standing } from '../../../src/core/access.ts';
import type { DirectoryKind, RequestedDirectory } from '../../../src/core/directory.ts';
import { DynuserError } from '../../../src/core/errors.ts';
import type { Lease } from '../../../src/core/lease.ts';
import { shell } from '../../native/tree/fixture.ts';
import { gid, uid, unitName, userName } from '../../unit/allocator/fakes.ts';
import { buildUseCases, type UseCases } from '../../unit/allocator/use-cases.ts';
import { openSetup, type Setup } from './fixture.ts';

const REQUESTS = 500;
const FIRST_UID = 61_200;
const LAST_UID = 61_207;
/** Live leases, beyond which the oldest is released. */
const LEASES_MAX = 14;

/** Mulberry32: small, and the same everywhere. */
function random(seed: number) {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (count: number) => Math.floor(next() * count);
  const pick = <Item>(items: readonly Item[]): Item => items[below(items.length)] as Item;
  return { next, below, pick, chance: (share: number) => next() < share };
}

type Random = ReturnType<typeof random>;

const POLICY = {
  uids: new Set([uid(1000), uid(1001), uid(1002)]),
  gids: new Set<never>(),
  directoryUids: new Set([uid(1000), uid(1001)]),
};

function rights(number: number, standing?: Standing): Rights {
  const peer = { uid: uid(number), gid: gid(number), groups: [], ...(standing === undefined ? {} : { standing }) };
  return decideRights(peer, POLICY);
}

const ROOTS = rights(0, { kind: 'host', mayChown: true });
const PEERS: readonly Rights[] = [
  ...Array<Rights>(6).fill(ROOTS),
  ...[rights(0, { kind: 'host', mayChown: false }), rights(0, { kind: 'foreign', reason: 'is somewhere else' })],
  ...[rights(1000), rights(1000), rights(1001), rights(1002), rights(1003)],
];

const NAMES = ['alpha', 'beta', 'gamma', 'delta', 'live', 'mine', 'games', 'dialout', 'alone'];
/** Names of directories; what is at their places is made by populate(). */
const SOURCES = [
  'fresh',
  'own',
  'open',
  'twice',
  'file',
  'link',
  'deep/tree',
  'deep',
  'own/part',
  'open/part',
  'mapped',
];

function populate({ root }: Setup, built: UseCases): void {
  const [games, alone] = [uid(5), uid(6)];
  built.probe.accounts.set('games', { user: { uid: games, gid: gid(60) }, group: { gid: gid(60) } });
  built.probe.accounts.set('dialout', { group: { gid: gid(20) } });
  built.probe.accounts.set('alone', { user: { uid: alone, gid: gid(100) } });
  built.locks.foreign.add(uid(FIRST_UID));
  built.locks.strange.set(uid(FIRST_UID + 1), 'ELOOP');
  built.probe.against.set(FIRST_UID + 2, { kind: 'process', pid: 42, command: 'sleep', as: 'user' });
  built.probe.against.set(FIRST_UID + 3, { kind: 'user', name: 'bob' });
  const [mine, other] = [FIRST_UID + 4, FIRST_UID + 2];
  for (const base of ['lib', 'log', 'cache']) {
    shell(
      `${root}/${base}`,
      [
        'mkdir -m 0700 private; mkdir -p private/own/part open/part twice private/twice private/deep/tree private/mapped',
        'touch file private/own/data open/data; ln -s /nowhere link; ln -s private/own own; ln -s /else taken',
        `chown -R ${mine}:${mine} private/own open; chown -R ${other}:${other} private/deep; chown 65534:65534 private/mapped`,
        'mkdir occupied',
      ].join('; '),
    );
  }
  // Others may enter this one: no private directory in it can be had, and no lock.
  shell(`${root}/cache`, 'chmod 0755 private');
  shell(`${root}/run`, 'mkdir own; mkdir -m 0700 private; touch file');
}

interface Request {
  readonly rights: Rights;
  readonly unit: string;
  readonly userName?: string;
  readonly directories: readonly RequestedDirectory[];
  readonly makesMounts: boolean;
  readonly verify: boolean;
  readonly staticOnly: boolean;
}

function someDirectories(dice: Random, { directories }: Setup, makesMounts: boolean): readonly RequestedDirectory[] {
  const values: Record<DirectoryKind, string[]> = { runtime: [], state: [], cache: [], logs: [] };
  const kinds: readonly DirectoryKind[] = ['state', 'state', 'state', 'logs', 'runtime', 'cache'];
  for (let count = dice.below(4); count > 0; count--) {
    const kind = dice.pick(kinds);
    const alias = dice.chance(0.2) ? `:${dice.pick(['name', 'taken', 'occupied', 'sub/name'])}` : '';
    values[kind].push(`${dice.pick(SOURCES)}${alias}`);
  }
  const expose = !makesMounts && dice.chance(0.3);
  const modes = dice.chance(0.3) ? { state: 0o750 } : {};
  return directories.requested(values, { modes, preserveRuntime: dice.chance(0.2), expose });
}

function someRequest(dice: Random, setup: Setup): Request {
  const makesMounts = dice.chance(0.4);
  for (;;) {
    try {
      return {
        rights: dice.pick(PEERS),
        unit: `${dice.pick(NAMES)}.service`,
        ...(dice.chance(0.2) ? { userName: dice.pick(NAMES) } : {}),
        directories: dice.chance(0.3) ? [] : someDirectories(dice, setup, makesMounts),
        ...{ makesMounts, verify: dice.chance(0.15), staticOnly: dice.chance(0.1) },
      };
    } catch (error) {
      // Aliases that are in the way of each other: both refuse it before anything is asked.
      assert.ok(error instanceof DynuserError && error.code === 'DirectoryFailed');
    }
  }
}

/** What came of a request, or would come of it. */
type Came =
  | { readonly error: string; readonly reason: string }
  | { readonly outcome: string; readonly uid: number; readonly gid: number; readonly directories: readonly unknown[] };

async function cameOf(task: () => Promise<Came>): Promise<Came> {
  try {
    return await task();
  } catch (error) {
    assert.ok(error instanceof DynuserError, error instanceof Error ? error.stack : String(error));
    return { error: error.code, reason: error.message };
  }
}

function named({ unit, userName: name }: Request) {
  return { unit: unitName(unit), perInstance: false, ...(name === undefined ? {} : { userName: userName(name) }) };
}

function explained({ explainDeps, probe }: UseCases, request: Request): Promise<Came> {
  const { rights: of, directories, makesMounts, verify, staticOnly } = request;
  return cameOf(async () => {
    checkDirectories(of, directories);
    const found = await explain(explainDeps, probe, of, {
      ...named(request),
      directories,
      makesMounts,
      verify,
      staticOnly,
    });
    if (found.refusal !== undefined) {
      assert.ok(['conflict', 'exhausted', 'refused'].includes(found.outcome));
      return { error: found.refusal.code, reason: found.reason };
    }
    const { outcome, uid: number = -1, gid: group = -1, handovers } = found;
    const shown = handovers.map(({ kind, publicPath, realPath, handover, within }) => [
      kind,
      publicPath,
      realPath,
      handover,
      within,
    ]);
    return { outcome, uid: number, gid: group, directories: shown };
  });
}

function acquired(built: UseCases, request: Request, held: Lease[]): Promise<Came> {
  const { rights: of, directories, makesMounts, verify, staticOnly } = request;
  const isLive = built.users.byName(userName(request.userName ?? request.unit.replace('.service', ''))) !== undefined;
  return cameOf(async () => {
    checkAcquire(of);
    checkDirectories(of, directories);
    const { uid: owner, isRoot } = of.requester;
    const more = { ...named(request), owner, isRoot, directories, makesMounts, verify, staticOnly };
    const got = await built.acquire(request.unit, more);
    held.push(got.lease);
    const { user } = got;
    const shown = got.directories.map(({ kind, publicPath, realPath, handover, within }) => [
      kind,
      publicPath,
      realPath,
      handover,
      within,
    ]);
    const outcome = isLive ? 'join' : user.dynamic ? 'allocate' : 'static';
    return { outcome, uid: user.uid, gid: user.gid, directories: shown };
  });
}

test(`${REQUESTS} random requests come out as Explain says`, async context => {
  const seed = Number(process.env['DYNUSER_SEED'] ?? 20_261_127);
  context.diagnostic(`DYNUSER_SEED=${seed}`);
  const dice = random(seed);
  const setup = openSetup(context);
  const built = buildUseCases(`${FIRST_UID}-${LAST_UID}`, setup.directories);
  populate(setup, built);
  const held: Lease[] = [];
  const seen = new Map<string, number>();
  for (let count = 0; count < REQUESTS; count++) {
    const request = someRequest(dice, setup);
    const draws = [dice.below(2 ** 32), dice.below(2 ** 32)];
    const drawing = () => {
      let index = 0;
      return () => draws[index++ % draws.length] ?? 0;
    };
    built.draw = drawing();
    const expected = await explained(built, request);
    built.draw = drawing();
    const came = await acquired(built, request, held);
    assert.deepEqual(came, expected, `request ${count} of seed ${seed}: ${JSON.stringify(request)}`);
    const what = 'error' in came ? came.error : came.outcome;
    seen.set(what, (seen.get(what) ?? 0) + 1);
    built.now += dice.below(20_000);
    while (held.length > 0 && (held.length > LEASES_MAX || dice.chance(0.3))) {
      const [lease] = held.splice(dice.below(held.length), 1);
      await built.release(lease?.id ?? assert.fail());
    }
  }
  context.diagnostic([...seen].map(([what, count]) => `${what} ${count}`).join(', '));
  for (const what of [
    'allocate',
    'join',
    'static',
    'NotPermitted',
    'NameConflict',
    'DirectoryFailed',
    'RangeExhausted',
  ]) {
    assert.ok((seen.get(what) ?? 0) >= 3, `${what} came ${seen.get(what) ?? 0} times: ${JSON.stringify([...seen])}`);
  }
});
