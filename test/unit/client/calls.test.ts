/** Calls on a connection each, and leases in the hands of a program: over connections that a test answers for. */
import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import type { Lifetime, Progress } from '../../../src/api/generated/io-dynuser-allocator.ts';
import { callOnce, requestUser, streamOnce, withConnection } from '../../../src/client/calls.ts';
import { within } from '../../../src/client/deadline.ts';
import { DynuserError } from '../../../src/client/errors.ts';
import { type Acquired, HeldLease } from '../../../src/client/held-lease.ts';
import type { VarlinkClient } from '../../../src/varlink/client.ts';
import { ConnectionError, VarlinkError } from '../../../src/varlink/errors.ts';
import type { JsonObject } from '../../../src/varlink/json.ts';

/** Answers every call with the same replies, or with an error. */
class FakeClient {
  readonly asked: unknown[] = [];
  /** it may be closed again, which is nothing */
  isClosed = false;
  replies: readonly (JsonObject | Error | Promise<JsonObject>)[] = [];

  async call(method: string, parameters?: JsonObject): Promise<JsonObject> {
    this.asked.push([method, parameters]);
    const [reply = {}] = this.replies;
    if (reply instanceof Error) {
      throw reply;
    }
    return reply;
  }

  /** those of them that are there before somebody waits */
  ahead: JsonObject[] = [];

  stream(method: string, parameters?: JsonObject) {
    return Object.assign(this.#each(method, parameters), { take: () => this.ahead.shift() });
  }

  async *#each(method: string, parameters?: JsonObject): AsyncGenerator<JsonObject> {
    this.asked.push([method, parameters]);
    for (const reply of this.replies) {
      if (reply instanceof Error) {
        throw reply;
      }
      yield reply;
    }
  }

  close(): void {
    this.isClosed = true;
  }
}

let client: FakeClient;
const connection = () => client as unknown as VarlinkClient;
const open = async () => connection();
const DEADLINE = { what: 'List', timeoutMs: 10_000, signals: [] };
const isFailed = (error: unknown) => error instanceof DynuserError && error.code === 'ConnectionFailed';
beforeEach(() => {
  client = new FakeClient();
});

describe('a call', () => {
  it('has its connection, which ends with it, whether it is answered or not', async () => {
    client.replies = [{ a: 1 }];
    assert.deepEqual(await callOnce(open, 'Explain', { unit: 'a' }, DEADLINE), { a: 1 });
    assert.deepEqual(client.asked, [['io.dynuser.Allocator.Explain', { unit: 'a' }]]);
    assert.ok(client.isClosed);
    client = new FakeClient();
    client.replies = [new VarlinkError('io.dynuser.Allocator.NoSuchLease', { reason: 'gone' })];
    await assert.rejects(
      callOnce(open, 'Release', {}, DEADLINE),
      (error: unknown) => error instanceof DynuserError && error.code === 'NoSuchLease' && error.reason === 'gone',
    );
    assert.ok(client.isClosed);
    client.replies = [new ConnectionError('gone')];
    await assert.rejects(callOnce(open, 'Release', {}, DEADLINE), isFailed);
  });

  it('that nobody waits for any more has its connection closed, also if that comes late', async () => {
    const stop = new AbortController();
    const deadline = { ...DEADLINE, signals: [stop.signal] };
    client.replies = [new Promise<JsonObject>(() => {})];
    const called = callOnce(open, 'Explain', {}, deadline);
    while (client.asked.length === 0) {
      await new Promise(setImmediate);
    }
    assert.ok(!client.isClosed);
    stop.abort(new Error('enough'));
    await assert.rejects(called, /^Error: enough$/);
    assert.ok(client.isClosed);

    client.isClosed = false;
    let arrive: (connection: VarlinkClient) => void = () => {};
    const late = () => new Promise<VarlinkClient>(resolve => (arrive = resolve));
    const ending = new AbortController();
    const wait = { signal: ending.signal, restart: () => {} };
    let wasClosed: boolean | undefined;
    const lent = withConnection(late, wait, async () => {
      wasClosed = client.isClosed;
    });
    ending.abort();
    arrive(connection());
    await lent;
    assert.equal(wasClosed, true);
  });

  it('without a connection is not made', async () => {
    const none = () => Promise.reject(new DynuserError('ConnectionFailed', 'away'));
    await assert.rejects(callOnce(none, 'Explain', {}, DEADLINE), isFailed);
  });
});

describe('a stream of replies', () => {
  it('gives each, and closes its connection at its end, or when the loop is left', async () => {
    client.replies = [{ a: 1 }, { a: 2 }];
    const seen: unknown[] = [];
    for await (const reply of streamOnce(open, 'List', () => DEADLINE)) {
      seen.push(reply);
      assert.ok(!client.isClosed);
    }
    assert.deepEqual([seen, client.isClosed], [client.replies, true]);
    assert.deepEqual(client.asked, [['io.dynuser.Allocator.List', undefined]]);
    client.isClosed = false;
    for await (const _ of streamOnce(open, 'List', () => DEADLINE)) {
      break;
    }
    assert.ok(client.isClosed);
  });

  it('ends with an error of this package, and closes its connection', async () => {
    client.replies = [{ a: 1 }, new ConnectionError('gone')];
    const stream = streamOnce(open, 'Watch', () => DEADLINE);
    await stream.next();
    await assert.rejects(stream.next(), isFailed);
    assert.ok(client.isClosed);
  });

  it('asks how long to wait before each wait', async () => {
    client.replies = [{}, {}, new Promise<JsonObject>(() => {})];
    const stop = new AbortController();
    let asked = 0;
    const stream = streamOnce(open, 'Watch', () => {
      asked++;
      return { ...DEADLINE, signals: [stop.signal] };
    });
    await stream.next();
    await stream.next();
    assert.equal(asked, 3, 'for the connection, and for two replies');
    client.ahead = [{ a: 1 }, { a: 2 }];
    assert.deepEqual([(await stream.next()).value, (await stream.next()).value], [{ a: 1 }, { a: 2 }]);
    assert.equal(asked, 3, 'what is there needs no wait');
    const third = stream.next();
    stop.abort(new Error('enough'));
    await assert.rejects(third, /^Error: enough$/);
    assert.ok(client.isClosed);
  });
});

describe('the answer to Acquire', () => {
  const ANSWER = { uid: 1, gid: 1, userName: 'a', unit: 'a.service', dynamic: false, lease: 'f' };
  const ask = (progress: Progress[] = []) => requestUser(connection(), { unit: 'a' }, each => progress.push(each));

  it('comes after whatever progress there is, and has all that the daemon says', async () => {
    const steps = [1, 2].map(changed => ({ publicPath: '/a', inodes: 2, changed }));
    client.replies = [...steps.map(progress => ({ progress })), { ...ANSWER, environment: { A: 'b' }, novelty: 1 }];
    const progress: Progress[] = [];
    assert.deepEqual(await ask(progress), { ...ANSWER, directories: [], environment: { A: 'b' }, novelty: 1 });
    assert.deepEqual(progress, steps);
    client.replies = [{ ...ANSWER, directories: [{ kind: 'state' }] }];
    assert.deepEqual(await ask(), { ...ANSWER, directories: [{ kind: 'state' }], environment: {} });
  });

  it('is missing if it does not come, or does not say whose user it is', async () => {
    const unexpected = (words: RegExp) => (error: unknown) =>
      error instanceof DynuserError && error.code === 'UnexpectedReply' && words.test(error.reason);
    await assert.rejects(ask(), unexpected(/without an answer/));
    client.replies = [{ progress: { changed: 1 } }];
    await assert.rejects(ask(), unexpected(/without an answer/));
    for (const name of Object.keys(ANSWER)) {
      client.replies = [Object.fromEntries(Object.entries(ANSWER).filter(([key]) => key !== name))];
      await assert.rejects(ask(), unexpected(/does not say whose user it is/), name);
    }
  });
});

describe('a lease', () => {
  const ACQUIRED = {
    ...{ uid: 61184, gid: 61185, userName: 'web', unit: 'web.service', dynamic: true, lease: 'f' },
    ...{ directories: [], environment: { A: 'b' } },
  } satisfies Acquired;
  const make = (drop: (lease: HeldLease) => Promise<object>, lifetime: Lifetime = 'process') =>
    new HeldLease(ACQUIRED, lifetime, drop);

  it('has what was acquired', () => {
    const lease = make(async () => ({}));
    const { id, uid, gid, userName, unit, dynamic, lifetime, directories, environment, acquired } = lease;
    assert.deepEqual(
      { lease: id, uid, gid, userName, unit, dynamic, lifetime, directories, environment },
      { ...ACQUIRED, lifetime: 'process' },
    );
    assert.equal(acquired, ACQUIRED);
  });

  it('is dropped once, however often that is asked, and again if it failed', async () => {
    const dropped: HeldLease[] = [];
    let failure: Error | undefined = new Error('no');
    const lease = make(async each => {
      dropped.push(each);
      if (failure !== undefined) {
        throw failure;
      }
      return { remains: 'processes' };
    });
    await assert.rejects(lease.release(), /^Error: no$/);
    failure = undefined;
    const answers = await Promise.all([lease.release(), lease.release()]);
    assert.deepEqual(answers, Array(2).fill({ remains: 'processes' }));
    await lease[Symbol.asyncDispose]();
    assert.deepEqual(dropped, [lease, lease]);
    assert.equal(lease.signal.aborted, false);
  });

  it('that is lost says why by its signal', () => {
    const lease = make(async () => ({}));
    const reason = new DynuserError('LeaseLost', 'gone');
    lease.lose(reason);
    assert.equal(lease.signal.reason, reason);
  });

  it('is released at the end of its scope, before anything after it', async () => {
    let isDropped = false;
    const lease = make(async () => {
      await new Promise(setImmediate);
      isDropped = true;
      return {};
    });
    await within(DEADLINE, () => lease[Symbol.asyncDispose]());
    assert.ok(isDropped);
  });
});
