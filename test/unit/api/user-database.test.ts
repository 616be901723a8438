import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UserTable } from '../../../src/allocator/user-table.ts';
import { userDatabaseInterface } from '../../../src/api/user-database.ts';
import { VarlinkError } from '../../../src/varlink/errors.ts';
import type { Call } from '../../../src/varlink/handler.ts';
import type { JsonObject } from '../../../src/varlink/json.ts';
import { gid, uid, userName } from '../allocator/fakes.ts';

const SERVICE = 'io.dynuser.DynamicUser';

function tableOf(...users: [string, number][]): UserTable {
  const table = new UserTable();
  for (const [name, number] of users) {
    table.put({ uid: uid(number), gid: gid(number), name: userName(name), dynamic: true, leases: [] });
  }
  // A static user in use is nobody that this service may show.
  table.put({ uid: uid(5), gid: gid(60), name: userName('games'), dynamic: false, leases: [] });
  return table;
}

/** @returns all replies, the final one last; or the error's name */
function ask(table: UserTable, method: string, parameters: JsonObject, more = false): JsonObject[] | string {
  const handler = userDatabaseInterface<undefined>(table).methods[method];
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
  };
  try {
    const final = handler(call);
    assert.ok(!(final instanceof Promise), 'a lookup is answered in the tick that asks');
    return [...replies, final];
  } catch (error) {
    assert.ok(error instanceof VarlinkError);
    return error.error.slice(error.error.lastIndexOf('.') + 1);
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
  test(`${method}: by number, by name, by both, and what is no match`, () => {
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

  test(`${method}: a list has to be asked for with "more", and has all dynamic users`, () => {
    const all = ask(tableOf(['wuff', 61214], ['waldo', 61647]), method, { service: SERVICE }, true);
    assert.ok(Array.isArray(all));
    assert.equal(all.length, 2);
    assert.deepEqual(all[0], record);
    for (const table of [tableOf(), tableOf(['wuff', 61214])]) {
      assert.equal(ask(table, method, { service: SERVICE }), 'ExpectedMore');
    }
    assert.equal(ask(tableOf(), method, { service: SERVICE }, true), 'NoRecordFound');
  });
}

test('GetMemberships: nobody is in a dynamic group', () => {
  const table = tableOf(['wuff', 61214]);
  assert.equal(ask(table, 'GetMemberships', { service: SERVICE }, true), 'NoRecordFound');
  assert.equal(
    ask(table, 'GetMemberships', { userName: 'wuff', groupName: 'wuff', service: SERVICE }),
    'NoRecordFound',
  );
  assert.equal(ask(table, 'GetMemberships', { userName: 'a:b', service: SERVICE }), 'InvalidParameter');
  assert.equal(ask(table, 'GetMemberships', {}), 'BadService');
});
