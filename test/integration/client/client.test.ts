/** The package's client against a daemon of the test's own: calls, leases, and a daemon that restarts. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, connect, DynuserError, type HeldLease } from '../../../src/client/connect.ts';
import { until } from '../../support/until.ts';
import { FakeDaemon } from './fake-daemon.ts';

/** Long enough for a slow machine, and still an end. */
const DEADLINE_MS = 10_000;

let daemon: FakeDaemon;
let client: Client;

beforeEach(async () => {
  daemon = new FakeDaemon();
  await daemon.start();
  client = await connect({ path: daemon.socket, timeoutMs: DEADLINE_MS });
});
afterEach(async () => {
  await client.close();
  await daemon.stop();
});

async function failure(promise: Promise<unknown>): Promise<DynuserError> {
  const error = await promise.then(
    () => assert.fail('it succeeded'),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof DynuserError, String(error));
  return error;
}

describe('calls', () => {
  it('acquires, lists and releases; while nothing is held there is no connection', async () => {
    const progress: number[] = [];
    const lease = await client.acquire(
      { unit: 'web.service' },
      { onProgress: ({ changed }) => progress.push(changed) },
    );
    assert.deepEqual(progress, [1]);
    assert.deepEqual(
      [lease.uid, lease.gid, lease.userName, lease.unit, lease.dynamic, lease.lifetime, lease.environment],
      [61184, 61184, 'web', 'web.service', true, 'connection', { STATE_DIRECTORY: '/var/lib/web' }],
    );
    const listed = [];
    for await (const { uid, unit } of client.list()) {
      listed.push([uid, unit]);
    }
    assert.deepEqual(listed, [[61184, 'web.service']]);
    assert.deepEqual(await lease.release(), {});
    assert.deepEqual(await lease.release(), {}, 'a second release is the first one');
    assert.equal(daemon.count('Release'), 1);
    await until('no connection is left', () => daemon.connections.size === 0);
    assert.equal((await client.explain({ unit: 'web.service' })).outcome, 'exhausted');
  });

  it('the release of a last lease is answered before its connection goes', async () => {
    const lease = await client.acquire({ unit: 'web.service' });
    let open: () => void = () => {};
    daemon.gate = new Promise(resolve => {
      open = resolve;
    });
    const released = lease.release();
    await until('one release is asked for', () => daemon.count('Release') === 1);
    assert.equal(daemon.leases.size, 1, 'the end of the connection would have ended it');
    open();
    await released;
    assert.equal(daemon.leases.size, 0);
  });

  it('errors have the code, the field and the reason of the daemon', async () => {
    daemon.refuse('Acquire', 'InvalidName', { field: 'unit', reason: 'it is empty' });
    const invalid = await failure(client.acquire({ unit: '' }));
    assert.deepEqual([invalid.code, invalid.field, invalid.reason], ['InvalidName', 'unit', 'it is empty']);
    daemon.refuse('Acquire', 'RangeExhausted', { held: 7, reason: 'none is free' });
    const exhausted = await failure(client.acquire({ unit: 'a', lifetime: 'explicit' }));
    assert.deepEqual([exhausted.code, exhausted.held, exhausted.field], ['RangeExhausted', 7, undefined]);
    const missing = await failure(client.release('0'.repeat(32)));
    assert.equal(missing.code, 'NoSuchLease');
    // biome-ignore lint/suspicious/noExplicitAny: what a program without types may do
    await assert.rejects(client.acquire({ unit: 1 } as any), /^TypeError: unit: not a string/);
  });

  it('takes what a newer daemon says more', async () => {
    await daemon.kill();
    daemon.extra = { novelty: 'yes' };
    await daemon.start();
    const lease = await client.acquire({ unit: 'web.service' });
    assert.equal(lease.uid, 61184);
  });

  it('watches until the loop is left, and the signal ends a watch that waits', async () => {
    for await (const { event } of client.watch()) {
      assert.equal(event, 'ready');
      break;
    }
    await until('no connection is left', () => daemon.connections.size === 0);
    const stop = new AbortController();
    const watched = (async () => {
      for await (const { event } of client.watch({ signal: stop.signal })) {
        assert.equal(event, 'ready');
        stop.abort(new Error('enough'));
      }
    })();
    await assert.rejects(watched, /enough/);
    await until('no connection is left', () => daemon.connections.size === 0);
  });

  it('no daemon: connect says so', async () => {
    await daemon.kill();
    const refused = await failure(connect({ path: daemon.socket }));
    assert.equal(refused.code, 'ConnectionFailed');
    assert.match(refused.reason, /ENOENT|ECONNREFUSED/);
    assert.equal((await failure(connect({ path: `/${'x'.repeat(120)}` }))).code, 'ConnectionFailed');
  });

  for (const lifetime of ['connection', 'explicit'] as const) {
    it(`what a caller no longer waits for is given back (${lifetime})`, async () => {
      const held = await client.acquire({ unit: 'held.service' });
      let open: () => void = () => {};
      daemon.gate = new Promise(resolve => {
        open = resolve;
      });
      const late = await failure(client.acquire({ unit: 'late.service', lifetime }, { timeoutMs: 50 }));
      assert.equal(late.code, 'Timeout');
      open();
      if (lifetime === 'connection') {
        await until('one release is asked for', () => daemon.count('Release') === 1);
        await until('one lease is left', () => daemon.leases.size === 1);
      }
      assert.equal(held.signal.aborted, false, 'the others on its connection are still held');
      await until('one connection is left', () => daemon.connections.size === 1);
    });
  }

  it('close ends the leases of the client, without calling them lost', async () => {
    const lease = await client.acquire({ unit: 'web.service' });
    const pending = client.watch().next();
    assert.equal((await pending).value?.event, 'ready');
    await client.close();
    await until('no lease is left', () => daemon.leases.size === 0);
    assert.equal(lease.signal.aborted, false);
    assert.deepEqual(await lease.release(), {});
    assert.equal((await failure(client.acquire({ unit: 'b' }))).code, 'Closed');
  });

  it('a hundred calls at once share the client and a signal without a warning', async () => {
    const warnings: Error[] = [];
    const listen = (warning: Error) => warnings.push(warning);
    process.on('warning', listen);
    const { signal } = new AbortController();
    try {
      const units = Array.from({ length: 100 }, (_, index) => ({ unit: `many-${index}` }));
      const leases = await Promise.all(units.map(unit => client.acquire(unit, { signal })));
      const others = await Promise.all(
        units.map(unit => client.acquire({ ...unit, lifetime: 'explicit' }, { signal })),
      );
      assert.equal(daemon.leases.size, 200);
      await Promise.all([...leases, ...others].map(lease => lease.release()));
      // A warning is emitted in a later turn (process.emitWarning).
      await new Promise(setImmediate);
    } finally {
      process.off('warning', listen);
    }
    assert.deepEqual(warnings, []);
  });

  it('the end of the client ends every call that waits', async () => {
    daemon.gate = new Promise(() => {});
    const units = Array.from({ length: 20 }, (_, index) => ({ unit: `many-${index}` }));
    const ends = Promise.all(units.map(unit => failure(client.acquire(unit))));
    await until('the request is there', () => daemon.count('Acquire') > 0);
    await client.close();
    assert.deepEqual(new Set((await ends).map(({ code }) => code)), new Set(['Closed']));
  });

  it('await using releases', async () => {
    {
      await using lease = await client.acquire({ unit: 'web.service', lifetime: 'explicit' });
      assert.equal(daemon.leases.size, 1);
      assert.equal(lease.lifetime, 'explicit');
    }
    assert.equal(daemon.leases.size, 0);
  });
});

describe('a daemon that restarts', () => {
  it('leases of the connection are claimed, and go on', async () => {
    const leases = [await client.acquire({ unit: 'a' }), await client.acquire({ unit: 'b' })];
    const released = await client.acquire({ unit: 'c' });
    await released.release();
    const away = once(client, 'disconnected');
    await daemon.kill();
    await away;
    const back = once(client, 'reconnected');
    await sleep(50);
    await daemon.start();
    assert.deepEqual(await back, [leases]);
    assert.equal(daemon.count('Claim'), 2);
    assert.deepEqual(
      leases.map(lease => lease.signal.aborted),
      [false, false],
    );
    // They hang on the new connection now.
    await client.close();
    await until('no lease is left', () => daemon.leases.size === 0);
  });

  it('a lease that is not there any more is lost: event and signal', async () => {
    const lease = await client.acquire({ unit: 'a' });
    const kept = await client.acquire({ unit: 'b' });
    const lost = once(client, 'lost');
    await daemon.kill();
    daemon.leases.delete(lease.id);
    await daemon.start();
    const [which, reason]: unknown[] = await lost;
    assert.equal(which, lease);
    assert.ok(reason instanceof DynuserError);
    assert.equal(reason.code, 'LeaseLost');
    assert.match(reason.reason, /no live lease has the id/);
    assert.equal(lease.signal.reason, reason);
    assert.equal(kept.signal.aborted, false);
    assert.deepEqual(await lease.release(), {}, 'it is gone, which is what release is for');
  });

  it('a claim that the daemon cannot serve now is made again', async () => {
    const lease = await client.acquire({ unit: 'a' });
    const back = once(client, 'reconnected');
    await daemon.kill();
    daemon.refuse('Claim', 'ProbeFailed', { field: '', reason: 'the registry cannot be written' });
    await daemon.start();
    await back;
    assert.equal(daemon.count('Claim'), 2);
    assert.equal(lease.signal.aborted, false);
  });

  it('calls wait for it, and requests are made on the new connection', async () => {
    const held = await client.acquire({ unit: 'a' });
    await daemon.kill();
    const acquired = client.acquire({ unit: 'b' });
    const explained = client.explain({ unit: 'b' });
    const release = held.release();
    await sleep(50);
    await daemon.start();
    assert.equal((await acquired).unit, 'b');
    await explained;
    assert.deepEqual(await release, {});
    assert.equal(daemon.count('Claim'), 0, 'what is being released is not claimed');
  });

  it('with reconnect: false leases are lost with the connection, and calls fail', async () => {
    await client.close();
    client = await connect({ path: daemon.socket, reconnect: false });
    const lease = await client.acquire({ unit: 'a' });
    const lost: Promise<HeldLease[]> = once(client, 'lost');
    await daemon.kill();
    assert.equal((await lost)[0], lease);
    assert.equal((await failure(client.acquire({ unit: 'b' }))).code, 'ConnectionFailed');
  });

  it('nobody waits for it longer than was said', async () => {
    await client.acquire({ unit: 'a' });
    await daemon.kill();
    assert.equal((await failure(client.acquire({ unit: 'b' }, { timeoutMs: 50 }))).code, 'Timeout');
    assert.equal((await failure(client.explain({ unit: 'b' }, { timeoutMs: 50 }))).code, 'Timeout');
    await daemon.start();
    await until('one claim is made', () => daemon.count('Claim') === 1);
    await sleep(50);
    assert.deepEqual([daemon.count('Acquire'), daemon.count('Explain')], [1, 0], 'given up is given up');
  });
});
