import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DirectoriesInUse, HandoverKind } from '../../../src/core/directory.ts';
import { parseUserName } from '../../../src/core/name.ts';
import { isUnshared, refuseSharing } from '../../../src/directories/plan/sharing.ts';

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
  assert.equal(refused?.field, 'stateDirectory');
  assert.match(refused?.reason ?? '', /^\/var\/lib\/foo is in use by a, /);
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
