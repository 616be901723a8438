/** Connections between the listening socket and their place: who is admitted when, who is turned away, and how many are taken. */
import assert from 'node:assert/strict';
import type { Server } from 'node:net';
import { test } from 'node:test';
import { type AcceptCalls, Acceptor, type Newcomer } from '../../../src/varlink/acceptor.ts';
import { ACCEPT_MS_MAX, ACCEPTS_PER_TURN_MAX } from '../../../src/varlink/limits.ts';
import { socketDescriptor, takeConnections } from '../../../src/varlink/socket-handle.ts';
import { Turns } from '../../../src/varlink/turns.ts';

const LISTENING = 1_000;

interface Asked {
  readonly calls?: AcceptCalls;
  readonly maxNewConnections?: number;
  readonly maxNewConnectionsPerPeer?: number;
  /** pieces of work in one turn */
  readonly piecesMax?: number;
}

/** An acceptor on a listening socket that is the test's: of each connection the descriptor says who it is. */
function acceptor(asked: Asked = {}) {
  const { maxNewConnections = 100, maxNewConnectionsPerPeer = 100, piecesMax = 1 } = asked;
  const log: string[] = [];
  const later: (() => void)[] = [];
  const peers = new Map<number, Newcomer>();
  const clock = { now: 0 };
  const turns = new Turns({ piecesMax, msMax: 1_000, now: () => 0, later: what => later.push(what) });
  const made = new Acceptor<Newcomer>({
    turns,
    limits: { maxNewConnections, maxNewConnectionsPerPeer },
    calls: asked.calls,
    now: () => clock.now,
    identify(descriptor) {
      log.push(`identify ${descriptor}`);
      return peers.get(descriptor);
    },
    admit: ({ descriptor }) => void log.push(`admit ${descriptor}`),
    refused: what => void log.push(`refused: ${what}`),
    failed: cause => void log.push(cause.message),
  });
  const handle = { fd: LISTENING, onconnection: (_status: number, _client: unknown): void => {} };
  made.start({ _handle: handle } as unknown as Server);
  return {
    ...{ made, log, clock, peers },
    /** A connection comes. @param status of accept(2) */
    come(descriptor: number, peer?: Newcomer, status = 0): readonly string[] {
      if (peer !== undefined) {
        peers.set(descriptor, peer);
      }
      handle.onconnection(status, { fd: descriptor, close: () => void log.push(`close ${descriptor}`) });
      return log.splice(0);
    },
    /** The event loop continues. @returns what is done in its next turn */
    turn(): readonly string[] {
      for (const what of later.splice(0)) {
        what();
      }
      return log.splice(0);
    },
  };
}

const FIRST: Newcomer = { owner: 0, rank: 'first' };
const OTHER: Newcomer = { owner: 1_000, rank: 'others' };
const THIRD: Newcomer = { owner: 1_001, rank: 'others' };

test('who is of the first rank is admitted at once, others at once or by turns', () => {
  const { made, come, turn } = acceptor();
  assert.deepEqual(come(1, OTHER), ['identify 1', 'admit 1'], 'nobody waits');
  assert.deepEqual(come(2, OTHER), ['identify 2']);
  assert.deepEqual(come(3, OTHER), ['identify 3']);
  assert.deepEqual(come(4, FIRST), ['identify 4', 'admit 4']);
  assert.deepEqual([made.waiting, made.accepted], [2, 4]);
  assert.deepEqual(turn(), ['admit 2']);
  assert.deepEqual(turn(), ['admit 3']);
  assert.equal(made.waiting, 0);
  assert.deepEqual(turn(), []);
});

test('who has left already, and who cannot be identified, is closed without a place', () => {
  const calls = { accept: () => undefined, hasLeft: (descriptor: number) => descriptor === 1 };
  const { made, come } = acceptor({ calls });
  assert.deepEqual(come(1, FIRST), ['close 1']);
  assert.deepEqual(come(2), ['identify 2', 'close 2']);
  assert.deepEqual([made.waiting, made.accepted], [0, 2]);
});

test('those that wait are bounded for each peer, and get their places back', () => {
  const { made, come, turn } = acceptor({ maxNewConnectionsPerPeer: 2 });
  come(1, OTHER);
  come(2, OTHER);
  come(3, OTHER);
  assert.deepEqual(come(4, OTHER), ['identify 4', 'close 4', 'refused: new connections of one peer']);
  assert.deepEqual(come(5, THIRD), ['identify 5'], 'another one has its own part');
  assert.deepEqual(come(6, FIRST), ['identify 6', 'admit 6']);
  assert.equal(made.waiting, 3);
  assert.deepEqual(turn(), ['admit 2']);
  assert.deepEqual(come(7, OTHER), ['identify 7']);
  assert.deepEqual(come(8, OTHER), ['identify 8', 'close 8', 'refused: new connections of one peer']);
});

test('those that wait are bounded in all', () => {
  const { come, turn } = acceptor({ maxNewConnections: 2, maxNewConnectionsPerPeer: 2 });
  come(1, OTHER);
  come(2, OTHER);
  come(3, THIRD);
  assert.deepEqual(come(4, THIRD), ['identify 4', 'close 4', 'refused: new connections']);
  assert.deepEqual(come(5, FIRST), ['identify 5', 'admit 5']);
  assert.deepEqual(turn(), ['admit 2']);
  assert.deepEqual(come(6, OTHER), ['identify 6']);
});

test('at the end those that wait are closed, and nobody is admitted any more', () => {
  const { made, log, come, turn } = acceptor();
  come(1, OTHER);
  come(2, OTHER);
  come(3, THIRD);
  made.close();
  assert.deepEqual(log.splice(0), ['close 2', 'close 3']);
  assert.equal(made.waiting, 0);
  assert.deepEqual(turn(), []);
});

test('with the first connection all that wait are taken, up to the last', () => {
  const queue = [11, 12];
  const asked: number[] = [];
  const calls = {
    accept(listening: number) {
      asked.push(listening);
      return queue.shift();
    },
    hasLeft: () => false,
  };
  const { made, peers, come } = acceptor({ calls });
  peers.set(11, FIRST).set(12, FIRST);
  assert.deepEqual(
    come(1, FIRST).filter(line => line.startsWith('admit')),
    ['admit 1', 'admit 11', 'admit 12'],
  );
  assert.deepEqual(asked, [LISTENING, LISTENING, LISTENING]);
  assert.equal(made.accepted, 3);
});

test('no more are taken in one turn than there may be, nor for longer', () => {
  let [next, cost] = [0, 0];
  const calls = {
    accept() {
      clock.now += cost;
      return ++next;
    },
    hasLeft: () => false,
  };
  const { made, peers, come, clock } = acceptor({ calls });
  for (let descriptor = 0; descriptor <= 2 * ACCEPTS_PER_TURN_MAX; descriptor++) {
    peers.set(descriptor, FIRST);
  }
  come(0);
  assert.equal(made.accepted, ACCEPTS_PER_TURN_MAX);
  cost = ACCEPT_MS_MAX / 2;
  come(0);
  assert.equal(made.accepted, ACCEPTS_PER_TURN_MAX + 3, 'the one that came, and two in the time');
});

test('an error of accept is told, by its name; one of the calls that take more waits for the next turn', () => {
  const calls = {
    accept() {
      throw new Error('EMFILE');
    },
    hasLeft: () => false,
  };
  const { made, come } = acceptor({ calls });
  assert.deepEqual(come(1, FIRST, -24), ['accept: EMFILE']);
  assert.deepEqual(come(-1, FIRST), ['accept: no connection']);
  assert.equal(made.accepted, 0);
  assert.deepEqual(come(2, FIRST), ['identify 2', 'admit 2']);
});

test('connections can be taken from a server that listens, and from no other', () => {
  for (const handle of [undefined, null, {}]) {
    assert.throws(() => takeConnections({ _handle: handle } as unknown as Server, () => {}), /does not listen/);
  }
});

test('a descriptor is that of an open socket, 0 too', () => {
  const descriptorOf = (handle: unknown) => socketDescriptor({ _handle: handle } as unknown as Server);
  assert.equal(descriptorOf({ fd: 0 }), 0);
  assert.equal(descriptorOf({ fd: 7 }), 7);
  for (const handle of [undefined, null, {}, { fd: -1 }, { fd: '7' }]) {
    assert.equal(descriptorOf(handle), undefined);
  }
});
