/** How long the client waits, and for what: the bounds of a call, attempts to reach the daemon, and the paths of its sockets. */
import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';
import { connect } from '../../../src/client/connect.ts';
import { checkParameters, isUnreachable, opener, pause, socketPaths } from '../../../src/client/connection.ts';
import { type Deadline, type Wait, within } from '../../../src/client/deadline.ts';
import { DynuserError } from '../../../src/client/errors.ts';
import { RETRY_FIRST_MS, RETRY_LONGEST_MS, TIMEOUT_MAX_MS } from '../../../src/client/limits.ts';
import { SOCKET_PATH_MAX } from '../../../src/varlink/limits.ts';

const nextTurn = () => new Promise(resolve => setImmediate(resolve));
const never = () => new Promise<never>(() => {});

beforeEach(() => {
  mock.timers.enable({ apis: ['setTimeout'] });
  // The promises of node:timers too.
  syncBuiltinESMExports();
});
afterEach(() => {
  mock.timers.reset();
  syncBuiltinESMExports();
  mock.restoreAll();
});

describe('a wait', () => {
  const deadline = (more: Partial<Deadline> = {}): Deadline => ({ what: 'List', timeoutMs: 100, signals: [], ...more });

  /** @returns what has become of a promise so far */
  function fate(promise: Promise<unknown>): string[] {
    const ends: string[] = [];
    promise.then(
      value => ends.push(`value ${value}`),
      error => ends.push(String(error)),
    );
    return ends;
  }

  it('gives what the work gives, or throws what it throws', async () => {
    assert.equal(await within(deadline(), async () => 7), 7);
    await assert.rejects(
      within(deadline(), async () => {
        throw new TypeError('no');
      }),
      /^TypeError: no$/,
    );
  });

  it('ends with its time, in words, and not before', async () => {
    const ends = fate(within(deadline(), never));
    mock.timers.tick(99);
    await nextTurn();
    assert.deepEqual(ends, []);
    mock.timers.tick(1);
    await nextTurn();
    assert.deepEqual(ends, ['DynuserError: Timeout: List: no answer within 100 ms']);
  });

  it('has its time anew if it is begun again, but not after its end', async () => {
    let wait: Wait | undefined;
    const ends = fate(
      within(deadline(), given => {
        wait = given;
        return never();
      }),
    );
    mock.timers.tick(99);
    wait?.restart();
    mock.timers.tick(99);
    await nextTurn();
    assert.deepEqual(ends, []);
    mock.timers.tick(1);
    await nextTurn();
    assert.equal(ends.length, 1);
  });

  it('may be endless', async () => {
    const { timeoutMs, ...endless } = deadline();
    const ends = fate(within(endless, never));
    mock.timers.tick(TIMEOUT_MAX_MS);
    await nextTurn();
    assert.deepEqual(ends, []);
  });

  it('ends with any of its signals, for the reason of that, also if it was aborted before', async () => {
    const [one, other] = [new AbortController(), new AbortController()];
    const signals = [one.signal, other.signal];
    const ends = fate(within(deadline({ signals }), never));
    other.abort(new Error('enough'));
    one.abort(new Error('late'));
    await nextTurn();
    assert.deepEqual(ends, ['Error: enough']);
    await assert.rejects(within(deadline({ signals: [other.signal] }), never), /^Error: enough$/);
  });

  it('tells the work that nobody waits any more, however it ended', async () => {
    const ended: string[] = [];
    const noting = (name: string, work: () => Promise<unknown>) => (wait: Wait) => {
      wait.signal.addEventListener('abort', () => ended.push(name));
      assert.equal(wait.signal.aborted, false);
      return work();
    };
    await within(
      deadline(),
      noting('done', async () => 7),
    );
    await within(
      deadline(),
      noting('failed', () => Promise.reject(new Error('no'))),
    ).catch(() => {});
    const late = within(deadline(), noting('late', never));
    mock.timers.tick(100);
    await assert.rejects(late, /Timeout/);
    assert.deepEqual(ended, ['done', 'failed', 'late']);
  });

  it('that is over is ended by nothing else', async () => {
    const stop = new AbortController();
    let wait: Wait | undefined;
    const listeners = await within(deadline({ signals: [stop.signal] }), async given => {
      wait = given;
      return getEventListeners(stop.signal, 'abort').length;
    });
    assert.deepEqual([listeners, getEventListeners(stop.signal, 'abort').length], [1, 0]);
    // Nor does it keep the process alive.
    const timers = mock.method(globalThis, 'setTimeout');
    wait?.restart();
    assert.equal(timers.mock.callCount(), 0);
  });
});

describe('attempts to reach the daemon', () => {
  let directory: string;
  let path: string;
  let server: Server | undefined;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'dynuser-client-'));
    path = join(directory, 'socket');
  });
  afterEach(() => {
    server?.close();
    server = undefined;
    rmSync(directory, { recursive: true });
  });

  it('are made ever more rarely up to a bound, and not by all programs at the same moment', async () => {
    for (const [random, part] of [
      [0, 0.5],
      [0.5, 0.75],
    ] as const) {
      mock.method(Math, 'random', () => random);
      for (let attempt = 0, delay = RETRY_FIRST_MS; attempt < 12; attempt++, delay *= 2) {
        let isOver = false;
        const wait = pause(attempt, new AbortController().signal).then(() => {
          isOver = true;
        });
        const expected = Math.min(delay, RETRY_LONGEST_MS) * part;
        mock.timers.tick(expected - 1);
        await nextTurn();
        assert.equal(isOver, false, `attempt ${attempt} waits ${expected} ms`);
        mock.timers.tick(1);
        await wait;
      }
      mock.restoreAll();
    }
  });

  it('wait no longer if nobody wants a connection', async () => {
    const stop = new AbortController();
    const wait = pause(20, stop.signal);
    stop.abort();
    await wait;
  });

  it('are one if that was asked for', async () => {
    await assert.rejects(opener([path], false)(new AbortController().signal), isUnreachable);
  });

  it('are made until the daemon is there', async () => {
    const opening = opener([path], true)(new AbortController().signal);
    for (let attempt = 0; attempt < 3; attempt++) {
      await nextTurn();
      await nextTurn();
      mock.timers.tick(RETRY_LONGEST_MS);
    }
    server = createServer().listen(path);
    await new Promise(resolve => server?.once('listening', resolve));
    let isOpen = false;
    opening.then(() => {
      isOpen = true;
    });
    while (!isOpen) {
      await nextTurn();
      mock.timers.tick(RETRY_LONGEST_MS);
    }
    (await opening).close();
  });

  it('end when nobody wants a connection any more', async () => {
    const stop = new AbortController();
    const opening = opener([path], true)(stop.signal);
    await nextTurn();
    await nextTurn();
    stop.abort(new Error('enough'));
    await assert.rejects(opening, /enough|ENOENT/);
    await assert.rejects(opener([path], true)(stop.signal), isUnreachable);
  });

  it('are told from other failures', () => {
    assert.equal(isUnreachable(new DynuserError('ConnectionFailed', 'away')), true);
    assert.equal(isUnreachable(new DynuserError('Timeout', 'late')), false);
    assert.equal(isUnreachable(new Error('ConnectionFailed')), false);
  });
});

describe('the sockets of the daemon', () => {
  it('are both in the runtime directory, that of the allocator first, or the one that is named', () => {
    const names = ['io.dynuser.Allocator', 'io.dynuser.DynamicUser'];
    const below = (directory: string) => names.map(name => `${directory}/${name}`);
    for (const [configured, directory] of [
      [undefined, '/run/dynuser'],
      ['', '/run/dynuser'],
      ['/run/other', '/run/other'],
      ['/run/other//', '/run/other'],
      ['/', '/'],
    ] as const) {
      assert.deepEqual(socketPaths(undefined, { DYNUSER_RUNTIME_DIRECTORY: configured }), below(directory));
    }
    assert.deepEqual(socketPaths('/a/b/', { DYNUSER_RUNTIME_DIRECTORY: '/run/other' }), ['/a/b/']);
  });

  it('have absolute paths that are no longer than a socket can have', () => {
    const longest = `/${'ä'.repeat((SOCKET_PATH_MAX - 1) / 2)}${'x'.repeat((SOCKET_PATH_MAX - 1) % 2)}`;
    assert.deepEqual(socketPaths(longest, {}), [longest]);
    const unreachable = (words: RegExp) => (error: unknown) => isUnreachable(error) && words.test(String(error));
    assert.throws(() => socketPaths(`${longest}x`, {}), unreachable(/has more than the \d+ bytes of a socket's path$/));
    for (const path of ['', 'run/dynuser', '/a\0b', '@a']) {
      assert.throws(() => socketPaths(path, {}), unreachable(/must be the absolute path of a socket$/));
    }
    assert.throws(() => socketPaths(undefined, { DYNUSER_RUNTIME_DIRECTORY: 'run' }), isUnreachable);
  });
});

describe('parameters', () => {
  it('are those that are given, as the interface has them', () => {
    const given = { unit: 'a', userName: undefined, perInstance: false, stateDirectory: [] };
    assert.deepEqual(checkParameters('Acquire', given), { unit: 'a', perInstance: false, stateDirectory: [] });
    assert.throws(() => checkParameters('Acquire', {}), /^TypeError: unit/);
    assert.throws(() => checkParameters('Acquire', { unit: 'a', pid: '1' }), /^TypeError: pid/);
    assert.throws(() => checkParameters('Release', { lease: 1n }), /^TypeError: lease/);
    assert.throws(() => checkParameters('Release', { lease: 'a', unit: 'b' }), /^TypeError: /);
  });
});

describe('the time of a client', () => {
  it('is one that can be waited for', async () => {
    const path = '/nowhere/socket';
    for (const timeoutMs of [0, -1, Number.NaN, Number.POSITIVE_INFINITY, TIMEOUT_MAX_MS + 1]) {
      await assert.rejects(
        connect({ path, timeoutMs }),
        new RegExp(`^RangeError: timeoutMs must be .*, not ${timeoutMs}`),
      );
    }
    for (const timeoutMs of [0.5, TIMEOUT_MAX_MS]) {
      await assert.rejects(connect({ path, timeoutMs }), isUnreachable);
    }
  });

  it('ends with its signal', async () => {
    await assert.rejects(
      connect({ path: '/nowhere', signal: AbortSignal.abort(new Error('enough')) }),
      /^Error: enough$/,
    );
  });
});
