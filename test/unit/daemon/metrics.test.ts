/** What the daemon has counted, and how it is asked for. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LeaseEvent } from '../../../src/allocator/events.ts';
import { UserTable } from '../../../src/allocator/user-table.ts';
import { metricsInterface } from '../../../src/api/metrics.ts';
import { ROOT } from '../../../src/core/access.ts';
import type { LeaseId, Pid } from '../../../src/core/ids.ts';
import type { DynamicUser, Lease } from '../../../src/core/lease.ts';
import { DEFAULT_RANGE } from '../../../src/core/range.ts';
import { counted, DaemonMetrics } from '../../../src/daemon/metrics.ts';
import { VarlinkError } from '../../../src/varlink/errors.ts';
import type { Call } from '../../../src/varlink/handler.ts';
import type { JsonObject } from '../../../src/varlink/json.ts';
import { gid, leaseEvents, uid, unitName, userName } from '../allocator/fakes.ts';

const lease: Lease = {
  ...{ id: 'ab'.repeat(16) as LeaseId, unit: unitName('web.service'), lifetime: 'explicit', pid: 7 as Pid },
  ...{ owner: uid(0), since: 0, directories: [], cleanup: { processes: true, ipc: true } },
};
const userOf = (name: string, number: number, more: Partial<DynamicUser> = {}): DynamicUser => {
  return { uid: uid(number), gid: gid(number), name: userName(name), dynamic: true, leases: [lease], ...more };
};

function build() {
  const events = leaseEvents();
  const users = new UserTable(events);
  const metrics = new DaemonMetrics({
    ...{ events, users, cooling: () => 3, range: () => DEFAULT_RANGE, helpersEnded: () => 2 },
    connections: () => ({ open: 4, accepted: 9 }),
  });
  const values = () =>
    Object.fromEntries(
      metrics
        .families()
        .flatMap(({ name, samples }) =>
          samples.map(({ fields, value }) => [[name, ...Object.values(fields ?? {})].join(' '), value]),
        ),
    );
  return { events, users, metrics, values };
}

test('users are counted by their state, and what they leave of the range', () => {
  const { users, values } = build();
  assert.equal(values()['RangeFreeUids'], values()['RangeUids']);
  users.put(userOf('web', 61_200));
  users.put(userOf('gone', 61_201, { lost: 'somebody has it' }));
  users.put(userOf('games', 5, { dynamic: false }));
  users.reserve(userOf('old', 61_202));
  const now = values();
  assert.deepEqual(
    ['Users live', 'Users ending', 'Users lost', 'Users static', 'CoolingUids'].map(name => now[name]),
    [1, 1, 1, 1, 3],
  );
  assert.equal(now['RangeUids'], 4_336);
  assert.equal(now['RangeFreeUids'], 4_333);
});

test('requests are counted by their result, and timed if they were granted', () => {
  const { events, metrics, values } = build();
  const user = userOf('web', 61_200);
  const seconds = { acquire: 0.02, check: 0.003, handover: 0 };
  events.tell({ kind: 'allocated', user, lease, joined: false, seconds });
  events.tell({ kind: 'allocated', user, lease, joined: true, seconds });
  const refusal = { unit: 'x', requester: ROOT, pid: undefined, reason: 'no' };
  events.tell({ kind: 'refused', code: 'RangeExhausted', ...refusal } as LeaseEvent);
  events.tell({ kind: 'passedOver', name: user.name, uid: user.uid, evidence: { kind: 'group', name: 'video' } });
  metrics.countLookup();
  const now = values();
  assert.deepEqual(
    ['Acquires allocated', 'Acquires joined', 'Acquires RangeExhausted'].map(name => now[name]),
    [1, 1, 1],
  );
  assert.deepEqual([now['Evidence group'], now['Evidence process']], [1, 0]);
  assert.deepEqual([now['AcquireSecondsCount'], now['CheckSecondsCount'], now['HandoverSecondsCount']], [2, 1, 0]);
  assert.deepEqual([now['AcquireSecondsBucket 0.01'], now['AcquireSecondsBucket 0.025']], [0, 2]);
  assert.deepEqual(
    ['Lookups', 'Connections', 'AcceptedConnections', 'HelperRestarts'].map(name => now[name]),
    [1, 4, 9, 2],
  );
});

test('the interface gives the families and their values, one reply for each, and nothing that names somebody', async () => {
  const { events, users, metrics } = build();
  const user = userOf('secret-name', 61_234);
  users.put(user);
  events.tell({ kind: 'passedOver', name: user.name, uid: user.uid, evidence: { kind: 'user', name: 'secret-name' } });
  let calls = 0;
  const { methods } = counted(
    metricsInterface<undefined>(() => metrics.families()),
    () => calls++,
  );
  const ask = async (method: string, more = true): Promise<JsonObject[]> => {
    const replies: JsonObject[] = [];
    const call: Call<undefined> = {
      ...{ method, parameters: {}, more, oneway: false, peer: undefined },
      connection: { id: 1, closed: false, onClose: () => () => undefined, hold: () => () => undefined },
      send: reply => replies.push(reply) > 0,
      sendAll: async all => void replies.push(...all),
    };
    const last = await methods[method]?.(call);
    assert.ok(last !== undefined);
    return [...replies, last];
  };
  const families = await ask('Describe');
  const values = await ask('List');
  const names = families.map(({ name }) => String(name));
  assert.ok(names.length > 10 && new Set(names).size === names.length);
  for (const name of names) {
    assert.match(name, /^io\.dynuser\.[A-Z][A-Za-z]+$/);
    assert.ok(
      values.some(value => value['name'] === name),
      name,
    );
  }
  assert.doesNotMatch(JSON.stringify([families, values]), /secret|61234/);
  await assert.rejects(ask('List', false), VarlinkError);
  assert.equal(calls, 3);
});
