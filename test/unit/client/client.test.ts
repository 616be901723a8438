/** The client and the connection that its leases hang on, with a daemon of the test's own and the test's clock. */
import assert from 'node:assert/strict';
import { syncBuiltinESMExports } from 'node:module';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';
import { type Client, connect, DynuserError, type HeldLease } from '../../../src/client/connect.ts';
import { CLAIM_ATTEMPTS_MAX } from '../../../src/client/limits.ts';
import { FakeDaemon } from '../../integration/client/fake-daemon.ts';

let daemon: FakeDaemon;
let client: Client;
/** what the client told, in its order */
let events: string[];

beforeEach(async () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  // The promises of node:timers too.
  syncBuiltinESMExports();
  daemon = new FakeDaemon();
  await daemon.start();
  await use();
});
afterEach(async () => {
  await client.close();
  const stopped = daemon.stop();
  mock.timers.reset();
  syncBuiltinESMExports();
  await stopped;
});

async function use(options: { reconnect?: boolean; timeoutMs?: number } = {}): Promise<void> {
  client = await connect({ path: daemon.socket, ...options });
  events = [];
  client.on('disconnected', reason => events.push(`disconnected ${reason.code}: ${reason.reason}`));
  client.on('reconnected', leases => events.push(`reconnected ${leases.map(({ unit }) => unit).join()}`));
  client.on('lost', (lease, reason) => events.push(`lost ${lease.unit} ${reason.code}: ${reason.reason}`));
}

/** Lets everything happen that waits for its turn, and lets time go by, until the condition holds. */
async function when(condition: () => boolean): Promise<void> {
  for (let turn = 0; !condition(); turn++) {
    assert.ok(turn < 2_000, 'it does not come to that');
    await new Promise(setImmediate);
    mock.timers.tick(10);
  }
}

/** @returns what becomes of a promise, however long that takes */
async function inTime<T>(promise: Promise<T>): Promise<T> {
  let isOver = false;
  const end = () => {
    isOver = true;
  };
  promise.then(end, end);
  await when(() => isOver);
  return promise;
}

async function failure(promise: Promise<unknown>): Promise<DynuserError> {
  const error = await inTime(promise).then(
    () => assert.fail('it succeeded'),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof DynuserError, String(error));
  return error;
}

/** Lets the daemon answer no request for a user or its end. @returns lets it answer all */
function shut(): () => void {
  let open: () => void = () => {};
  daemon.gate = new Promise(resolve => {
    open = resolve;
  });
  return () => open();
}

async function restart(meanwhile: () => void = () => {}): Promise<void> {
  await inTime(daemon.kill());
  meanwhile();
  await daemon.start();
}

const DISCONNECTED = 'disconnected ConnectionFailed: the connection to dynuserd was lost';

describe('a client', () => {
  it('knows who the daemon says it is', () => {
    assert.deepEqual(client.daemon, { vendor: 'dynuser', product: 'dynuserd', version: '9.9.9' });
  });

  it('lists what is sent one by one, and all at once', async () => {
    for (const unit of ['a', 'b']) {
      await inTime(client.acquire({ unit, lifetime: 'explicit' }));
    }
    const units: string[] = [];
    for await (const lease of client.list()) {
      units.push(lease.unit);
    }
    assert.deepEqual(units, ['a', 'b']);
  });

  it('asks for what it was told to, and for the lifetime that the daemon has unless told', async () => {
    const lease = await inTime(client.acquire({ unit: 'a' }));
    const other = await inTime(client.acquire({ unit: 'b', lifetime: 'explicit', userName: undefined as never }));
    assert.deepEqual(
      daemon.calls.map(([, parameters]) => parameters),
      [{ unit: 'a' }, { unit: 'b', lifetime: 'explicit' }],
    );
    assert.deepEqual([lease.lifetime, other.lifetime], ['connection', 'explicit']);
    await inTime(client.release(other.id));
    assert.deepEqual([...daemon.leases.keys()], [lease.id]);
  });

  it('waits as long as it was told to, in words; progress gives the daemon more time', async () => {
    await client.close();
    await use({ timeoutMs: 1_000 });
    shut();
    const progress: number[] = [];
    const acquired = client.acquire({ unit: 'web' }, { onProgress: ({ changed }) => progress.push(changed) });
    mock.timers.tick(900);
    while (progress.length === 0) {
      await new Promise(setImmediate);
    }
    mock.timers.tick(900);
    await new Promise(setImmediate);
    const late = await failure(acquired);
    assert.deepEqual([late.code, late.reason], ['Timeout', 'Acquire for web: no answer within 1000 ms']);
    const other = await failure(client.acquire({ unit: 'web', lifetime: 'explicit' }, { timeoutMs: 20 }));
    assert.match(other.reason, /no answer within 20 ms/);
  });

  it('waits a minute unless it was told how long', async () => {
    shut();
    let isBegun = false;
    const acquired = client.acquire({ unit: 'web' }, { onProgress: () => (isBegun = true) });
    while (!isBegun) {
      await new Promise(setImmediate);
    }
    let isOver = false;
    const late = acquired.catch((error: Error) => {
      isOver = true;
      return error.message;
    });
    mock.timers.tick(59_999);
    await new Promise(setImmediate);
    assert.equal(isOver, false);
    mock.timers.tick(1);
    assert.equal(await late, 'Timeout: Acquire for web: no answer within 60000 ms');
  });

  it('watches without a bound once what is live has come', async () => {
    const stop = new AbortController();
    const watched = client.watch({ signal: stop.signal });
    assert.equal((await inTime(watched.next())).value?.event, 'ready');
    const next = watched.next();
    let isOver = false;
    next.catch(() => {
      isOver = true;
    });
    mock.timers.tick(50_000_000);
    await new Promise(setImmediate);
    assert.equal(isOver, false);
    stop.abort(new Error('enough'));
    await assert.rejects(next, /^Error: enough$/);
  });

  it('that is closed does nothing any more', async () => {
    const kept = await inTime(client.acquire({ unit: 'kept', lifetime: 'explicit' }));
    const held = await inTime(client.acquire({ unit: 'held' }));
    await client.close();
    const calls = daemon.calls.length;
    for (const call of [
      () => client.acquire({ unit: 'a' }),
      () => client.release(kept.id),
      () => client.explain({ unit: 'a' }),
      () => client.list().next(),
      () => client.watch().next(),
      () => kept.release(),
    ]) {
      // Some of them throw at once, and some later.
      const error = await failure((async () => call())());
      assert.deepEqual([error.code, error.reason], ['Closed', 'the client was closed']);
    }
    assert.deepEqual(await held.release(), {}, 'it ended with the client');
    assert.equal(daemon.calls.length, calls);
    await when(() => daemon.connections.size === 0);
    assert.deepEqual(events, []);
  });

  it('ends its leases at the end of its scope', async () => {
    {
      await using scoped = await connect({ path: daemon.socket });
      await inTime(scoped.acquire({ unit: 'a' }));
      assert.equal(daemon.leases.size, 1);
    }
    await when(() => daemon.leases.size === 0);
  });
});

describe('a release', () => {
  it('that the daemon refuses may be made again; a lease that is gone is not an error', async () => {
    const lease = await inTime(client.acquire({ unit: 'a', lifetime: 'explicit' }));
    daemon.refuse('Release', 'NotPermitted', { field: '', reason: 'no' });
    assert.equal((await failure(lease.release())).code, 'NotPermitted');
    daemon.leases.clear();
    assert.deepEqual(await inTime(lease.release()), {});
    assert.equal(daemon.count('Release'), 2);
    assert.equal((await failure(client.release(lease.id))).code, 'NoSuchLease');
  });

  it('ends the connection with the last lease alone', async () => {
    const leases = [await inTime(client.acquire({ unit: 'a' })), await inTime(client.acquire({ unit: 'b' }))];
    assert.equal(daemon.connections.size, 1);
    await inTime(leases[0]?.release() ?? assert.fail());
    await when(() => daemon.connections.size === 1);
    assert.deepEqual(
      [...daemon.leases.values()].map(({ unit }) => unit),
      ['b'],
    );
    await inTime(leases[1]?.release() ?? assert.fail());
    await when(() => daemon.connections.size === 0);
    assert.deepEqual(events, [], 'nobody is told of a connection that is not needed');
  });
});

describe('a request', () => {
  it('that is refused keeps no connection', async () => {
    daemon.refuse('Acquire', 'NotPermitted', { field: '', reason: 'no' });
    assert.equal((await failure(client.acquire({ unit: 'a' }))).code, 'NotPermitted');
    assert.equal(daemon.count('Acquire'), 1);
    await when(() => daemon.connections.size === 0);
  });

  it('is made again once if the connection was lost before the answer, and not more often', async () => {
    shut();
    const acquired = client.acquire({ unit: 'a' });
    await when(() => daemon.count('Acquire') === 1);
    const open = shut();
    await restart();
    await when(() => daemon.count('Acquire') === 2);
    open();
    assert.equal((await inTime(acquired)).unit, 'a');

    shut();
    const failed = failure(client.acquire({ unit: 'b' }));
    for (const count of [3, 4]) {
      await when(() => daemon.count('Acquire') === count);
      await restart();
    }
    assert.equal((await failed).code, 'ConnectionFailed');
    assert.equal(daemon.count('Acquire'), 4);
  });

  it('is not made again by a client that does not reconnect', async () => {
    await client.close();
    await use({ reconnect: false });
    shut();
    const failed = failure(client.acquire({ unit: 'a' }));
    await when(() => daemon.count('Acquire') === 1);
    await restart();
    assert.equal((await failed).code, 'ConnectionFailed');
    assert.deepEqual([daemon.count('Acquire'), events], [1, []]);
  });

  it('that nobody waits for any more ends the attempts to reach the daemon', async () => {
    await inTime(daemon.kill());
    const stop = new AbortController();
    const acquired = client.acquire({ unit: 'a' }, { signal: stop.signal });
    await new Promise(setImmediate);
    stop.abort(new Error('enough'));
    await assert.rejects(acquired, /^Error: enough$/);
    await daemon.start();
    for (let turn = 0; turn < 20; turn++) {
      await new Promise(setImmediate);
      mock.timers.tick(1_000);
    }
    assert.deepEqual([daemon.count('Acquire'), daemon.connections.size], [0, 0]);
  });

  it('and the end of the client: it ends, though the daemon is away', async () => {
    await inTime(daemon.kill());
    const ends = Promise.all([
      failure(client.acquire({ unit: 'a' })),
      failure(client.acquire({ unit: 'b', lifetime: 'explicit' })),
      failure(client.explain({ unit: 'c' })),
    ]);
    await new Promise(setImmediate);
    await client.close();
    assert.deepEqual(
      (await ends).map(({ code }) => code),
      ['Closed', 'Closed', 'Closed'],
    );
  });
});

describe('leases of a daemon that restarts', () => {
  it('are told of, claimed and held, but those that do not hang on a connection', async () => {
    await inTime(client.acquire({ unit: 'a' }));
    await inTime(client.acquire({ unit: 'b' }));
    await inTime(client.acquire({ unit: 'c', lifetime: 'explicit' }));
    await restart();
    await when(() => events.length === 2);
    assert.deepEqual(events, [DISCONNECTED, 'reconnected a,b']);
    assert.equal(daemon.count('Claim'), 2);
    await when(() => daemon.connections.size === 1);
  });

  it('are not told of if none hangs on a connection', async () => {
    await inTime(client.acquire({ unit: 'c', lifetime: 'explicit' }));
    await restart();
    assert.equal((await inTime(client.acquire({ unit: 'd' }))).unit, 'd');
    assert.deepEqual([events, daemon.count('Claim')], [[], 0]);
  });

  for (const [error, attempts] of [
    ['ProbeFailed', CLAIM_ATTEMPTS_MAX],
    ['LimitReached', CLAIM_ATTEMPTS_MAX],
    ['NotPermitted', 1],
    ['NoSuchLease', 1],
  ] as const) {
    it(`are lost if the claim is refused for good: ${error}, after ${attempts}`, async () => {
      const lease = await inTime(client.acquire({ unit: 'a' }));
      for (let refused = 0; refused < attempts; refused++) {
        daemon.refuse('Claim', error, { field: '', reason: 'not now' });
      }
      await restart();
      await when(() => lease.signal.aborted && events.length > 1);
      assert.equal(daemon.count('Claim'), attempts);
      assert.ok(events.includes(`lost a LeaseLost: the lease ${lease.id} is lost: not now`), events.join());
      assert.equal(lease.signal.reason.code, 'LeaseLost');
      await when(() => daemon.connections.size === 0);
      assert.deepEqual(await lease.release(), {});
      assert.equal(daemon.count('Release'), 0);
    });
  }

  it('are held if the last attempt to claim them is granted', async () => {
    const lease = await inTime(client.acquire({ unit: 'a' }));
    for (let refused = 1; refused < CLAIM_ATTEMPTS_MAX; refused++) {
      daemon.refuse('Claim', 'LimitReached', { field: '', reason: 'not now' });
    }
    await restart();
    await when(() => events.length === 2);
    assert.deepEqual([events[1], lease.signal.aborted], ['reconnected a', false]);
    assert.equal(daemon.count('Claim'), CLAIM_ATTEMPTS_MAX);
  });

  it('are lost if they have another UID now', async () => {
    const lease = await inTime(client.acquire({ unit: 'a' }));
    const kept = await inTime(client.acquire({ unit: 'b' }));
    await restart(() => daemon.leases.set(lease.id, { uid: 61_999, unit: 'a', lifetime: 'connection' }));
    await when(() => events.some(event => event.startsWith('reconnected')));
    assert.match(events.find(event => event.startsWith('lost')) ?? '', /it has the UID 61999 now, and had 61184$/);
    assert.deepEqual([lease.signal.aborted, kept.signal.aborted], [true, false]);
    assert.ok(events.includes('reconnected b'));
  });

  it('are claimed anew if the daemon goes again during the claims', async () => {
    const lease = await inTime(client.acquire({ unit: 'a' }));
    await restart(() => daemon.refuse('Claim', 'ProbeFailed', { field: '', reason: 'not now' }));
    await when(() => daemon.count('Claim') === 1);
    await restart();
    await when(() => events.length === 2);
    assert.deepEqual([events, lease.signal.aborted], [[DISCONNECTED, 'reconnected a'], false]);
  });

  it('are lost with the connection if the client does not reconnect', async () => {
    await client.close();
    await use({ reconnect: false });
    const leases: HeldLease[] = [
      await inTime(client.acquire({ unit: 'a' })),
      await inTime(client.acquire({ unit: 'b' })),
    ];
    await restart();
    await when(() => events.length === 3);
    const lost = leases.map(
      ({ id, unit }) => `lost ${unit} LeaseLost: the lease ${id} is lost: the connection to dynuserd was lost`,
    );
    assert.deepEqual([events, daemon.count('Claim')], [[DISCONNECTED, ...lost], 0]);
  });

  it('that are released meanwhile are not claimed, and the attempts end with them', async () => {
    const lease = await inTime(client.acquire({ unit: 'a' }));
    await inTime(daemon.kill());
    await when(() => events.length === 1);
    const released = lease.release();
    daemon.leases.clear();
    await daemon.start();
    assert.deepEqual(await inTime(released), {});
    assert.equal(daemon.count('Claim'), 0);
    await when(() => daemon.connections.size === 0);
    assert.equal(lease.signal.aborted, false);
  });

  it('are told of by listeners whose faults are their own', async () => {
    const lease = await inTime(client.acquire({ unit: 'a' }));
    const thrown: string[] = [];
    const others = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    process.once('uncaughtException', error => thrown.push(error.message));
    client.prependOnceListener('disconnected', () => {
      throw new Error('a fault');
    });
    await restart();
    await when(() => events.length === 1);
    for (const listener of others) {
      process.on('uncaughtException', listener);
    }
    assert.deepEqual([thrown, events, lease.signal.aborted], [['a fault'], ['reconnected a'], false]);
  });
});
