/** A bus that does not exist, comes, goes, or is something else: no call waits for long, and everything comes back by itself. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { after, before, describe, it } from 'node:test';
import { Bus } from '../../../src/dbus/bus.ts';
import { BusApi } from '../../../src/dbus/bus-api.ts';
import { askDriver, openConnection } from '../../../src/dbus/connection.ts';
import { OPEN_TIMEOUT_MS, OUTPUT_BYTES_MAX } from '../../../src/dbus/limits.ts';
import { UnitWatch } from '../../../src/dbus/unit-watch.ts';
import { TableAllocator } from '../../support/table-allocator.ts';
import { until } from '../../support/until.ts';
import { PrivateBus } from './private-bus.ts';

const NAME = 'io.dynuser.Allocator1';
const PATH = '/io/dynuser/Allocator1';
const QUIET = { signal: () => {}, call: () => {}, lost: () => {}, dropped: () => {} };
/** What a test allows beyond the bound that it is about. */
const SLACK_MS = 4_000;

describe('a bus that comes and goes', () => {
  const host = new PrivateBus();
  const port = new TableAllocator();
  const states: (readonly [connected: boolean, reason: string])[] = [];
  const trouble: string[] = [];
  const onTrouble = (what: string, cause: unknown) => trouble.push(`${what}: ${String(cause)}`);
  const bus = new Bus(host.socket, { state: (...state) => states.push(state), trouble: onTrouble });
  const units = new UnitWatch(bus, onTrouble);
  const api = new BusApi(bus, port, onTrouble);
  after(async () => {
    api.close();
    bus.close();
    await host.remove();
    assert.deepEqual(trouble, []);
  });
  const lookUp = () => host.busctl('call', NAME, PATH, NAME, 'GetDynamicUsers');

  it('is not there: that is said once, and costs nothing', async () => {
    bus.start();
    await bus.ready();
    await bus.ready();
    assert.deepEqual(states, [[false, `cannot use the message bus at ${host.socket}: connect ENOENT ${host.socket}`]]);
    assert.equal(bus.reason, states[0]?.[1]);
    assert.deepEqual(await units.check('a.service'), { kind: 'unavailable', reason: bus.reason });
  });

  it('comes: it is found without being asked for', async () => {
    await host.start();
    await until('the bus was found', () => states.length === 2);
    assert.deepEqual([states[1], bus.reason], [[true, ''], '']);
    assert.equal((await lookUp()).stdout, 'a(us) 0');
  });

  it('has no systemd on it: requests that need one are told so', async () => {
    const check = await units.check('a.service');
    assert.ok(check.kind === 'unavailable');
    assert.match(check.reason, /systemd is not on the message bus/);
  });

  it('is restarted: the name is ours again, and who called by the old one is gone', async () => {
    const holder = await openConnection(host.socket, QUIET);
    const [owner] = await askDriver(holder, 'GetNameOwner', 's', NAME);
    const question = {
      path: PATH,
      interface: NAME,
      member: 'Acquire',
      signature: 'sa{sv}',
      body: ['held.service', {}],
    };
    await holder.call({ destination: String(owner), ...question });
    await host.stop();
    await until('the end of the bus was seen', () => bus.connection === undefined);
    assert.equal(port.table.size, 1, 'a bus may be away for a moment');
    await host.start();
    await bus.ready();
    assert.equal(port.table.size, 0);
    assert.equal((await lookUp()).stdout, 'a(us) 0');
  });

  it('goes while a call is under way: what nobody was told of is taken back', async () => {
    let open: () => void = () => {};
    const opened = new Promise<void>(resolve => {
      open = resolve;
    });
    port.gate = () => opened;
    const call = host.background(
      'call',
      NAME,
      PATH,
      NAME,
      'Acquire',
      'sa{sv}',
      'a.service',
      '1',
      'lifetime',
      's',
      'explicit',
    );
    const before = port.seen.length;
    await until('the call is under way', () => port.seen.length > before);
    await host.stop();
    await until('the end of the bus was seen', () => bus.connection === undefined);
    const events: string[] = [];
    const stop = port.onChange(({ kind }) => events.push(kind));
    open();
    await until('the user came and went', () => events.length === 2);
    assert.deepEqual(events, ['allocated', 'released']);
    stop();
    call.kill();
    await host.start();
    await bus.ready();
  });

  it('is not reached any more once closed', async () => {
    api.close();
    bus.close();
    await until('the name is free', async () => (await lookUp()).status !== 0);
    await bus.ready();
    assert.equal(bus.connection, undefined);
  });
});

describe('a client that does not get from the bus what it needs', () => {
  it('is reported, and the bus is there for all others', async () => {
    const host = new PrivateBus();
    await host.start();
    const states: boolean[] = [];
    const trouble: string[] = [];
    const bus = new Bus(host.socket, {
      state: connected => states.push(connected),
      trouble: (what, cause) => trouble.push(`${what}: ${String(cause)}`),
    });
    bus.attach({ connected: () => Promise.reject(new Error('no name')), lost: () => {}, signal: () => {} });
    try {
      bus.start();
      await bus.ready();
      assert.deepEqual(trouble, ['the message bus did not grant what was asked of it: Error: no name']);
      assert.deepEqual(states, [true]);
      assert.notEqual(bus.connection, undefined);
    } finally {
      bus.close();
      await host.remove();
    }
  });
});

describe('what is not a bus', () => {
  const directory = mkdtempSync(`${tmpdir()}/dynuser-no-bus-`);
  after(() => rmSync(directory, { recursive: true }));

  /** Serves on a socket in its own way, and opens a connection to it. @returns the error, and how long it took */
  async function open(name: string, serve: (socket: Socket) => void): Promise<readonly [string, number]> {
    const path = `${directory}/${name}`;
    const peers: Socket[] = [];
    const server = createServer(socket => {
      peers.push(socket);
      socket.on('error', () => {});
      serve(socket);
    }).listen(path);
    await once(server, 'listening');
    const before = performance.now();
    try {
      await openConnection(path, QUIET);
      throw new Error('there is a connection');
    } catch (error) {
      return [String(error), performance.now() - before];
    } finally {
      for (const peer of peers) {
        peer.destroy();
      }
      server.close();
    }
  }

  it('says nothing', async () => {
    const [error, took] = await open('silent', () => {});
    assert.match(error, /no answer within 5 s/);
    assert.ok(took < OPEN_TIMEOUT_MS + SLACK_MS);
  });

  it('closes at once', async () => {
    const [error, took] = await open('closing', socket => socket.resume().end());
    assert.match(error, /closed the connection|EPIPE|ECONNRESET/);
    assert.ok(took < SLACK_MS);
  });

  it('refuses', async () => {
    const [error] = await open('refusing', socket => socket.once('data', () => socket.write('REJECTED KERBEROS\r\n')));
    assert.match(error, /authentication failed: REJECTED KERBEROS/);
  });

  it('talks without end', async () => {
    const [error, took] = await open('talking', socket => {
      const timer = setInterval(() => socket.write('x'.repeat(1_000)), 10);
      socket.once('close', () => clearInterval(timer));
    });
    assert.match(error, /no answer within 5 s/);
    assert.ok(took < OPEN_TIMEOUT_MS + SLACK_MS);
  });

  it('lets in, and says nothing that is D-Bus', async () => {
    const [error, took] = await open('lying', socket =>
      socket.once('data', () => {
        socket.write('OK 0123\r\n');
        socket.on('data', () => socket.write(Buffer.alloc(64, 0xff)));
      }),
    );
    assert.match(error, /no answer within 5 s/);
    assert.ok(took < OPEN_TIMEOUT_MS + SLACK_MS);
  });

  it('takes nothing: what waits for it is bounded', async () => {
    const path = `${directory}/full`;
    const server = createServer(socket => {
      socket.on('error', () => {});
      socket.once('data', () => {
        socket.write('OK 0123\r\n');
        socket.once('data', () => {
          socket.write(HELLO_ANSWER);
          socket.pause();
        });
      });
    }).listen(path);
    await once(server, 'listening');
    const lost: string[] = [];
    const connection = await openConnection(path, { ...QUIET, lost: reason => lost.push(reason) });
    const signal = {
      path: '/',
      interface: 'test.Peer',
      member: 'Told',
      signature: 's',
      body: ['x'.repeat(1024 * 1024)],
    };
    const most = OUTPUT_BYTES_MAX / (1024 * 1024);
    for (let count = 0; count < 2 * most; count++) {
      connection.emit([signal]);
    }
    assert.deepEqual(lost, ['the message bus does not take what it is sent']);
    await assert.rejects(askDriver(connection, 'GetId'), /the connection to the message bus is gone/);
    server.close();
  });
});

/** A method return to serial 1 with the string ":1.1" (D-Bus specification, "Message Format"). */
const HELLO_ANSWER = Buffer.from(
  '6c020101 09000000 01000000 0f000000 05017500 01000000 08016700 01730000 04000000 3a312e31 00'.replaceAll(' ', ''),
  'hex',
);

describe('a peer that is asked', () => {
  const host = new PrivateBus();
  before(() => host.start());
  after(() => host.remove());

  it('and does not answer is given up, and so is one that leaves', async () => {
    const us = await openConnection(host.socket, QUIET);
    const peer = await openConnection(host.socket, QUIET);
    await askDriver(peer, 'RequestName', 'su', 'test.Peer', 0);
    const [owner] = await askDriver(us, 'GetNameOwner', 's', 'test.Peer');
    const ask = () => us.call({ destination: String(owner), path: '/', interface: 'test.Peer', member: 'Ask' });
    await assert.rejects(ask(), /Ask: no answer within 5 s/);
    const left = ask();
    peer.close();
    await assert.rejects(left, /NoReply/);
    us.close();
    await assert.rejects(ask(), /the connection to the message bus is gone/);
  });

  it('in whose place another answers, does not', async () => {
    const calls: string[] = [];
    const us = await openConnection(host.socket, QUIET);
    const peer = await openConnection(host.socket, { ...QUIET, call: ({ sender }) => calls.push(sender) });
    await askDriver(peer, 'RequestName', 'su', 'test.Silent', 0);
    const [owner] = await askDriver(us, 'GetNameOwner', 's', 'test.Silent');
    // By a well-known name the answer has another sender than was asked, as that of an impostor would.
    const liar = await openConnection(host.socket, { ...QUIET, call: call => call.reply('s', ['yes']) });
    await askDriver(liar, 'RequestName', 'su', 'test.Liar', 0);
    const ask = (destination: string) => us.call({ destination, path: '/', interface: 'test.Peer', member: 'Ask' });
    await assert.rejects(ask('test.Liar'), /the answer came from somebody else/);
    const asked = ask(String(owner));
    await until('the peer was asked', () => calls.length === 1);
    peer.close();
    await assert.rejects(asked, /NoReply/);
    us.close();
    liar.close();
  });
});
