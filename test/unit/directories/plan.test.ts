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
} from '../../../src/core/directory.ts';
import { BASE_DIRECTORIES } from '../../../src/core/directory-classes.ts';
import { asGid, asUid } from '../../../src/core/ids.ts';
import { parseUserName } from '../../../src/core/name.ts';
import { type ObservedPath, PathSnapshot } from '../../../src/directories/observe/snapshot.ts';
import { layoutOf } from '../../../src/directories/plan/layout.ts';
import { type DirectoryPlan, planDirectories } from '../../../src/directories/plan/plan.ts';
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
    const places = [tree, counterpart, ...aliases.map(alias => alias.components)];
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
