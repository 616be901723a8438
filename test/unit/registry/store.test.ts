import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { DynuserError } from '../../../src/core/errors.ts';
import type { Gid, LeaseId, Pid } from '../../../src/core/ids.ts';
import type { DynamicUser, Lease } from '../../../src/core/lease.ts';
import { HELD_DIRECTORIES_MAX, LEASES_PER_USER_MAX } from '../../../src/core/limits.ts';
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

test('undoing what was not done is no error', () => {
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

test('what is no lease is set aside and said, whatever it is, and nothing outside is touched', () => {
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

test('settling leaves the links of the live users, and no intents', () => {
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
    assert.equal(readlinkSync(join(path, 'by-uid/61214')), 'wuff');
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
});
