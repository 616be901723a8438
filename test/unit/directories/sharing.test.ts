import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DirectoriesInUse, DirectoryKind, HandoverKind } from '../../../src/core/directory.ts';
import { parseUserName } from '../../../src/core/name.ts';
import { isExposed, isUnshared, outermost, overlap, refuseSharing } from '../../../src/directories/plan/sharing.ts';

const name = (text: string) => {
  const parsed = parseUserName(text);
  assert.ok('name' in parsed);
  return parsed.name;
};

function holder(user: string, source: string, handover: HandoverKind, exposed = false): DirectoriesInUse {
  return {
    user: name(user),
    directories: [
      { kind: 'state', source, publicPath: `/var/lib/${source}`, handover, preserved: true, exposed, aliases: [] },
    ],
  };
}

function place(source: string, kind: DirectoryKind = 'state') {
  return { kind, source } as const;
}

function refusal(
  user: string,
  source: string,
  handover: HandoverKind | undefined,
  mounts: boolean,
  live: DirectoriesInUse,
  exposed = false,
) {
  const wanted = { kind: 'state', source, exposed, ...(handover === undefined ? {} : { handover }) } as const;
  return refuseSharing(name(user), [wanted], mounts, [live]);
}

test('one directory for two users is refused by name, unless both have it mapped', () => {
  const refused = refusal('b', 'foo', 'chown', false, holder('a', 'foo', 'chown'));
  assert.equal(refused?.detail.field, 'stateDirectory');
  assert.match(refused?.message ?? '', /^\/var\/lib\/foo is in use by a, /);
  assert.ok(refusal('b', 'foo', 'none', false, holder('a', 'foo', 'none')));
  assert.equal(refusal('b', 'foo', 'map', true, holder('a', 'foo', 'map')), undefined);
});

test('the same user may have it twice, in the same way', () => {
  assert.equal(refusal('a', 'foo', 'none', false, holder('a', 'foo', 'chown')), undefined);
  assert.ok(refusal('a', 'foo', 'chown', false, holder('a', 'foo', 'map')), 'its files would vanish from the mount');
  assert.ok(refusal('a', 'foo', 'map', true, holder('a', 'foo', 'chown')));
});

test('before anything is decided, what could go well is let through', () => {
  assert.equal(refusal('b', 'foo', undefined, true, holder('a', 'foo', 'map')), undefined);
  assert.ok(refusal('b', 'foo', undefined, false, holder('a', 'foo', 'map')));
  assert.ok(refusal('b', 'foo', undefined, true, holder('a', 'foo', 'chown')));
});

test('what is above or below counts, what is beside or of another class does not', () => {
  assert.ok(refusal('b', 'foo/bar', 'chown', false, holder('a', 'foo', 'chown')));
  assert.ok(refusal('b', 'foo', 'chown', false, holder('a', 'foo/bar', 'chown')));
  assert.equal(refusal('b', 'foo-bar', 'chown', false, holder('a', 'foo', 'chown')), undefined);
  assert.equal(isUnshared({ kind: 'cache', source: 'foo' }, [holder('a', 'foo', 'chown')]), true);
  assert.equal(isUnshared({ kind: 'state', source: 'foo/x' }, [holder('a', 'foo', 'chown')]), false);
});

test('each refusal says why', () => {
  const cases = [
    [
      refusal('b', 'foo', 'chown', false, holder('a', 'foo', 'chown')),
      'another user: release that first, or use the same user for both',
    ],
    [
      refusal('a', 'foo', 'chown', false, holder('a', 'foo', 'map')),
      'for which it is mapped: only a caller that makes mounts can share it',
    ],
    [
      refusal('a', 'foo', 'map', true, holder('a', 'foo', 'none')),
      'which owns its files: it cannot be mapped meanwhile',
    ],
    [
      refusal('a', 'foo', 'none', false, holder('a', 'foo', 'none', true)),
      'for which it is exposed at its public path: only a lease that exposes it too can share it',
    ],
    [
      refusal('a', 'foo', 'none', false, holder('a', 'foo', 'none'), true),
      'for which it is private: it cannot be exposed meanwhile',
    ],
    [
      refusal('a', 'foo/bar', 'none', false, holder('a', 'foo', 'none', true), true),
      'for which foo is exposed: a lease can share that whole, and no other part of it',
    ],
  ] as const;
  for (const [refused, reason] of cases) {
    assert.equal(refused?.message.replace(/^\/var\/lib\/foo(?:\/bar)? is in use by a, /, ''), reason);
  }
});

test('who exposes a directory shares it with whoever does so too, whole', () => {
  assert.equal(refusal('a', 'foo', 'none', false, holder('a', 'foo', 'none', true), true), undefined);
  assert.ok(refusal('a', 'foo', 'none', false, holder('a', 'foo/bar', 'none', true), true));
});

test('a part comes and goes with its top: of a request, and of a lease, the tops are compared', () => {
  const wanted = (exposed: boolean) => [
    { ...place('foo'), exposed },
    { ...place('foo/bar'), exposed },
  ];
  const [top, part] = [holder('a', 'foo', 'none', true), holder('a', 'foo/bar', 'none', true)];
  const both: DirectoriesInUse = { user: top.user, directories: [...top.directories, ...part.directories] };
  assert.equal(refuseSharing(name('a'), wanted(true), false, [both]), undefined);
  assert.match(refuseSharing(name('a'), wanted(false), false, [both])?.message ?? '', /\/var\/lib\/foo is in use by a/);
});

test('every live lease is asked, and every directory', () => {
  const live = [holder('a', 'free', 'none'), { user: name('c'), directories: [] }, holder('b', 'foo', 'none')];
  const wanted = [place('other'), place('foo')].map(one => ({ ...one, exposed: false }));
  assert.match(refuseSharing(name('a'), wanted, false, live)?.message ?? '', /is in use by b/);
  assert.equal(refuseSharing(name('b'), wanted, false, live), undefined);
  assert.equal(refuseSharing(name('a'), wanted, false, []), undefined);
});

test('trees overlap if they are one, or one is a part of the other', () => {
  for (const [one, other, expected] of [
    [place('a'), place('a'), true],
    [place('a'), place('a/b'), true],
    [place('a/b'), place('a'), true],
    [place('a'), place('ab'), false],
    [place('a/b'), place('a/c'), false],
    [place('a'), place('a', 'cache'), false],
    [place('a'), place('a/b', 'cache'), false],
  ] as const) {
    assert.equal(overlap(one, other), expected, JSON.stringify([one, other]));
    assert.equal(overlap(other, one), expected, JSON.stringify([other, one]));
  }
  assert.deepEqual(outermost([place('a'), place('a/b'), place('a/b', 'cache'), place('b')]), [
    ...[place('a'), place('a/b', 'cache'), place('b')],
  ]);
});

test('a directory is exposed if a live lease has it so, or what it is a part of', () => {
  const live = [holder('a', 'closed', 'none'), holder('a', 'foo', 'none', true)];
  for (const [source, expected] of [
    ['foo', true],
    ['foo/bar', true],
    ['fo', false],
    ['foobar', false],
    ['closed', false],
    ['closed/bar', false],
  ] as const) {
    assert.equal(isExposed(place(source), live), expected, source);
  }
  assert.equal(
    isExposed(place('foo'), [holder('a', 'foo/bar', 'none', true)]),
    false,
    'a part does not expose its tree',
  );
  assert.equal(isExposed(place('foo', 'cache'), live), false);
  assert.equal(isUnshared(place('foo'), []), true);
  assert.equal(isUnshared(place('foo'), live), false);
});
