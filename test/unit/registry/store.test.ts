import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { DynuserError } from '../../../src/core/errors.ts';
import type { Gid, LeaseId, Pid } from '../../../src/core/ids.ts';
import type { DynamicUser, Lease } from '../../../src/core/lease.ts';
import { HELD_DIRECTORIES_MAX, LEASES_PER_USER_MAX, MEMBERSHIPS_PER_GROUP_MAX } from '../../../src/core/limits.ts';
import { BY_NAME } from '../../../src/core/paths.ts';
import { PinnedDirectory } from '../../../src/files/pinned-directory.ts';
import { decodeLease, encodeLease } from '../../../src/registry/lease-file.ts';
import { Store } from '../../../src/registry/store.ts';
import { uid, unitName, userName } from '../allocator/fakes.ts';

function lease(name: string, number: number, dynamic = true): DynamicUser {
  return {
    uid: uid(number),
    gid: number as Gid,
    name: userName(name),
    dynamic,
    leases: [
      {
        id: 'ab'.repeat(16) as LeaseId,
        unit: unitName(`${name}.service`),
        lifetime: 'explicit',
        pid: 7 as Pid,
        owner: uid(0),
        since: 1_700_000_000_000,
        directories: [
          {
            kind: 'state',
            source: 'a',
            publicPath: '/var/lib/a',
            handover: 'chown',
            preserved: true,
            exposed: true,
            aliases: ['b'],
          },
        ],
        cleanup: { processes: true, ipc: false },
        missing: ['PrivateTmp=yes'],
        description: 'it barks',
      },
    ],
  };
}

function withStore(run: (path: string, store: Store, aside: string[]) => void): void {
  const path = mkdtempSync(join(tmpdir(), 'dynuser-registry-'));
  try {
    const aside: string[] = [];
    run(path, new Store(PinnedDirectory.open(path), file => aside.push(file)), aside);
  } finally {
    rmSync(path, { recursive: true });
  }
}

function entries(path: string): string[] {
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter(entry => !entry.isDirectory())
    .map(entry => join(entry.parentPath, entry.name).slice(path.length + 1))
    .toSorted();
}

test('the steps of making leave a lease file and two links, and those of ending take them away', () => {
  withStore((path, store) => {
    const user = lease('wuff', 61214);
    store.intend(user);
    assert.deepEqual(entries(path), ['leases/61214.new']);
    store.publish(user);
    assert.equal(readlinkSync(join(path, 'by-uid/61214')), 'wuff');
    assert.equal(readlinkSync(join(path, 'by-name/wuff')), '61214');
    store.commit(user);
    assert.deepEqual(entries(path), ['by-name/wuff', 'by-uid/61214', 'leases/61214']);
    assert.deepEqual(store.load(), { users: [user], ending: [], intended: [] });
    store.revoke(user);
    store.unpublish(user);
    assert.deepEqual(entries(path), ['leases/61214.end']);
    assert.deepEqual(store.load(), { users: [], ending: [user], intended: [] });
    store.erase(user);
    assert.deepEqual(entries(path), []);
  });
});

test('the process that a user lasts as long as is public while there is one, and no longer', () => {
  withStore((path, store) => {
    const process = { boot: 'b', pid: 4711 as Pid, startTime: 1, inode: '2' };
    const whole = lease('wuff', 61214);
    const [first] = whole.leases;
    assert.ok(first !== undefined);
    const held: DynamicUser = { ...whole, leases: [{ ...first, lifetime: 'process', process }] };
    const joined: DynamicUser = { ...held, leases: [...held.leases, first] };
    const put = (user: DynamicUser) => {
      store.intend(user);
      store.commit(user);
      return entries(path).filter(entry => entry.startsWith('holders/'));
    };
    const link = ['holders/61214'];
    assert.deepEqual(put(whole), []);
    assert.deepEqual(put(held), link);
    const { ino } = statSync('/proc/self/ns/pid');
    assert.equal(readlinkSync(join(path, 'holders/61214')), `4711 ${ino}`);
    assert.deepEqual(put(joined), []);
    assert.deepEqual(put(held), link);
    store.unpublish(held);
    assert.deepEqual(entries(path), ['leases/61214']);
    symlinkSync('1 1', join(path, 'holders/61300'));
    store.reconcile([held]);
    assert.deepEqual(entries(path), ['by-name/wuff', 'by-uid/61214', ...link, 'leases/61214']);
    store.reconcile([{ ...held, lost: 'somebody has it' }]);
    assert.deepEqual(entries(path), ['leases/61214']);
    // It is nobody's condition: without room for it a lease is made all the same.
    rmSync(join(path, 'holders'), { recursive: true });
    assert.deepEqual(put(held), []);
  });
});

test('who acquired a lease is kept for those lifetimes that need it, and nothing else is a lease', () => {
  withStore((path, store, aside) => {
    const process = { boot: 'b', pid: 7 as Pid, startTime: 1, inode: '2' };
    const put = (number: number, changes: Partial<Lease>) => {
      const whole = lease(`u${number}`, number);
      const user = { ...whole, leases: whole.leases.map(lease => ({ ...lease, ...changes })) };
      store.intend(user);
      store.commit(user);
      return user;
    };
    const kept = [put(1, { lifetime: 'connection' }), put(2, { lifetime: 'connection', process })];
    kept.push(put(3, { lifetime: 'process', process }));
    kept.push(put(7, { lifetime: 'process', process: { ...process, inode: undefined } }));
    kept.push(put(8, { lifetime: 'process', process: { ...process, startTime: undefined } }));
    put(9, { lifetime: 'process', process: { ...process, startTime: undefined, inode: undefined } });
    put(4, { lifetime: 'process' });
    put(5, { lifetime: 'explicit', process });
    put(6, { lifetime: 'unit', process });
    assert.deepEqual(
      store.load().users.toSorted((one, other) => one.uid - other.uid),
      kept,
    );
    assert.deepEqual(
      aside.toSorted(),
      [4, 5, 6, 9].map(number => join(path, `leases/${number}`)),
    );
  });
});

test('an intent is forgotten without a trace, and one that a crash left is told', () => {
  withStore((path, store) => {
    store.intend(lease('wuff', 61214));
    assert.deepEqual(store.load(), { users: [], ending: [], intended: [61214] });
    store.forget(lease('wuff', 61214));
    assert.deepEqual(entries(path), []);
  });
});

test('undoing what was not done is not an error', () => {
  withStore((path, store) => {
    store.unpublish(lease('wuff', 61214));
    store.forget(lease('wuff', 61214));
    store.erase(lease('wuff', 61214));
    assert.deepEqual(entries(path), []);
  });
});

test('a static user is recorded by name and never published', () => {
  withStore((path, store) => {
    const user = lease('games', 5, false);
    store.intend(user);
    store.publish(user);
    store.commit(user);
    assert.deepEqual(entries(path), ['static/games']);
    assert.deepEqual(store.load().users, [user]);
  });
});

test('what is not a lease is set aside and said, whatever it is, and nothing outside is touched', () => {
  withStore((path, store, aside) => {
    const good = lease('good', 61300);
    store.intend(good);
    store.commit(good);
    const leases = join(path, 'leases');
    writeFileSync(join(path, 'outside'), 'untouched');
    writeFileSync(join(leases, '61301'), 'no JSON');
    writeFileSync(join(leases, '61302'), encodeLease(lease('good', 61302)));
    writeFileSync(join(leases, '61303'), encodeLease(lease('other', 61304)));
    writeFileSync(join(leases, '61305'), encodeLease(lease('static', 61305, false)));
    symlinkSync(join(path, 'outside'), join(leases, '61306'));
    mkdirSync(join(leases, '61307'));
    assert.deepEqual(store.load().users.length, 1);
    assert.equal(aside.length, 6);
    assert.ok(entries(path).includes('outside'));
    assert.deepEqual(readdirSync(join(path, 'set-aside')).toSorted().at(-1), '61307');
  });
});

test('reconciliation leaves the links of the live users, and no intents', () => {
  withStore((path, store) => {
    const user = lease('wuff', 61214);
    store.intend(user);
    store.commit(user);
    symlinkSync('wrong', join(path, 'by-uid/61214'));
    symlinkSync('gone', join(path, 'by-uid/61999'));
    symlinkSync('61999', join(path, 'by-name/gone'));
    store.intend(lease('half', 61400));
    store.reconcile([user]);
    assert.deepEqual(entries(path), ['by-name/wuff', 'by-uid/61214', 'leases/61214']);
    store.compareLinks([user]);
    assert.equal(readlinkSync(join(path, 'by-uid/61214')), 'wuff');
    rmSync(join(path, 'by-name/wuff'));
    store.compareLinks([user, { ...lease('lost', 61300), lost: 'taken' }]);
    assert.deepEqual(entries(path), ['by-name/wuff', 'by-uid/61214', 'leases/61214']);
    assert.equal(readlinkSync(join(path, 'by-name/wuff')), '61214');
  });
});

test('a lease file is read only where it is whole and in bounds', () => {
  const whole = encodeLease(lease('wuff', 61214));
  assert.deepEqual(decodeLease(whole), lease('wuff', 61214));
  for (let length = 0; length < whole.length - 1; length++) {
    assert.equal(decodeLease(whole.slice(0, length)), undefined, `cut at ${length}`);
  }
  const changes: ((file: Record<string, unknown>) => void)[] = [
    file => (file['version'] = 2),
    file => (file['uid'] = -1),
    file => (file['uid'] = 1.5),
    file => (file['gid'] = 4294967295),
    file => (file['name'] = '../x'),
    file => (file['dynamic'] = 'yes'),
    file => (file['holders'] = []),
    file => (file['holders'] = [null]),
    file => Object.assign((file['holders'] as object[])[0] ?? {}, { directories: ['a'] }),
    file => Object.assign((file['holders'] as object[])[0] ?? {}, { directories: [{ kind: 'etc' }] }),
    file => Object.assign((file['holders'] as object[])[0] ?? {}, { cleanup: { processes: 'yes' } }),
    file => Object.assign((file['holders'] as object[])[0] ?? {}, { missing: [1] }),
    file => Object.assign((file['holders'] as object[])[0] ?? {}, { description: 'two\nlines' }),
    file => Object.assign((file['holders'] as object[])[0] ?? {}, { lifetime: undefined }),
    file => Object.assign((file['holders'] as object[])[0] ?? {}, { lifetime: 'eternal' }),
    file => (file['holders'] = Array.from({ length: 257 }, () => lease('wuff', 1).leases[0])),
  ];
  for (const change of changes) {
    const file = JSON.parse(whole);
    change(file);
    assert.equal(decodeLease(JSON.stringify(file)), undefined, change.toString());
  }
});

test('a directory in a lease file has every field, each of its type', () => {
  const wrong = {
    kind: ['home', 1, undefined],
    source: [1, undefined],
    publicPath: [[], undefined],
    handover: ['copy', undefined],
    preserved: ['yes', undefined],
    aliases: ['b', [7], { length: 0 }, undefined],
  };
  for (const [field, values] of Object.entries(wrong)) {
    for (const value of values) {
      const file = JSON.parse(encodeLease(lease('wuff', 61214)));
      file.holders[0].directories[0][field] = value;
      assert.equal(decodeLease(JSON.stringify(file)), undefined, `${field}: ${JSON.stringify(value)}`);
    }
  }
});

test('a user whose links cannot be made is not published, and it is said', () => {
  withStore((path, store) => {
    const user = lease('wuff', 61214);
    mkdirSync(join(path, BY_NAME, 'wuff'), { recursive: true });
    assert.throws(
      () => store.publish(user),
      (error: unknown) => error instanceof DynuserError && error.code === 'HostFailed',
    );
  });
});

test('a lease file of any length is read, and what is not a file is set aside', () => {
  withStore((path, store, aside) => {
    const long = lease('wuff', 61214);
    const [held] = long.leases;
    assert.ok(held);
    put(store, { ...long, leases: Array.from({ length: 250 }, (_, index) => ({ ...held, since: index })) });
    assert.ok(statSync(join(path, 'leases', '61214')).size > 64 * 1024);
    mkdirSync(join(path, 'leases', '61215'));
    execFileSync('mkfifo', [join(path, 'leases', '61216')]);
    symlinkSync('61214', join(path, 'leases', '61217'));
    const before = process.cwd();
    const [user, ...others] = store.load().users;
    assert.deepEqual([user?.leases.length, others.length, aside.length], [250, 0, 3]);
    assert.equal(process.cwd(), before);
  });
});

test('writing leases leaves no descriptor open', () => {
  withStore((_path, store) => {
    const open = () => readdirSync('/proc/self/fd').length;
    const before = open();
    for (let count = 0; count < 16; count++) {
      const user = lease('wuff', 61214);
      store.intend(user);
      store.commit(user);
    }
    assert.equal(open(), before);
  });
});

test('the bounds of a lease file are reached, and not passed', () => {
  const user = lease('wuff', 61214);
  const [held] = user.leases;
  const [kept] = held?.directories ?? [];
  assert.ok(held && kept);
  const withDirectories = (count: number) =>
    encodeLease({ ...user, leases: [{ ...held, directories: Array<typeof kept>(count).fill(kept) }] });
  assert.ok(decodeLease(withDirectories(HELD_DIRECTORIES_MAX)));
  assert.equal(decodeLease(withDirectories(HELD_DIRECTORIES_MAX + 1)), undefined);
  const withLeases = (count: number) => encodeLease({ ...user, leases: Array<Lease>(count).fill(held) });
  assert.ok(decodeLease(withLeases(LEASES_PER_USER_MAX)));
  assert.equal(decodeLease(withLeases(LEASES_PER_USER_MAX + 1)), undefined);
  const membership = { ...held, member: { user: userName('a'), lease: held.id } };
  const withMembers = (count: number) =>
    encodeLease({
      ...user,
      leases: [...Array<Lease>(LEASES_PER_USER_MAX).fill(held), ...Array<Lease>(count).fill(membership)],
    });
  assert.ok(decodeLease(withMembers(MEMBERSHIPS_PER_GROUP_MAX)));
  assert.equal(decodeLease(withMembers(MEMBERSHIPS_PER_GROUP_MAX + 1)), undefined);
});

test('groups and memberships are read as they were written, or not at all', () => {
  const user = lease('wuff', 61214);
  const [held] = user.leases;
  assert.ok(held);
  const groups = [{ name: userName('web'), gid: 61300 as Gid }];
  const whole = { ...user, leases: [{ ...held, groups, member: { user: userName('a'), lease: held.id } }] };
  assert.deepEqual(decodeLease(encodeLease(whole)), whole);
  const wrong = {
    groups: [
      'web',
      [{ name: 'web' }],
      [{ name: 'a b', gid: 1 }],
      [{ name: 'web', gid: -1 }],
      Array(33).fill(groups[0]),
    ],
    member: ['a', {}, { user: 'a', lease: 'x' }, { user: '0', lease: held.id }],
  };
  for (const [field, values] of Object.entries(wrong)) {
    for (const value of values) {
      const file = JSON.parse(encodeLease(whole));
      file.holders[0][field] = value;
      assert.equal(decodeLease(JSON.stringify(file)), undefined, `${field}: ${JSON.stringify(value)}`);
    }
  }
});

test('members of groups are links, and too many for one are asked of the daemon', () => {
  withStore((path, store) => {
    const members = (gid: number) => readlinkSync(join(path, 'members', String(gid)));
    const names = (count: number) => Array.from({ length: count }, (_, index) => userName(`member-${1000 + index}`));
    store.tellMembers(61300 as Gid, names(2));
    assert.equal(members(61300), 'member-1000,member-1001');
    store.tellMembers(61300 as Gid, names(1));
    assert.equal(members(61300), 'member-1000');
    // 4095 bytes, and one more name.
    store.tellMembers(61301 as Gid, names(341));
    assert.equal(members(61301), names(341).join());
    store.tellMembers(61301 as Gid, names(342));
    assert.equal(members(61301), '*');
    store.tellGroups(userName('a'), [61300 as Gid, 61301 as Gid]);
    assert.equal(readlinkSync(join(path, 'groups', 'a')), '61300,61301');
    store.tellGroups(userName('a'), []);
    store.tellMembers(61300 as Gid, []);
    store.tellMembers(61301 as Gid, []);
    store.tellMembers(61301 as Gid, []);
    assert.deepEqual([readdirSync(join(path, 'members')), readdirSync(join(path, 'groups'))], [[], []]);
  });
});

test('the links of memberships are made those of the leases', () => {
  withStore((path, store) => {
    const web = lease('web', 61300);
    const member = lease('a', 61214);
    const [held] = member.leases;
    assert.ok(held);
    const a = { ...member, leases: [{ ...held, groups: [{ name: web.name, gid: web.gid }] }] };
    const content = () =>
      ['members', 'groups'].map(name =>
        readdirSync(join(path, name)).map(entry => `${entry} ${readlinkSync(join(path, name, entry))}`),
      );
    store.tellMembers(61999 as Gid, [userName('gone')]);
    store.tellGroups(userName('gone'), [61999 as Gid]);
    symlinkSync('torn', join(path, 'members', '61300.new'));
    store.reconcile([a, web]);
    assert.deepEqual(content(), [['61300 a'], ['a 61300']]);
    store.reconcile([a, { ...web, lost: 'somebody has it' }]);
    assert.deepEqual(content(), [[], []]);
    store.reconcile([{ ...a, lost: 'somebody has it' }, web]);
    assert.deepEqual(content(), [[], []]);
  });
});

test('lease files are root’s alone, and the links are for everybody', () => {
  withStore((path, store) => {
    const umask = process.umask(0o022);
    try {
      put(store, lease('wuff', 61214));
    } finally {
      process.umask(umask);
    }
    const mode = (name: string) => (statSync(join(path, name)).mode & 0o777).toString(8);
    const names = ['leases', 'static', 'set-aside', 'by-uid', 'by-name', 'leases/61214'];
    assert.deepEqual(names.map(mode), ['700', '700', '700', '755', '755', '600']);
  });
});

function put(store: Store, user: DynamicUser): DynamicUser {
  store.intend(user);
  store.commit(user);
  return user;
}

test('a lost user is not published, and one that is ending is not live', () => {
  withStore((path, store) => {
    const lost = { ...lease('lost', 61214), lost: 'taken' };
    store.publish(put(store, lost));
    assert.deepEqual(entries(path), ['leases/61214']);
    const ending = put(store, lease('games', 5, false));
    store.revoke(ending);
    store.unpublish(ending);
    assert.deepEqual(store.load(), { users: [lost], ending: [ending], intended: [] });
    store.erase(ending);
    assert.deepEqual(entries(path), ['leases/61214']);
  });
});

test('what a static user is called is not a link of a dynamic one', () => {
  withStore((path, store) => {
    store.publish(lease('games', 61214));
    store.unpublish(lease('games', 61214, false));
    assert.deepEqual(entries(path), ['by-name/games', 'by-uid/61214']);
  });
});

test('reconciliation makes the links that are missing, leaves lost and static users without any, and drops all intents', () => {
  withStore((path, store) => {
    const users = [lease('a', 61214), lease('b', 61215), { ...lease('lost', 61216), lost: 'taken' }];
    store.publish(lease('a', 61214));
    store.publish(lease('lost', 61216));
    rmSync(join(path, 'by-name/a'));
    store.intend(lease('games', 5, false));
    store.intend(lease('new', 61217));
    store.reconcile([...users, lease('games', 5, false)]);
    assert.deepEqual(entries(path), ['by-name/a', 'by-name/b', 'by-uid/61214', 'by-uid/61215']);
  });
});

test('what cannot be moved aside is told with the reason, and costs no other lease', () => {
  const path = mkdtempSync(join(tmpdir(), 'dynuser-registry-'));
  try {
    const told: string[] = [];
    const store = new Store(PinnedDirectory.open(path), (file, reason) =>
      told.push(`${file.slice(path.length)}: ${reason}`),
    );
    const good = put(store, lease('good', 61300));
    writeFileSync(join(path, 'leases/61301'), 'no JSON');
    mkdirSync(join(path, 'set-aside/61301'));
    assert.deepEqual(store.load().users, [good]);
    assert.equal(told[0], '/leases/61301: it is not a lease file');
    assert.match(told[1] ?? '', /^\/leases\/61301: it cannot be moved to .*\/set-aside: .*EISDIR/);
    assert.equal(told.length, 2);
  } finally {
    rmSync(path, { recursive: true });
  }
});

test('what is too long for a lease file, and what is not a file, is not read', () => {
  withStore((path, store, aside) => {
    const { uid: number } = put(store, lease('long', 61300));
    truncateSync(join(path, `leases/${number}`), 8 * 1024 * 1024 + 1);
    execFileSync('mkfifo', [join(path, 'leases/61301')]);
    assert.deepEqual(store.load().users, []);
    assert.deepEqual(
      aside.toSorted(),
      [61300, 61301].map(name => join(path, `leases/${name}`)),
    );
  });
});

test('two files of one name are one user, and an intent without a number is not a UID', () => {
  withStore((path, store, aside) => {
    put(store, lease('wuff', 61214));
    put(store, lease('wuff', 61215));
    writeFileSync(join(path, 'leases/strange.new'), '');
    const { users, intended } = store.load();
    assert.deepEqual([users.length, intended, aside.length], [1, [], 1]);
  });
});

test('a lease file that cannot be written is an error of the host with the call and the path, and leaves what was there', () => {
  withStore((path, store) => {
    symlinkSync('/nowhere', join(path, 'leases/61214.new'));
    assert.throws(
      () => store.intend(lease('wuff', 61214)),
      (error: unknown) => {
        assert.ok(error instanceof DynuserError);
        assert.deepEqual([error.code, error.detail.field], ['HostFailed', 'registry']);
        assert.match(error.message, /^write .*\/leases\/61214\.new: ELOOP/);
        return true;
      },
    );
    assert.deepEqual(entries(path), []);
  });
});
