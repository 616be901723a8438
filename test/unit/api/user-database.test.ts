import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UserTable } from '../../../src/allocator/user-table.ts';
import { userDatabaseInterface } from '../../../src/api/user-database.ts';
import type { LeaseId, Pid } from '../../../src/core/ids.ts';
import type { DynamicUser, Lease } from '../../../src/core/lease.ts';
import type { ProcessIdentity } from '../../../src/core/process-identity.ts';
import { VarlinkError } from '../../../src/varlink/errors.ts';
import type { Call } from '../../../src/varlink/handler.ts';
import type { JsonObject } from '../../../src/varlink/json.ts';
import { gid, leaseEvents, uid, unitName, userName } from '../allocator/fakes.ts';

function leaseOf(name: string): Lease {
  return {
    ...{ id: 'ab'.repeat(16) as LeaseId, unit: unitName(`${name}.service`), lifetime: 'explicit', pid: 7 as Pid },
    ...{ owner: uid(0), since: 0, directories: [], cleanup: { processes: true, ipc: true } },
  };
}

const SERVICE = 'io.dynuser.DynamicUser';

function tableOf(...users: [string, number][]): UserTable {
  const table = new UserTable(leaseEvents());
  for (const [name, number] of users) {
    table.put({ uid: uid(number), gid: gid(number), name: userName(name), dynamic: true, leases: [] });
  }
  // A static user in use is nobody that this service may show.
  table.put({ uid: uid(5), gid: gid(60), name: userName('games'), dynamic: false, leases: [] });
  return table;
}

/** @returns all replies, the final one last; or the error's name. Of a lookup in the tick that asks */
function ask(
  table: UserTable,
  method: string,
  parameters: JsonObject,
  more = false,
  noticeEnds = (): void => undefined,
) {
  const handler = userDatabaseInterface<undefined>(table, noticeEnds).methods[method];
  assert.ok(handler);
  const replies: JsonObject[] = [];
  const call: Call<undefined> = {
    method: `io.systemd.UserDatabase.${method}`,
    parameters,
    more,
    oneway: false,
    peer: undefined,
    connection: { id: 1, closed: false, onClose: () => () => undefined, hold: () => () => undefined },
    send: reply => replies.push(reply) > 0,
    sendAll: async all => void replies.push(...all),
  };
  const nameOf = (error: unknown): string => {
    assert.ok(error instanceof VarlinkError);
    return error.error.slice(error.error.lastIndexOf('.') + 1);
  };
  try {
    const final = handler(call);
    return final instanceof Promise ? final.then(last => [...replies, last], nameOf) : [...replies, final];
  } catch (error) {
    return nameOf(error);
  }
}

const USER = {
  record: {
    userName: 'wuff',
    uid: 61214,
    gid: 61214,
    realName: 'Dynamic User',
    homeDirectory: '/',
    shell: '/usr/sbin/nologin',
    locked: true,
    disposition: 'dynamic',
    service: SERVICE,
  },
};
const GROUP = {
  record: { groupName: 'wuff', gid: 61214, description: 'Dynamic Group', disposition: 'dynamic', service: SERVICE },
};

for (const [method, id, name, record] of [
  ['GetUserRecord', 'uid', 'userName', USER],
  ['GetGroupRecord', 'gid', 'groupName', GROUP],
] as const) {
  test(`${method}: by number, by name, by both, and what is not a match`, () => {
    const table = tableOf(['wuff', 61214], ['waldo', 61647]);
    const get = (keys: JsonObject) => ask(table, method, { ...keys, service: SERVICE });
    assert.deepEqual(get({ [id]: 61214 }), [record]);
    assert.deepEqual(get({ [name]: 'wuff' }), [record]);
    assert.deepEqual(get({ [id]: 61214, [name]: 'wuff' }), [record]);
    assert.equal(get({ [id]: 61214, [name]: 'waldo' }), 'ConflictingRecordFound');
    assert.equal(get({ [id]: 61300, [name]: 'wuff' }), 'ConflictingRecordFound');
    assert.equal(get({ [id]: 61214, [name]: 'nobody-knows' }), 'ConflictingRecordFound');
    assert.equal(get({ [id]: 61300, [name]: 'nobody-knows' }), 'NoRecordFound');
    assert.equal(get({ [id]: 61300 }), 'NoRecordFound');
    assert.equal(get({ [id]: 0 }), 'NoRecordFound');
    assert.equal(get({ [name]: 'foo.bar' }), 'NoRecordFound');
    assert.equal(get({ [name]: 'games' }), 'NoRecordFound');
    assert.equal(get({ [id]: 5 }), 'NoRecordFound');
    assert.equal(get({ [id]: 65535 }), 'InvalidParameter');
    assert.equal(get({ [id]: -1 }), 'InvalidParameter');
    assert.equal(get({ [name]: '' }), 'InvalidParameter');
    assert.equal(get({ [name]: '61214' }), 'InvalidParameter');
  });

  test(`${method}: the service has to be named, and be this one`, () => {
    const table = tableOf(['wuff', 61214]);
    assert.equal(ask(table, method, { [id]: 61214 }), 'BadService');
    assert.equal(ask(table, method, { [id]: 61214, service: 'io.systemd.DynamicUser' }), 'BadService');
  });

  test(`${method}: a list has to be asked for with "more", and has all dynamic users`, async () => {
    const all = await ask(tableOf(['wuff', 61214], ['waldo', 61647]), method, { service: SERVICE }, true);
    assert.ok(Array.isArray(all));
    assert.equal(all.length, 2);
    assert.deepEqual(all[0], record);
    for (const table of [tableOf(), tableOf(['wuff', 61214])]) {
      assert.equal(ask(table, method, { service: SERVICE }), 'ExpectedMore');
    }
    assert.equal(await ask(tableOf(), method, { service: SERVICE }, true), 'NoRecordFound');
  });
}

test('GetMemberships: nobody is in a group that is not shared', () => {
  const table = tableOf(['wuff', 61214]);
  assert.equal(ask(table, 'GetMemberships', { service: SERVICE }), 'NoRecordFound');
  assert.equal(
    ask(table, 'GetMemberships', { userName: 'wuff', groupName: 'wuff', service: SERVICE }),
    'NoRecordFound',
  );
  assert.equal(ask(table, 'GetMemberships', { userName: 'a:b', service: SERVICE }), 'InvalidParameter');
  assert.equal(ask(table, 'GetMemberships', {}), 'BadService');
});

test('GetMemberships: who is in which shared group, by either, by both, and all', async () => {
  const table = tableOf(['web', 61300], ['db', 61301], ['alone', 61302]);
  const groups = ['web', 'db'].map((name, index) => ({ name: userName(name), gid: gid(61300 + index) }));
  for (const [name, number, count] of [
    ['one', 61400, 2],
    ['other', 61401, 1],
  ] as const) {
    const lease = { ...leaseOf(name), id: String(number).padStart(32, '0') as LeaseId, groups: groups.slice(0, count) };
    table.put({ uid: uid(number), gid: gid(number), name: userName(name), dynamic: true, leases: [lease] });
  }
  const get = (keys: JsonObject) => ask(table, 'GetMemberships', { ...keys, service: SERVICE }, true);
  const [web, db, other] = [
    { userName: 'one', groupName: 'web' },
    { userName: 'one', groupName: 'db' },
    { userName: 'other', groupName: 'web' },
  ];
  assert.deepEqual(await get({}), [web, db, other]);
  assert.deepEqual(await get({ userName: 'one' }), [web, db]);
  assert.deepEqual(await get({ groupName: 'web' }), [web, other]);
  assert.deepEqual(await get({ userName: 'one', groupName: 'db' }), [db]);
  for (const keys of [{ userName: 'other', groupName: 'db' }, { groupName: 'alone' }, { userName: 'nobody' }]) {
    assert.equal(await get(keys), 'NoRecordFound');
  }
  assert.deepEqual(ask(table, 'GetMemberships', { groupName: 'db', service: SERVICE }), [db]);
  assert.equal(ask(table, 'GetMemberships', { groupName: 'web', service: SERVICE }), 'ExpectedMore');
});

test('a user whose process has ended is found no more, whoever has seen the end first', async () => {
  const process: ProcessIdentity = { boot: 'b', pid: 7 as Pid, startTime: 1, inode: '2' };
  const lease = { ...leaseOf('wuff'), lifetime: 'process', process } as const;
  const held: DynamicUser = {
    ...{ uid: uid(61214), gid: gid(61214), name: userName('wuff'), dynamic: true, leases: [lease] },
  };
  const answers = async (user: DynamicUser, parameters: JsonObject, more = false) => {
    const table = tableOf();
    table.put(user);
    let looks = 0;
    const answer = ask(table, 'GetUserRecord', { ...parameters, service: SERVICE }, more, () => {
      looks++;
      table.remove(user);
    });
    return [looks, await answer];
  };
  for (const parameters of [{ uid: 61214 }, { userName: 'wuff' }]) {
    assert.deepEqual(await answers(held, parameters), [1, 'NoRecordFound']);
    // Nobody's processes have to be looked at for others.
    assert.deepEqual(await answers({ ...held, leases: [lease, lease] }, parameters), [0, [USER]]);
    assert.deepEqual(await answers({ ...held, leases: [leaseOf('wuff')] }, parameters), [0, [USER]]);
  }
  assert.deepEqual(await answers(held, { uid: 61215 }), [0, 'NoRecordFound']);
  assert.deepEqual(await answers(held, {}, true), [1, 'NoRecordFound']);
});
