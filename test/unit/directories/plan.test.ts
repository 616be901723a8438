/** The plan of a request, from what was observed: what is done, when nothing is, and what is refused. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DirectoryUser } from '../../../src/allocator/directory-ports.ts';
import type {
  DirectoriesInUse,
  DirectorySettings,
  DirectoryStatus,
  HandoverKind,
  PathStatus,
  RequestedDirectory,
} from '../../../src/core/directory.ts';
import { BASE_DIRECTORIES } from '../../../src/core/directory-classes.ts';
import { asGid, asUid } from '../../../src/core/ids.ts';
import { parseUserName } from '../../../src/core/name.ts';
import { type ObservedPath, PathSnapshot } from '../../../src/directories/observe/snapshot.ts';
import { layoutOf } from '../../../src/directories/plan/layout.ts';
import {
  type DirectoryPlan,
  outerTree,
  type PlannedPlace,
  planDirectories,
} from '../../../src/directories/plan/plan.ts';
import { requestedDirectories } from '../../../src/directories/plan/request.ts';

const [OURS, OTHERS, MAPPED] = [61_500, 61_501, 65_534];

function userOf(id: number, dynamic = true): DirectoryUser {
  const [uid, gid, parsed] = [asUid(id), asGid(id), parseUserName(`user-${id}`)];
  assert.ok(uid !== undefined && gid !== undefined && 'name' in parsed);
  return { name: parsed.name, uid, gid, dynamic };
}

function directory(owner: number, mode = 0o755, gid = owner): DirectoryStatus {
  return { kind: 'directory', uid: owner, gid, mode, device: '1', inode: '2', ownerHint: 'none' };
}

const NOTHING: PathStatus = { kind: 'nothing' };
const PRIVATE = directory(0, 0o700);
const link = (text: string): PathStatus => ({ kind: 'link', text });

/** What is at the paths of a host, by their names below /var/lib; all others are nothing. */
type Host = Readonly<Record<string, PathStatus>>;

/** A host on which "web" is all right for our user. */
const READY: Host = { private: PRIVATE, 'private/web': directory(OURS), web: link('private/web') };

interface Asked {
  readonly values?: readonly string[];
  readonly user?: DirectoryUser;
  readonly makesMounts?: boolean;
  readonly verify?: boolean;
  readonly canMap?: boolean;
  readonly settings?: Partial<DirectorySettings>;
  readonly live?: readonly DirectoriesInUse[];
}

function plan(host: Host, asked: Asked = {}): DirectoryPlan {
  const { values = ['web'], user = userOf(OURS), makesMounts = false, verify = false, live = [] } = asked;
  const request = { runtime: [], state: values, cache: [], logs: [] };
  const directories = requestedDirectories(request, { modes: {}, preserveRuntime: false, ...asked.settings });
  const of = (requested: (typeof directories)[number]) => {
    const { tree, counterpart, aliases } = layoutOf(requested, true, BASE_DIRECTORIES);
    const inner = (requested.innerAliases ?? []).map(({ path }) => path.split('/'));
    const outer = [tree, counterpart, ...aliases.map(alias => alias.components)];
    const places = [...outer, ...inner.flatMap(place => [place, ['private', ...place]])];
    return new PathSnapshot(
      '/var/lib',
      'stateDirectory',
      new Map(places.map(place => [place.join('/'), along(place)])),
    );
  };
  const along = (components: readonly string[]): ObservedPath => {
    const statuses: PathStatus[] = [];
    for (let depth = 1; depth <= components.length; depth++) {
      const status = host[components.slice(0, depth).join('/')] ?? NOTHING;
      statuses.push(status);
      if (status.kind !== 'directory') {
        break;
      }
    }
    return statuses;
  };
  const mappable = new Set(asked.canMap === true ? directories : []);
  return planDirectories(BASE_DIRECTORIES, { of, mappable }, { directories, user, makesMounts, verify }, live);
}

function leased(user: DirectoryUser, source: string, handover: HandoverKind, exposed = false): DirectoriesInUse {
  const publicPath = `/var/lib/${source}`;
  const held = { kind: 'state', source, publicPath, handover, preserved: true, exposed, aliases: [] } as const;
  return { user: user.name, directories: [held] };
}

test('a plan is empty if place, links, owner and mode are right', () => {
  assert.equal(plan(READY).isEmpty, true);
  const mapped = { ...READY, 'private/web': directory(MAPPED) };
  assert.equal(plan(mapped, { makesMounts: true, canMap: true }).isEmpty, true);
  assert.equal(plan({ web: directory(OURS) }, { user: userOf(OURS, false) }).isEmpty, true);
  const part = { ...READY, 'private/web/part': directory(OURS) };
  assert.equal(plan(part, { values: ['web', 'web/part'] }).isEmpty, true);
});

for (const [what, host, asked] of [
  ['another owner', { ...READY, 'private/web': directory(OTHERS) }, {}],
  ['another group', { ...READY, 'private/web': directory(OURS, 0o755, OTHERS) }, {}],
  ['another mode', { ...READY, 'private/web': directory(OURS, 0o700) }, {}],
  ['no tree', { ...READY, 'private/web': NOTHING }, {}],
  ['no public link', { ...READY, web: NOTHING }, {}],
  ['no alias', READY, { values: ['web:alias'] }],
  ['no part', READY, { values: ['web', 'web/part'] }],
  ['a tree at its public path', { private: PRIVATE, web: directory(OURS) }, {}],
  ['a handover of the tree under way', { ...READY, 'private/web': directory(0, 0o755, MAPPED) }, {}],
  ['a mapped tree that cannot be mapped', { ...READY, 'private/web': directory(MAPPED) }, { makesMounts: true }],
  ['owners to verify', READY, { verify: true }],
  ['a quota to see to', READY, { settings: { quotas: { state: { kind: 'counted' } } } }],
  ['a tree to publish', READY, { settings: { expose: true } }],
] as const satisfies readonly (readonly [string, Host, Asked])[]) {
  test(`a plan is not empty because of ${what}`, () => {
    assert.equal(plan(host, asked).isEmpty, false);
  });
}

test('a plan is not empty while a directory above is handed over', () => {
  const host = { private: PRIVATE, 'private/a': directory(0), 'private/a/b': directory(OURS), a: directory(0) };
  const values = ['a/b'];
  assert.equal(plan({ ...host, 'a/b': link('../private/a/b') }, { values }).isEmpty, true);
  const under = { ...host, 'private/a': directory(0, 0o755, MAPPED), 'a/b': link('../private/a/b') };
  assert.equal(plan(under, { values }).isEmpty, false);
});

test('an alias in a tree is made once that is in its place, wherever it is now', () => {
  const values = ['web:a/deep/x', 'a', 'a/part', 'a:a/self'];
  const texts = (host: Host, more: Asked = {}) => {
    const { innerLinks, isEmpty } = plan(host, { values, ...more });
    return [isEmpty, ...innerLinks.map(({ components, text }) => `${components.join('/')} -> ${text}`)];
  };
  const links = ['private/a/self -> .', 'private/a/deep/x -> ../../web'];
  assert.deepEqual(texts({}), [false, ...links]);
  assert.deepEqual(texts({}, { user: userOf(OURS, false) }), [
    false,
    ...links.map(text => text.replace('private/', '')),
  ]);
  const there = { ...READY, 'private/a': directory(OURS), 'private/a/part': directory(OURS), a: link('private/a') };
  const deep = { 'private/a/deep': directory(OURS), 'private/a/deep/x': link('../../web') };
  assert.deepEqual(texts({ ...there, ...deep, 'private/a/self': link('.') }), [true]);
  assert.deepEqual(texts({ ...there, 'private/a/self': link('.') }), [false, links[1]]);
  const moves = { private: PRIVATE, a: directory(OURS), 'a/part': directory(OURS), 'a/self': link('.') };
  assert.deepEqual(texts(moves), [false, links[1]], 'what is in it moves with it');
  for (const other of [link('..'), directory(OURS), { kind: 'other' } as const]) {
    assert.throws(() => texts({ ...there, 'private/a/self': other }), /\/var\/lib\/private\/a\/self is .*in the way/);
  }
});

test('a part is planned with its tree: where that still is, and handed over as it is', () => {
  const host = { private: PRIVATE, web: directory(OTHERS), 'web/part': directory(OTHERS) };
  const { trees } = plan(host, { values: ['web', 'web/part'], makesMounts: true, canMap: true });
  assert.deepEqual(
    trees.map(({ placement, present, handover }) => [placement.tree, present?.components.join('/'), handover.kind]),
    [
      ['move', 'web', 'map'],
      ['keep', 'web/part', 'map'],
    ],
  );
});

for (const [what, parent, reason] of [
  ['of others', directory(OTHERS, 0o700), /^\/var\/lib\/private belongs to 61501:61501: chown it to root:root$/],
  ['of another group', directory(0, 0o700, OTHERS), /^\/var\/lib\/private belongs to 0:61501/],
  ['that others may enter', directory(0, 0o711), /^\/var\/lib\/private has the mode 0711, and others may enter/],
] as const) {
  test(`a <base>/private ${what} is refused, also if nothing has to be done`, () => {
    const refused = (error: Error) => reason.test(error.message);
    assert.throws(() => plan({ ...READY, private: parent }), refused);
    // The lock of a public directory is there.
    assert.throws(() => plan({ private: parent }, { user: userOf(OURS, false) }), refused);
    assert.equal(plan({ private: parent, web: directory(OURS) }, { user: userOf(OURS, false) }).isEmpty, true);
  });
}

test('a live lease is refused by the handover that is planned, too', () => {
  const user = userOf(OURS);
  const host = { ...READY, 'private/web': directory(OTHERS) };
  const mapping = { makesMounts: true, canMap: true };
  // The same user may share it, but not map what the other lease has by its owner on disk.
  assert.throws(
    () => plan(host, { ...mapping, live: [leased(user, 'web', 'chown')] }),
    /it cannot be mapped meanwhile/,
  );
  assert.equal(plan(READY, { ...mapping, live: [leased(user, 'web', 'none')] }).isEmpty, true);
  assert.throws(
    () => plan(READY, { live: [leased(userOf(OTHERS), 'web', 'chown')] }),
    /in use by user-61501, another user/,
  );
});

test('an exposed directory that a live lease has at its public path is planned there', () => {
  const host = { private: PRIVATE, web: directory(OURS, 0o700) };
  const settings = { expose: true };
  const live = [leased(userOf(OURS), 'web', 'chown', true)];
  const [tree] = plan(host, { settings, live }).trees;
  assert.deepEqual([tree?.layout.realPath, tree?.placement.tree], ['/var/lib/web', 'keep']);
  const [moved] = plan(host, { settings }).trees;
  assert.deepEqual([moved?.layout.realPath, moved?.placement.tree], ['/var/lib/private/web', 'move']);
});

test('a directory that a live lease has is refused by the name of that, whatever is found there', () => {
  const inUse = /^\/var\/lib\/web is in use by user-61501, another user/;
  const live = [leased(userOf(OTHERS), 'web', 'chown')];
  for (const found of [READY, { private: PRIVATE, web: { kind: 'other' } }, { private: directory(OTHERS) }] as const) {
    assert.throws(() => plan(found, { live }), { message: inUse });
  }
});

test('a tree that is made is root’s before it is anybody’s', () => {
  const kinds = (user: DirectoryUser, asked: Asked = {}) =>
    plan({ private: PRIVATE }, { user, ...asked }).trees.map(({ handover, present }) => [handover.kind, present]);
  assert.deepEqual(kinds(userOf(0, false)), [['none', undefined]]);
  assert.deepEqual(kinds(userOf(OURS)), [['chown', undefined]]);
  assert.deepEqual(kinds(userOf(OURS), { makesMounts: true, canMap: true }), [['map', undefined]]);
});

test('an exposed directory of a dynamic user is never mapped, and one of a static user is not exposed', () => {
  const host = { ...READY, 'private/web': directory(OTHERS) };
  const asked = { makesMounts: true, canMap: true, settings: { expose: true } };
  assert.deepEqual(
    plan(host, asked).trees.map(({ handover }) => handover.kind),
    ['chown'],
  );
  const ready = plan({ web: directory(OURS) }, { user: userOf(OURS, false), settings: { expose: true } });
  assert.equal(ready.isEmpty, true);
});

test('directories of two classes are not a part of each other', () => {
  const request = { runtime: [], state: ['web'], cache: ['web/part'], logs: [] };
  const [web, part] = requestedDirectories(request, { modes: {}, preserveRuntime: false });
  assert.ok(web !== undefined && part !== undefined);
  assert.equal(outerTree([planned(web)], { ...part, below: 'web' }), undefined);
  assert.equal(outerTree([planned(web)], { ...part, kind: 'state', below: 'web' })?.directory, web);
  assert.equal(outerTree([planned(web)], { ...part, kind: 'state' }), undefined);
});

function planned(directory: RequestedDirectory): PlannedPlace {
  const layout = layoutOf(directory, true, BASE_DIRECTORIES);
  return { directory, layout, placement: { tree: 'make', unlink: [], link: [] }, present: undefined };
}

test('<base>/private is checked of each base that is used', () => {
  const request = { runtime: [], state: ['web'], cache: ['web'], logs: [] };
  const directories = requestedDirectories(request, { modes: {}, preserveRuntime: false });
  const of = ({ kind }: RequestedDirectory) => {
    const closed = kind === 'state' ? PRIVATE : directory(0, 0o711);
    return new PathSnapshot(
      BASE_DIRECTORIES[kind],
      `${kind}Directory`,
      new Map<string, ObservedPath>([
        ['private/web', [closed, NOTHING]],
        ['web', [NOTHING]],
      ]),
    );
  };
  const asked = { directories, user: userOf(OURS), makesMounts: false, verify: false };
  assert.throws(() => planDirectories(BASE_DIRECTORIES, { of, mappable: new Set() }, asked, []), {
    message: '/var/cache/private has the mode 0711, and others may enter: chmod it to 0700',
  });
});
