/** The two sockets of the daemon: whose connections have which places, and what happens to both at a time. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { Peer } from '../../../src/api/peer.ts';
import { limitsFor, Sockets, socketDescriptors } from '../../../src/api/sockets.ts';
import type { Standing } from '../../../src/core/access.ts';
import { connect, type VarlinkClient } from '../../../src/varlink/client.ts';
import { DEFAULT_SERVER_LIMITS } from '../../../src/varlink/limits.ts';
import { worldOf } from './world.ts';

it('where there are few connections half of them are kept for root, and as many may be new', () => {
  const { reservedConnections: kept, maxNewConnections: fresh } = DEFAULT_SERVER_LIMITS;
  const most = Math.max(2 * kept, fresh) * 2;
  assert.deepEqual(limitsFor(most), { maxConnections: most, reservedConnections: kept, maxNewConnections: fresh });
  assert.deepEqual(limitsFor(5), { maxConnections: 5, reservedConnections: 2, maxNewConnections: 3 });
  assert.equal(limitsFor(2 * kept).reservedConnections, kept);
  assert.equal(limitsFor(2 * kept - 1).reservedConnections, kept - 1);
  assert.equal(socketDescriptors(5), 16, 'connections and those that are new, on each of the two');
});

describe('the sockets', () => {
  let directory: string;
  let sockets: Sockets;
  let peer: Partial<Peer>;
  let clients: VarlinkClient[];
  const path = (name: string) => join(directory, name);
  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'dynuser-sockets-'));
    clients = [];
    peer = {};
    const { peerOf } = worldOf();
    sockets = new Sockets({
      info: { vendor: 'dynuser', product: 'dynuserd', version: '1', url: 'https://example.org' },
      ...{ interfaces: [], identify: () => peerOf(peer), onFailure: () => {} },
      limits: { maxConnections: 4, reservedConnections: 2, maxNewConnections: 4, maxConnectionsPerPeer: 2 },
    });
    await sockets.listen({
      everybody: { path: path('everybody'), mode: 0o666 },
      allocator: { path: path('allocator'), mode: 0o600 },
    });
  });
  afterEach(async () => {
    for (const client of clients) {
      client.close();
    }
    await sockets.close(0);
    rmSync(directory, { recursive: true });
  });
  /** @returns whether a connection of the peer is served */
  const isServed = async (name: string): Promise<boolean> => {
    const client = await connect(path(name));
    clients.push(client);
    return client.call('org.varlink.service.GetInfo').then(
      () => true,
      () => false,
    );
  };
  const as = (uid: number, standing: Standing = { kind: 'host', mayChown: true }): void => {
    peer = { uid: uid as Peer['uid'], standing: () => standing };
  };

  it('are both there, each with its mode', () => {
    assert.deepEqual(
      ['everybody', 'allocator'].map(name => statSync(path(name)).mode & 0o777),
      [0o666, 0o600],
    );
  });

  it('count their connections together, and have the places of each for itself', async () => {
    as(1000);
    assert.deepEqual(
      [await isServed('everybody'), await isServed('everybody'), await isServed('everybody')],
      [true, true, false],
    );
    assert.deepEqual([await isServed('allocator'), sockets.connections], [true, 3]);
    assert.ok(sockets.accepted >= 3);
  });

  it('keep places for root of this host, and for nobody who only has its number', async () => {
    for (const uid of [1000, 1001]) {
      as(uid);
      assert.equal(await isServed('everybody'), true);
    }
    for (const standing of [{ kind: 'foreign', reason: 'is elsewhere' }, undefined] as const) {
      as(0, standing);
      peer = standing === undefined ? { standing: () => assert.fail('no descriptors') } : peer;
      assert.equal(await isServed('everybody'), false);
    }
    as(1002);
    assert.equal(await isServed('everybody'), false);
    as(0);
    assert.equal(await isServed('everybody'), true);
  });

  it('take other bounds while they are open, both', async () => {
    sockets.adjust({ maxConnectionsPerPeer: 1 });
    as(1000);
    for (const name of ['everybody', 'allocator']) {
      assert.deepEqual([await isServed(name), await isServed(name)], [true, false], name);
    }
  });

  it('are closed together', async () => {
    await sockets.close(0);
    for (const name of ['everybody', 'allocator']) {
      await assert.rejects(connect(path(name)), /ENOENT|ECONNREFUSED/);
    }
  });
});
