/** Who waits for whom: counts of what was answered before, and of turns of the event loop; never times. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AcceptSocket } from '../../../src/host/libc/accept.ts';
import { Turns } from '../../../src/varlink/turns.ts';
import { until } from '../../support/until.ts';
import { RawPeer } from './raw-peer.ts';
import { startService, type TestService } from './service.ts';

const PING = 'org.example.ping.Ping';
const ROOT = { key: 0, privileged: true };
const CONNECTIONS = 40;
const REQUESTS = 400;

function ping(text: string): string {
  return `{"method":"${PING}","parameters":{"text":"${text}"}}\0`;
}

/** Many connections of one peer that are there and have sent nothing. */
async function connectMany(service: TestService, count: number): Promise<RawPeer[]> {
  const peers = await Promise.all(Array.from({ length: count }, () => RawPeer.connect(service.path)));
  await until('all are accepted', () => service.server.connections === count);
  return peers;
}

function flood(peers: readonly RawPeer[]): void {
  for (const peer of peers) {
    peer.send(ping('flood').repeat(REQUESTS));
  }
}

test('a new connection of root is answered before a flood over many connections is', async t => {
  const service = await startService(t, {}, { acceptCalls: new AcceptSocket() });
  const flooders = await connectMany(service, CONNECTIONS);
  flood(flooders);
  service.identity = ROOT;
  const root = await RawPeer.connect(service.path);
  assert.match(await root.call(PING, '{"text":"root"}'), /root/);
  const before = service.pinged.indexOf('root');
  assert.ok(before < (CONNECTIONS * REQUESTS) / 10, `${before} of ${CONNECTIONS * REQUESTS} were answered first`);
  for (const peer of flooders) {
    for (let count = 0; count < REQUESTS; count++) {
      await peer.frame();
    }
  }
  assert.deepEqual(service.failures, []);
  for (const peer of [root, ...flooders]) {
    peer.close();
  }
});

test('peers share by whom they are of, not by their connections', async t => {
  const piecesMax = 16;
  const service = await startService(t, {}, { turns: new Turns({ piecesMax, msMax: 1_000 }) });
  const flooders = await connectMany(service, CONNECTIONS);
  service.identity = { key: 2000, privileged: false };
  const other = await RawPeer.connect(service.path);
  assert.match(await other.call(PING, '{"text":"other"}'), /other/);
  service.pinged.length = 0;
  flood(flooders);
  const own = 100;
  other.send(ping('other').repeat(own));
  for (let count = 0; count < own; count++) {
    await other.frame();
  }
  const before = service.pinged.slice(0, service.pinged.lastIndexOf('other')).filter(text => text === 'flood').length;
  // Turn by turn, and what was answered before the first request of the other was read.
  assert.ok(before <= own + 10 * piecesMax, `${before} of the flood were answered beside ${own} of the other`);
  for (const peer of [other, ...flooders]) {
    peer.close();
  }
});

test('all connections that wait are accepted in a few turns of the event loop', async t => {
  const service = await startService(t, {}, { acceptCalls: new AcceptSocket() });
  const count = 300;
  const connecting = Promise.all(Array.from({ length: count }, () => RawPeer.connect(service.path)));
  let turns = 0;
  while (service.server.accepted < count) {
    await new Promise(resolve => setImmediate(resolve));
    turns++;
  }
  // connect(2) of a UNIX socket does not wait: all were there in the first.
  assert.ok(turns < count / 10, `${turns} turns for ${count} connections`);
  await until('each has its place', () => service.server.connections === count);
  for (const peer of await connecting) {
    peer.close();
  }
});

test('who connects and leaves without a word costs no place, and is not taken for a fault', async t => {
  const service = await startService(t, {}, { acceptCalls: new AcceptSocket() });
  for (let round = 0; round < 50; round++) {
    const peers = await Promise.all(Array.from({ length: 20 }, () => RawPeer.connect(service.path)));
    for (const peer of peers) {
      peer.close();
    }
  }
  await until('all were accepted', () => service.server.accepted === 1_000);
  await until('none is left', () => service.server.connections === 0);
  assert.deepEqual(service.failures, []);
});

/** Turns in which one connection is admitted at once, and the others once the test says so. */
function heldTurns(): { turns: Turns; letGo: () => void } {
  const held: (() => void)[] = [];
  let isHeld = true;
  const turns = new Turns({ piecesMax: 1, later: what => (isHeld ? held.push(what) : setImmediate(what)) });
  return {
    turns,
    letGo: () => {
      isHeld = false;
      for (const what of held) {
        what();
      }
    },
  };
}

test('new connections that wait for their turn have a bound for each peer, and root is before them', async t => {
  const limits = { maxNewConnections: 30, maxNewConnectionsPerPeer: 20 };
  const { turns, letGo } = heldTurns();
  const service = await startService(t, limits, { turns, acceptCalls: new AcceptSocket() });
  const connect = async (count: number): Promise<RawPeer[]> => {
    const before = service.server.accepted;
    const peers = await Promise.all(Array.from({ length: count }, () => RawPeer.connect(service.path)));
    await until('all are accepted', () => service.server.accepted === before + count);
    return peers;
  };
  const peers = await connect(60);
  service.identity = { key: 2000, privileged: false };
  const others = await connect(60);
  assert.deepEqual(
    ['new connections of one peer', 'new connections'].map(
      many => service.failures.filter(({ what }) => what === `refused: too many ${many}`).length,
    ),
    [60 - 1 - 20, 60 - 10],
  );
  service.identity = ROOT;
  const root = await RawPeer.connect(service.path);
  assert.match(await root.call(PING, '{"text":"root"}'), /root/);
  letGo();
  const open = () => [...peers, ...others].filter(peer => !peer.isClosed).length;
  await until('the others stay', () => open() === 1 + 20 + 10 && service.server.connections === open() + 1);
  for (const peer of [root, ...peers, ...others]) {
    peer.close();
  }
});

test('close() ends those that wait for their turn', async t => {
  const service = await startService(t, {}, { turns: heldTurns().turns, acceptCalls: new AcceptSocket() });
  const peers = await Promise.all(Array.from({ length: 50 }, () => RawPeer.connect(service.path)));
  await until('all were accepted', () => service.server.accepted === 50);
  assert.equal(service.server.connections, 50);
  await service.server.close(0);
  for (const peer of peers) {
    assert.equal(await peer.rest(), '');
  }
  assert.equal(service.server.connections, 0);
});
