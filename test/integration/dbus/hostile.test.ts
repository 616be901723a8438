/** What anybody may send to us over the bus costs the sender alone. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { Bus } from '../../../src/dbus/bus.ts';
import { BusApi } from '../../../src/dbus/bus-api.ts';
import { askDriver, openConnection } from '../../../src/dbus/connection.ts';
import { MESSAGE_BYTES_MAX, VALUES_MAX } from '../../../src/dbus/limits.ts';
import { TableAllocator } from '../../support/table-allocator.ts';
import { until } from '../../support/until.ts';
import { PrivateBus } from './private-bus.ts';
import { RawSender } from './raw-sender.ts';

const NAME = 'io.dynuser.Allocator1';
const PATH = '/io/dynuser/Allocator1';
const TARGET = { destination: NAME, path: PATH, interface: NAME };

describe('a hostile peer on the bus', () => {
  const host = new PrivateBus();
  const trouble: string[] = [];
  const states: string[] = [];
  const port = new TableAllocator();
  const onTrouble = (what: string, cause: unknown) => trouble.push(`${what}: ${String(cause)}`);
  let bus: Bus;
  let api: BusApi;
  let peer: RawSender;
  before(async () => {
    // The bus listens already: to find it before it does would be told as trouble.
    await host.start();
    bus = new Bus(host.socket, { state: (_, reason) => states.push(reason), trouble: onTrouble });
    api = new BusApi(bus, port, onTrouble);
    await bus.ready();
    peer = await RawSender.connect(host.socket);
  });
  beforeEach(() => {
    trouble.length = 0;
  });
  after(async () => {
    peer.close();
    api.close();
    bus.close();
    await host.remove();
    assert.deepEqual(states, [''], 'the connection was lost');
  });

  /** What was sent before has been taken by the time that this is answered. */
  const served = async (answer = 'a(us) 0'): Promise<void> => {
    peer.send({ kind: 'call', ...TARGET, member: 'GetDynamicUsers', signature: '', body: Buffer.alloc(0) });
    assert.equal((await host.busctl('call', NAME, PATH, NAME, 'GetDynamicUsers')).stdout, answer);
  };

  it('sends a descriptor that it does not send', async () => {
    // libdbus passes it on: it checks the number of descriptors, and not what the body makes of them.
    peer.send({ kind: 'call', ...TARGET, member: 'Acquire', signature: 'h', body: Buffer.alloc(4) });
    await until('the message was dropped', () => trouble.length === 1);
    assert.match(trouble[0] ?? '', /a message on the bus was not read: .*it cannot be decoded/);
    await served();
  });

  it('sends more than anybody has to say', async () => {
    const body = Buffer.alloc(4 + 8 * 1024 * 1024);
    body.writeUInt32LE(body.length - 4);
    for (const kind of ['call', 'signal'] as const) {
      peer.send({ kind, ...TARGET, member: 'Acquire', signature: 'ab', body });
    }
    await until('the messages were dropped', () => trouble.length === 2);
    assert.match(trouble[0] ?? '', new RegExp(`bytes, more than ${MESSAGE_BYTES_MAX}$`));
    await served();
  });

  it('sends as much as is allowed, in the smallest pieces', async () => {
    // Structs of one byte each, all but the last padded to 8.
    const body = Buffer.alloc(MESSAGE_BYTES_MAX - 1024 + 1);
    body.writeUInt32LE(body.length - 8);
    peer.send({ kind: 'call', ...TARGET, member: 'Acquire', signature: 'a(y)', body });
    await served();
    // They are counted, and never decoded.
    assert.equal(trouble.length, 1);
    assert.match(trouble[0] ?? '', new RegExp(`it holds more than ${VALUES_MAX} values`));
  });

  it('is told of a call that holds too much', async () => {
    const options = Array.from({ length: VALUES_MAX }, (_, index) => [`o${index}`, 'b', 'true']).flat();
    const argv = ['Acquire', 'sa{sv}', 'x.service', String(VALUES_MAX), ...options];
    const { stderr } = await host.busctl('call', NAME, PATH, NAME, ...argv);
    assert.match(stderr, /the message was not read: it holds more than 1024 values/);
  });

  it('calls a hundred times without waiting', async () => {
    for (let count = 0; count < 100; count++) {
      peer.send({ kind: 'call', ...TARGET, member: 'GetDynamicUsers', signature: '', body: Buffer.alloc(0) });
      peer.send({ kind: 'call', ...TARGET, member: 'Nothing', signature: '', body: Buffer.alloc(0) });
    }
    await served();
    assert.deepEqual(trouble, []);
  });

  it("says in the bus's name that somebody has left", async () => {
    const quiet = { signal: () => {}, call: () => {}, lost: () => {}, dropped: () => {} };
    const holder = await openConnection(host.socket, quiet);
    await askDriver(holder, 'RequestName', 'su', 'test.Holder', 0);
    const [name] = await askDriver(holder, 'GetNameOwner', 's', 'test.Holder');
    const [destination] = await askDriver(holder, 'GetNameOwner', 's', NAME);
    const question = {
      path: PATH,
      interface: NAME,
      member: 'Acquire',
      signature: 'sa{sv}',
      body: ['kept.service', {}],
    };
    await holder.call({ destination: String(destination), ...question });
    const body = strings(String(name), String(name), '');
    const driver = { destination: NAME, path: '/org/freedesktop/DBus', interface: 'org.freedesktop.DBus' };
    peer.send({ kind: 'signal', ...driver, member: 'NameOwnerChanged', signature: 'sss', body });
    await served('a(us) 1 61184 "kept"');
    holder.close();
    await until('the user has ended', () => port.table.size === 0);
  });
});

/** Strings as they are in a body, each but the first aligned to 4. */
function strings(...values: readonly string[]): Buffer {
  return values.reduce((body, value) => {
    const bytes = Buffer.from(`${value}\0`);
    const size = Buffer.alloc(4);
    size.writeUInt32LE(bytes.length - 1);
    return Buffer.concat([body, Buffer.alloc((4 - (body.length % 4)) % 4), size, bytes]);
  }, Buffer.alloc(0));
}
