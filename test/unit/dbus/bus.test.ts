/** The bus over the life of the daemon: attempts that get rarer, clients that are told, and an end that is one. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';
import { Bus, type BusClient } from '../../../src/dbus/bus.ts';
import { askDriver, type BusConnection } from '../../../src/dbus/connection.ts';
import { RETRY_FIRST_MS, RETRY_LAST_MS } from '../../../src/dbus/limits.ts';
import { DRIVER } from '../../../src/dbus/message.ts';
import { encodeMessage } from '../../integration/dbus/raw-sender.ts';
import { ERROR, FakeBus, type Peer, strings } from './fake-bus.ts';
import { pendingWork } from './fake-connection.ts';

const CLOSED = 'the message bus closed the connection';

let host: FakeBus;
let bus: Bus;
/** what was reported, in its order */
let told: string[];
/** what the clients were told */
let events: string[];
let now: number;

function client(name: string, more: Partial<BusClient> = {}): BusClient {
  return {
    connected: async () => void events.push(`${name} connected`),
    lost: () => events.push(`${name} lost`),
    signal: ({ member }) => events.push(`${name} signal ${member}`),
    ...more,
  };
}

/** What somebody sends to us. */
function sent(kind: 'call' | 'signal', signature = 's', body = strings('now')): Buffer {
  const parts = { kind, destination: ':1.1', path: '/', interface: 'c.d', member: 'Do', signature, body };
  return encodeMessage({ ...parts, fields: [[7, 's', ':1.9']] }, 9);
}

/** Lets the sockets say what they have to say. */
async function quiet(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) {
    await pendingWork();
  }
}

/** Waits for the clock's next attempt. @returns whether it began after so long, and not before */
async function attemptAfter(milliseconds: number): Promise<void> {
  const before = host.peers.length;
  mock.timers.tick(milliseconds - 1);
  await quiet();
  assert.equal(host.peers.length, before, `no attempt before ${milliseconds} ms`);
  mock.timers.tick(1);
  await host.peer(before);
  await bus.ready();
  assert.equal(host.peers.length, before + 1);
}

/** Ends the connection from the other side. */
async function lose(peer: Peer | undefined): Promise<void> {
  assert.ok(peer);
  peer.close();
  while (bus.connection !== undefined) {
    await pendingWork();
  }
}

beforeEach(() => {
  mock.timers.enable({ apis: ['setTimeout'] });
  now = 0;
  mock.method(performance, 'now', () => now);
  [told, events] = [[], []];
  host = new FakeBus();
  bus = new Bus(host.socket, {
    state: (connected, reason) => told.push(`${connected} ${reason}`),
    trouble: (what, cause) => told.push(`${what}: ${cause instanceof Error ? cause.message : cause}`),
  });
});
afterEach(() => {
  bus.close();
  host.remove();
  mock.timers.reset();
  mock.restoreAll();
});

describe('a bus that is not there', () => {
  it('is said once, with the reason, which is there for who asks', async () => {
    assert.match(bus.reason, /was not tried yet/);
    await bus.ready();
    await bus.ready();
    assert.equal(bus.reason, `cannot use the message bus at ${host.socket}: connect ENOENT ${host.socket}`);
    assert.deepEqual(told, [`false ${bus.reason}`]);
    assert.equal(bus.connection, undefined);
  });

  it('is tried again and again, ever more rarely up to a bound', async () => {
    await host.start();
    host.greet = peer => peer.send(Buffer.from('REJECTED\r\n'));
    bus.attach(client('a'));
    bus.start();
    await bus.ready();
    for (let delay = RETRY_FIRST_MS; delay < RETRY_LAST_MS; delay *= 2) {
      await attemptAfter(delay);
    }
    await attemptAfter(RETRY_LAST_MS);
    await attemptAfter(RETRY_LAST_MS);
    assert.equal(told.length, 1);
    assert.deepEqual(events, [], 'no client is told of what it never had');
  });

  it('is found by who needs it, without a second attempt after that', async () => {
    await bus.ready();
    await host.start();
    await bus.ready();
    assert.deepEqual(told.slice(1), ['true ']);
    assert.equal(bus.reason, '');
    assert.notEqual(bus.connection, undefined);
    mock.timers.tick(RETRY_LAST_MS);
    await bus.ready();
    await quiet();
    assert.equal(host.peers.length, 1);
  });

  it('is reached for once by all who need it at a time', async () => {
    await host.start();
    await Promise.all([bus.ready(), bus.ready(), bus.ready()]);
    assert.equal(host.peers.length, 1);
  });
});

describe('a bus that is there', () => {
  beforeEach(() => host.start());

  it('sets up its clients first, and is said to be there then', async () => {
    let finish: () => void = () => {};
    const wait = new Promise<void>(resolve => {
      finish = resolve;
    });
    const given: BusConnection[] = [];
    bus.attach(client('a', { connected: connection => wait.then(() => void given.push(connection)) }));
    bus.attach(client('b'));
    let isReady = false;
    const first = bus.ready();
    const ready = first.then(() => {
      isReady = true;
    });
    while (events.length === 0) {
      await pendingWork();
    }
    assert.deepEqual([events, isReady, told], [['b connected'], false, []]);
    assert.equal(bus.ready(), first, 'who comes meanwhile waits for the same');
    finish();
    await ready;
    assert.deepEqual([given, told], [[bus.connection], ['true ']]);
  });

  it('tells all clients of each signal, and the one that takes calls of each call', async () => {
    bus.attach(client('a'));
    bus.attach(client('b', { call: call => events.push(`b call ${call.member}`) }));
    bus.attach(client('c', { call: call => events.push(`c call ${call.member}`) }));
    await bus.ready();
    events.length = 0;
    const [peer] = host.peers;
    assert.ok(peer && bus.connection);
    peer.send(Buffer.concat([sent('signal'), sent('call')]));
    const answered = askDriver(bus.connection, 'Settle');
    peer.answer(await peer.next('Settle'));
    await answered;
    assert.deepEqual(events, ['a signal Do', 'b signal Do', 'c signal Do', 'b call Do']);
  });

  it('refuses calls if no client takes them', async () => {
    bus.attach(client('a'));
    await bus.ready();
    const [peer] = host.peers;
    assert.ok(peer);
    peer.send(sent('call'));
    const { error, replySerial, destination } = await peer.next(ERROR);
    assert.deepEqual([error, replySerial, destination], [`${DRIVER}.Error.UnknownObject`, 9, ':1.9']);
  });

  it('reports a message that is not read', async () => {
    await bus.ready();
    const [peer] = host.peers;
    assert.ok(peer);
    peer.send(sent('call', 'h', Buffer.alloc(4)));
    await peer.next(ERROR);
    assert.match(told[1] ?? '', /^a message on the bus was not read: it cannot be decoded/);
    assert.notEqual(bus.connection, undefined);
  });

  it('is there for all clients but the one that it refuses something', async () => {
    bus.attach(client('a', { connected: () => Promise.reject(new Error('no name')) }));
    bus.attach(client('b'));
    await bus.ready();
    assert.deepEqual(told, ['the message bus did not grant what was asked of it: no name', 'true ']);
    assert.deepEqual(events, ['b connected']);
  });
});

describe('a bus that goes', () => {
  beforeEach(() => host.start());

  it('is said to have gone, to its clients too, and is reached again', async () => {
    bus.attach(client('a'));
    await bus.ready();
    await lose(host.peers[0]);
    assert.deepEqual([told, events, bus.reason], [['true ', `false ${CLOSED}`], ['a connected', 'a lost'], CLOSED]);
    await attemptAfter(RETRY_FIRST_MS);
    assert.deepEqual(told.slice(2), ['true ']);
    assert.deepEqual(events.slice(2), ['a connected']);
  });

  it('is reached again soon if it was there for a while, and otherwise ever more rarely', async () => {
    await bus.ready();
    for (const delay of [RETRY_FIRST_MS, 2 * RETRY_FIRST_MS]) {
      await lose(host.peers.at(-1));
      await attemptAfter(delay);
    }
    now += RETRY_LAST_MS;
    await lose(host.peers.at(-1));
    await attemptAfter(4 * RETRY_FIRST_MS);
    now += RETRY_LAST_MS + 1;
    await lose(host.peers.at(-1));
    await attemptAfter(RETRY_FIRST_MS);
  });

  it('while its clients are being set up is not said to have been there', async () => {
    let asks = true;
    const connected = async (connection: BusConnection) => void (asks && (await askDriver(connection, 'GetId')));
    bus.attach(client('a', { connected }));
    const ready = bus.ready();
    const peer = await host.peer(0);
    await peer.next('GetId');
    peer.close();
    await ready;
    // What the client was refused is no more than that.
    assert.deepEqual([told, events], [[`false ${CLOSED}`], ['a lost']]);
    asks = false;
    await attemptAfter(RETRY_FIRST_MS);
    assert.deepEqual(told.slice(1), ['true ']);
  });
});

describe('the end of the bus', () => {
  beforeEach(() => host.start());

  it('closes the connection without a word, and makes no other', async () => {
    bus.attach(client('a'));
    await bus.ready();
    const [peer] = host.peers;
    bus.close();
    await peer?.closed;
    await quiet();
    mock.timers.tick(RETRY_LAST_MS);
    await bus.ready();
    await quiet();
    assert.deepEqual([told, events, host.peers.length, bus.connection], [['true '], ['a connected'], 1, undefined]);
  });

  it('ends the wait for the next attempt', async () => {
    host.greet = peer => peer.close();
    await bus.ready();
    bus.close();
    mock.timers.tick(RETRY_LAST_MS);
    await quiet();
    assert.deepEqual([host.peers.length, told.length], [1, 1]);
  });

  it('ends an attempt that is under way, of which no client is told, whether it would have failed or not', async () => {
    for (const greeting of ['OK 0123\r\n', 'REJECTED\r\n']) {
      bus = new Bus(host.socket, { state: () => assert.fail(), trouble: () => assert.fail() });
      bus.attach(client('a'));
      let greeted: () => void = () => {};
      const isGreeted = new Promise<void>(resolve => {
        greeted = resolve;
      });
      const count = host.peers.length;
      host.greet = () => greeted();
      const ready = bus.ready();
      await isGreeted;
      bus.close();
      host.greet = (each, line) => each.send(Buffer.from(line.includes('AUTH') ? greeting : 'ERROR\r\n'));
      host.peers[count]?.send(Buffer.from(greeting));
      await ready;
      await host.peers[count]?.closed;
      mock.timers.tick(RETRY_LAST_MS);
      await quiet();
      assert.deepEqual([events, bus.connection, host.peers.length], [[], undefined, count + 1]);
    }
  });
});
