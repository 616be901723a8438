import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type AccountProbe,
  accountFiles,
  fileDatabase,
  hostDatabase,
  resolveProcess,
  withAccountName,
  withGroupOf,
} from '../../../src/api/launch-accounts.ts';
import { DynuserError } from '../../../src/core/errors.ts';
import type { Gid, Uid, UserName } from '../../../src/core/ids.ts';
import type { DynamicUser } from '../../../src/core/lease.ts';
import { resolvedOf } from '../launch/launches.ts';

const GAMES = { name: 'games' as UserName, uid: 5 as Uid, gid: 60 as Gid, dynamic: false };
const DYNAMIC = { name: 'wuff' as UserName, uid: 61_200 as Uid, gid: 61_200 as Gid, dynamic: true };
const live = {
  dynamicByName: (name: UserName) => (name === 'other' ? ({ gid: 61_300 } as DynamicUser) : undefined),
};

/** NSS that knows three groups, and notes what it is asked. */
function probe(asked: string[] = []): AccountProbe {
  return {
    group: async name => {
      asked.push(`group ${name}`);
      return { adm: 4, disk: 6, other: 99 }[name] as Gid | undefined;
    },
    memberships: async (user, gid) => {
      asked.push(`memberships ${user} ${gid}`);
      return [4711, gid] as Gid[];
    },
    login: async user => {
      asked.push(`login ${user}`);
      return user === 'games' ? { home: '/usr/games', shell: '/bin/sh' } : undefined;
    },
  };
}

const host = (asked?: string[], groupFile = '') => hostDatabase(probe(asked), () => groupFile, live);

test('the number of root is its name, without a question', async () => {
  const probes = { for: () => assert.fail('nobody is asked') };
  const named = await withAccountName(probes, resolvedOf(['DynamicUser=no', 'User=0']));
  assert.equal(named.userName, 'root');
});

test('a dynamic user asks nobody, but is looked for in the group file', async () => {
  const asked: string[] = [];
  const account = await resolveProcess(host(asked, 'x:x:7:wuff\n'), resolvedOf([]), DYNAMIC, undefined, []);
  assert.deepEqual(account, { groups: [7, 61_200] });
  assert.deepEqual(asked, []);
});

test('groups are those of NSS and those that are named, ascending, each once', async () => {
  const asked: string[] = [];
  const resolved = resolvedOf([
    'DynamicUser=no',
    'User=games',
    'SupplementaryGroups=disk 7 4711 other',
    'SetLoginEnvironment=no',
  ]);
  assert.deepEqual(await resolveProcess(host(asked), resolved, GAMES, undefined, []), {
    groups: [6, 7, 60, 4711, 61_300],
  });
  assert.deepEqual(asked, ['memberships games 60', 'group disk']);
});

test('with the group of root there are only those that are named', async () => {
  const root = { name: 'root' as UserName, uid: 0 as Uid, gid: 0 as Gid, dynamic: false };
  const resolved = resolvedOf(['DynamicUser=no', 'SupplementaryGroups=disk']);
  assert.deepEqual(await resolveProcess(host(), resolved, root, undefined, []), { groups: [6] });
  const withGroup = await resolveProcess(
    host(),
    resolvedOf(['DynamicUser=no', 'User=games', 'Group=0', 'SetLoginEnvironment=no']),
    GAMES,
    0 as Gid,
    [],
  );
  assert.deepEqual(withGroup, { processGid: 0, groups: [] });
});

test('the own group and that of Group= are known by name before they exist', async () => {
  const asked: string[] = [];
  const resolved = resolvedOf(['Group=made', 'SupplementaryGroups=made wuff']);
  const account = await resolveProcess(host(asked), resolved, DYNAMIC, 61_400 as Gid, []);
  assert.deepEqual(account, { processGid: 61_400, groups: [61_200, 61_400] });
  assert.deepEqual(asked, []);
});

test('home and shell are asked for if the launch wants them, of a static user only', async () => {
  const account = await resolveProcess(host(), resolvedOf(['User=games']), GAMES, undefined, []);
  assert.deepEqual(account.login, { home: '/usr/games', shell: '/bin/sh' });
  const asked: string[] = [];
  await resolveProcess(host(asked), resolvedOf(['User=games', 'SetLoginEnvironment=no']), GAMES, undefined, []);
  assert.ok(!asked.includes('login games'));
});

test('what does not exist is said, with the property that names it', async () => {
  const refused = (properties: string[], user: typeof GAMES, field: string, words: RegExp) =>
    assert.rejects(resolveProcess(host(), resolvedOf(properties), user, undefined, []), (error: unknown) => {
      assert.ok(error instanceof DynuserError);
      assert.deepEqual([error.code, error.detail.field], ['LaunchFailed', field]);
      assert.match(error.message, words);
      return true;
    });
  await refused(['SupplementaryGroups=adm none'], DYNAMIC, 'SupplementaryGroups', /^group none does not exist;/);
  const lost = { ...GAMES, name: 'lost' as UserName };
  await refused(['User=lost'], lost, 'User', /^user lost has no account;/);
});

test('a process has no more groups than the kernel takes', async () => {
  const many = { ...probe(), memberships: async () => Array.from({ length: 65_536 }, (_, gid) => (gid + 100) as Gid) };
  const database = hostDatabase(many, () => '', live);
  await assert.rejects(
    resolveProcess(database, resolvedOf(['User=games', 'SetLoginEnvironment=no']), GAMES, undefined, []),
    /more than 65536 groups/,
  );
});

test('in another root directory the files count, and users that are dynamic here', async () => {
  const group = 'disk:x:906:\ninside:x:900:games,wuff\nother:x:907:\n';
  const database = fileDatabase({ passwd: 'games:x:5:60::/in:/bin/sh\n', group }, live);
  const resolved = resolvedOf(['User=games', 'SupplementaryGroups=disk other']);
  const login = { home: '/in', shell: '/bin/sh' };
  assert.deepEqual(await resolveProcess(database, resolved, GAMES, undefined, []), {
    groups: [60, 900, 906, 907],
    login,
  });
  assert.deepEqual(await resolveProcess(database, resolvedOf([]), DYNAMIC, undefined, []), { groups: [900, 61_200] });
  const empty = fileDatabase({ passwd: '', group: '' }, live);
  const other = resolvedOf(['SupplementaryGroups=other']);
  assert.deepEqual(await resolveProcess(empty, other, DYNAMIC, undefined, []), { groups: [61_200, 61_300] });
});

test('a launcher is asked for the files that it has not sent', () => {
  const questions = [
    { kind: 'file', path: '/etc/passwd' },
    { kind: 'file', path: '/etc/group' },
  ];
  assert.deepEqual(accountFiles([]), { questions });
  const passwd = { kind: 'file', path: '/etc/passwd', found: true, text: 'p' } as const;
  assert.deepEqual(accountFiles([passwd, { kind: 'glob', path: '/etc/group', found: true }]), {
    questions: [questions[1]],
  });
  const group = { kind: 'file', path: '/etc/group', found: false } as const;
  assert.deepEqual(accountFiles([group, passwd]), { passwd: 'p', group: '' });
});

test('a group of the launcher’s root is known by its number, and a number stays', () => {
  const files = { passwd: '', group: 'web:x:77:\n12:x:78:\n' };
  const groupOf = (group: string) => withGroupOf(files, resolvedOf(['DynamicUser=no', 'User=games', group])).group;
  assert.equal(groupOf('Group=web'), '77');
  assert.equal(groupOf('Group=12'), '12');
  assert.equal(groupOf('Group=unknown'), 'unknown');
  assert.equal(groupOf('Group='), undefined);
});
