/** Keys in etcd, against a member that says what a real one says rarely: long listings, another cluster, a compacted history. */
import assert from 'node:assert/strict';
import { it, mock } from 'node:test';
import { Code, ConnectError } from '@connectrpc/connect';
import { EtcdClient } from '../../../src/etcd/client.ts';
import { EventType } from '../../../src/etcd/messages.ts';
import { EtcdKeys } from '../../../src/fleetd/etcd-keys.ts';
import { type Changes, StoreUnavailable } from '../../../src/fleetd/key-store.ts';
import { type Answers, HEADER, type Message, startMember } from '../etcd/member.ts';

const PREFIX = '/dynuser/v1/test/';
const PLACE = { cluster: 'abc', revision: 7 };
const bytes = (key: string): Uint8Array => Buffer.from(`${PREFIX}${key}`);
const text = (value: unknown): string => Buffer.from(value as Uint8Array).toString();
const entry = (key: string, value: string, modRevision: number): Message => ({
  ...{ key: bytes(key), value: Buffer.from(value), modRevision: BigInt(modRevision) },
});
const range = (kvs: readonly Message[], more = false): Message => ({ range: { kvs, more } });

async function withKeys(answers: Answers, use: (keys: EtcdKeys) => Promise<void>): Promise<void> {
  const listing: Answers = { range: () => ({ header: HEADER }), ...answers };
  await using member = await startMember(listing);
  const client = new EtcdClient({ endpoints: [member.url], readableKey: PREFIX, credentials: () => ({}) });
  const keys = new EtcdKeys(client, PREFIX);
  try {
    await use(keys);
  } finally {
    keys.close();
  }
}

/** Reads what comes until there is enough. */
async function take(keys: EtcdKeys, count: number, onTrouble: (reason: string) => void): Promise<Changes[]> {
  const end = new AbortController();
  const taken: Changes[] = [];
  for await (const changes of keys.changes('uid/', end.signal, onTrouble)) {
    taken.push(changes);
    if (taken.length === count) {
      end.abort();
    }
  }
  return taken;
}

/** A watch in which nothing happens, until the requests end with it. */
async function* nothing(requests: AsyncIterable<Message>): AsyncIterable<Message> {
  for await (const _ of requests) {
    yield { header: HEADER, created: true };
  }
}

it('a transaction says what has to hold, what is put and deleted, and what is read otherwise', () => {
  const asked: Message[] = [];
  const txn = (request: Message): Message => {
    asked.push(request);
    return { header: HEADER, succeeded: false, responses: [range([entry('uid/1', 'one', 3)]), range([])] };
  };
  const grant = (): Message => ({ header: HEADER, id: 99n, ttl: 10n });
  return withKeys({ txn, grant }, async keys => {
    const expiry = await keys.expiry(10);
    const outcome = await keys.transact({
      when: [
        { cluster: 'abc' },
        { key: 'a', is: undefined },
        { key: 'b', is: 'B' },
        { exists: 'c' },
        { nothingBelow: 'd/' },
      ],
      puts: [
        { key: 'e', value: 'E', expiry },
        { key: 'f', value: 'F' },
      ],
      deletes: ['g'],
      otherwise: ['uid/1', 'uid/2'],
    });
    assert.deepEqual(outcome, { ...PLACE, done: false, found: new Map([['uid/1', 'one']]) });
    const [request] = asked as unknown as [
      { compare: Message[]; success: Record<string, Message | undefined>[]; failure: Record<string, Message>[] },
    ];
    const compared = request.compare.map(({ result, target, key, value, rangeEnd }) => [
      ...[result, target, text(key), text(value), text(rangeEnd)],
    ]);
    assert.deepEqual(compared, [
      [0, 1, `${PREFIX}a`, '', ''],
      [0, 3, `${PREFIX}b`, 'B', ''],
      [3, 1, `${PREFIX}c`, '', ''],
      [0, 1, `${PREFIX}d/`, '', `${PREFIX}d0`],
    ]);
    const puts = request.success.flatMap(({ put }) => (put === undefined ? [] : [put]));
    assert.deepEqual(
      puts.map(({ key, value, lease }) => [text(key), text(value), lease]),
      [
        [`${PREFIX}e`, 'E', 99n],
        [`${PREFIX}f`, 'F', 0n],
      ],
    );
    assert.equal(text(request.success.at(-1)?.['deleteRange']?.['key']), `${PREFIX}g`);
    assert.deepEqual(
      request.failure.map(each => text(each['range']?.['key'])),
      [`${PREFIX}uid/1`, `${PREFIX}uid/2`],
    );
  });
});

it('a transaction that is done found nothing, and one for another cluster is not sent', () => {
  let sent = 0;
  const txn = (): Message => {
    sent++;
    return { header: HEADER, succeeded: true, responses: [range([entry('uid/1', 'one', 3)])] };
  };
  return withKeys({ txn }, async keys => {
    const outcome = await keys.transact({ when: [{ cluster: 'abc' }], deletes: ['a'] });
    assert.deepEqual(outcome, { ...PLACE, done: true, found: new Map() });
    const other = await keys.transact({ when: [{ cluster: 'abd' }], deletes: ['a'] });
    assert.deepEqual(other, { ...PLACE, done: false, found: new Map() });
    assert.equal(sent, 1);
  });
});

it('a listing has all pages of each range, at the revision of the first answer', () => {
  const asked: Message[] = [];
  const txn = (request: Message): Message => {
    const ranges = (request['success'] as { range: Message }[]).map(each => each.range);
    asked.push(...ranges);
    const responses = ranges.map(({ key }) =>
      text(key) === `${PREFIX}uid/` ? range([entry('uid/1', 'one', 2), entry('uid/2', 'two', 5)], true) : range([]),
    );
    return { header: { ...HEADER, revision: BigInt(7 + asked.length) }, succeeded: true, responses };
  };
  const page = (request: Message): Message => {
    asked.push(request);
    return { header: { ...HEADER, revision: 1_000n }, kvs: [entry('uid/3', 'three', 6)], more: false };
  };
  const calls: Message[] = [];
  const onRange = (request: Message): Message => {
    calls.push(request);
    // The first one asks whose connection it is.
    return calls.length === 1 ? { header: HEADER } : page(request);
  };
  return withKeys({ txn, range: onRange }, async keys => {
    const single = Array.from({ length: 150 }, (_, index) => `one/${index}`);
    const { entries, ...place } = await keys.read({ keys: single, below: ['uid/', 'name/'] });
    assert.deepEqual(place, { cluster: 'abc', revision: 107 });
    assert.deepEqual(entries, [
      { key: 'uid/1', value: 'one', revision: 2 },
      { key: 'uid/2', value: 'two', revision: 5 },
      { key: 'uid/3', value: 'three', revision: 6 },
    ]);
    assert.equal(asked.length, 153);
    assert.deepEqual(
      asked.slice(0, 100).map(({ revision }) => revision),
      Array(100).fill(0n),
    );
    assert.deepEqual(
      asked.slice(100).map(({ revision }) => revision),
      Array(53).fill(107n),
    );
    assert.ok(asked.every(({ limit }) => limit === 5_000n));
    const last = asked.at(-1) ?? {};
    assert.deepEqual([text(last['key']), text(last['rangeEnd'])], [`${PREFIX}uid/2\0`, `${PREFIX}uid0`]);
  });
});

it('keys that expire are there as long as they are renewed', () => {
  const left = [5n, 0n];
  const renewed: unknown[] = [];
  async function* keepAlive(requests: AsyncIterable<Message>): AsyncIterable<Message> {
    for await (const { id } of requests) {
      renewed.push(id);
      yield { header: HEADER, id, ttl: left.shift() };
    }
  }
  const grant = ({ ttl }: Message): Message => ({ header: HEADER, id: 42n, ttl });
  return withKeys({ grant, keepAlive }, async keys => {
    const expiry = await keys.expiry(5);
    assert.equal(await expiry.renew(), true);
    assert.equal(await expiry.renew(), false);
    assert.deepEqual(renewed, [42n, 42n]);
  });
});

it('says of an answer without a header, of a refusal, and of silence what to do', async () => {
  await withKeys({ txn: () => ({ succeeded: true }), range: () => ({}) }, async keys => {
    await assert.rejects(keys.transact({ when: [] }), (error: unknown) => {
      assert.ok(error instanceof StoreUnavailable);
      assert.match(error.message, /^etcd has answered without a header; is it etcd that listens there\?$/);
      return true;
    });
  });
  const refuse = (): never => {
    throw new ConnectError('no right', Code.PermissionDenied);
  };
  await withKeys({ grant: refuse }, async keys => {
    await assert.rejects(keys.expiry(1), /^StoreUnavailable: etcd refuses \(.*no right.*\); check the rights of the /);
  });
});

it('changes begin with all there is, and follow the watch from the next revision on', () => {
  const created: Message[] = [];
  async function* watch(requests: AsyncIterable<Message>): AsyncIterable<Message> {
    for await (const { create } of requests) {
      created.push(create as Message);
      yield { header: HEADER, created: true };
      yield {
        header: { ...HEADER, revision: 9n },
        events: [
          { type: EventType.PUT, kv: entry('uid/4', 'four', 8) },
          { type: EventType.DELETE, kv: entry('uid/1', '', 9) },
        ],
      };
    }
  }
  const txn = (): Message => ({ header: HEADER, succeeded: true, responses: [range([entry('uid/1', 'one', 3)])] });
  return withKeys({ txn, watch }, async keys => {
    assert.deepEqual(await take(keys, 2, assert.fail), [
      { ...PLACE, reset: true, changes: [{ key: 'uid/1', value: 'one', revision: 3 }] },
      {
        ...{ cluster: 'abc', revision: 9, reset: false },
        changes: [
          { key: 'uid/4', value: 'four', revision: 8 },
          { key: 'uid/1', value: undefined, revision: 9 },
        ],
      },
    ]);
    const [create = {}] = created;
    assert.deepEqual(
      [text(create['key']), text(create['rangeEnd']), create['startRevision']],
      [`${PREFIX}uid/`, `${PREFIX}uid0`, 8n],
    );
  });
});

for (const [what, message] of [
  ['another cluster', { header: { ...HEADER, clusterId: 0xdefn } }],
  ['a lower revision', { header: { ...HEADER, revision: 6n } }],
  ['a history that is not kept so long', { header: HEADER, canceled: true, compactRevision: 20n }],
] as const) {
  it(`all is read again after ${what}`, () => {
    let watches = 0;
    async function* watch(requests: AsyncIterable<Message>): AsyncIterable<Message> {
      watches++;
      if (watches === 1) {
        yield message;
      }
      yield* nothing(requests);
    }
    const txn = (): Message => ({ header: HEADER, succeeded: true, responses: [range([])] });
    return withKeys({ txn, watch }, async keys => {
      const taken = await take(keys, 2, assert.fail);
      assert.deepEqual(taken, Array(2).fill({ ...PLACE, reset: true, changes: [] }));
    });
  });
}

it('all is read again before a watch that has ended is begun again, after a time that grows, and trouble is told', () => {
  const started: number[] = [];
  const from: unknown[] = [];
  async function* watch(requests: AsyncIterable<Message>): AsyncIterable<Message> {
    for await (const { create } of requests) {
      started.push(performance.now());
      from.push((create as Message)['startRevision']);
      if (started.length === 4) {
        yield { header: { ...HEADER, revision: 9n }, events: [{ type: EventType.PUT, kv: entry('uid/4', 'four', 9) }] };
      } else {
        yield { header: HEADER, canceled: true, cancelReason: 'no leader here' };
      }
    }
  }
  let lists = 0;
  const txn = (): Message => ({
    ...{ header: { ...HEADER, revision: 7n }, succeeded: true },
    // Put back from a backup while the watch was away, and written to since: the revision alone does not show it.
    responses: [range([entry('uid/3', lists++ === 0 ? 'three' : 'another', 7)])],
  });
  return withKeys({ txn, watch }, async keys => {
    const told: string[] = [];
    const random = mock.method(Math, 'random', () => 0.9);
    try {
      const taken = await take(keys, 5, reason => told.push(reason));
      assert.deepEqual(
        taken.map(({ reset, revision, changes: [change] }) => [reset, revision, change?.value]),
        [
          [true, 7, 'three'],
          [true, 7, 'another'],
          [true, 7, 'another'],
          [true, 7, 'another'],
          [false, 9, 'four'],
        ],
      );
    } finally {
      random.mock.restore();
    }
    assert.deepEqual(told, Array(3).fill('no leader here'));
    assert.deepEqual(from, Array(4).fill(8n));
    const [first = 0, second = 0, third = 0, fourth = 0] = started;
    assert.ok(second - first >= 44, `${second - first}`);
    assert.ok(third - second >= 89, `${third - second}`);
    assert.ok(fourth - third >= 179, `${fourth - third}`);
  });
});
