/** io.dynuser.Allocator1 on a real bus, as busctl sees it. */
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { Variant } from '@jellybrick/dbus-next';
import { Bus } from '../../../src/dbus/bus.ts';
import { BusApi } from '../../../src/dbus/bus-api.ts';
import { askDriver, type BusConnection, openConnection } from '../../../src/dbus/connection.ts';
import { CALLS_PER_CALLER_MAX } from '../../../src/dbus/limits.ts';
import type { Question } from '../../../src/dbus/message.ts';
import { TableAllocator } from '../../support/table-allocator.ts';
import { until } from '../../support/until.ts';
import { PrivateBus } from './private-bus.ts';

const NAME = 'io.dynuser.Allocator1';
const PATH = '/io/dynuser/Allocator1';
/** A client that hears nothing but answers. */
const QUIET = { signal: () => {}, call: () => {}, lost: () => {}, dropped: () => {} };

/** Lets no acquire() end. @returns lets them all */
function shut(port: TableAllocator): () => void {
  let open: () => void = () => {};
  const opened = new Promise<void>(resolve => {
    open = resolve;
  });
  port.gate = () => opened;
  return () => open();
}

describe('the allocator on the bus', () => {
  const host = new PrivateBus();
  let port: TableAllocator;
  let bus: Bus;
  let api: BusApi;
  let trouble: string[];
  let client: BusConnection;
  let destination: string;
  before(() => host.start());
  after(() => host.remove());
  beforeEach(async () => {
    trouble = [];
    const onTrouble = (what: string, cause: unknown) => trouble.push(`${what}: ${String(cause)}`);
    port = new TableAllocator();
    bus = new Bus(host.socket, { state: () => {}, trouble: onTrouble });
    api = new BusApi(bus, port, onTrouble);
    await bus.ready();
    client = await openConnection(host.socket, QUIET);
    destination = String((await askDriver(client, 'GetNameOwner', 's', NAME))[0]);
  });
  afterEach(() => {
    client.close();
    api.close();
    bus.close();
    assert.deepEqual(trouble, []);
  });

  const call = (method: string, ...argv: readonly string[]) => host.busctl('call', NAME, PATH, NAME, method, ...argv);
  /** @returns the error that a call is answered with, or nothing */
  const asked = async (
    from: BusConnection,
    question: Pick<Question, 'member' | 'signature' | 'body'>,
  ): Promise<string> => {
    try {
      await from.call({ destination, path: PATH, interface: NAME, ...question });
      return '';
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  };
  const explicit = ['1', 'lifetime', 's', 'explicit'];

  it('is described as it is', async () => {
    const { stdout } = await host.busctl('introspect', NAME, PATH, NAME);
    const rows = stdout.split('\n').map(line => line.split(/ +/).slice(0, 4).join(' '));
    assert.deepEqual(rows, [
      'NAME TYPE SIGNATURE RESULT/VALUE',
      '.Acquire method sa{sv} uusbs',
      '.GetDynamicUsers method - a(us)',
      '.LookupDynamicUserByName method s u',
      '.LookupDynamicUserByUID method u s',
      '.Release method s -',
      '.UserAllocated signal us -',
      '.UserReleased signal us -',
    ]);
    assert.match((await host.busctl('tree', '--list', NAME)).stdout, /^\/io\/dynuser\/Allocator1$/m);
    assert.equal((await host.busctl('call', NAME, PATH, 'org.freedesktop.DBus.Peer', 'Ping')).status, 0);
  });

  it('acquires, looks up both ways, lists and releases', async () => {
    const { stdout } = await call('Acquire', 'sa{sv}', 'foo.service', ...explicit);
    const lease = '0000000000000000000000000000ef00';
    assert.equal(stdout, `uusbs 61184 61184 "foo" true "${lease}"`);
    assert.equal((await call('LookupDynamicUserByName', 's', 'foo')).stdout, 'u 61184');
    assert.equal((await call('LookupDynamicUserByUID', 'u', '61184')).stdout, 's "foo"');
    assert.equal((await call('GetDynamicUsers')).stdout, 'a(us) 1 61184 "foo"');
    assert.deepEqual(await call('Release', 's', lease), { status: 0, stdout: '', stderr: '' });
    assert.equal((await call('GetDynamicUsers')).stdout, 'a(us) 0');
  });

  it('gives the port the options as they are, and who asks as the bus says', async () => {
    const options = ['3', 'userName', 's', 'bar', 'perInstance', 'b', 'true', 'stateDirectory', 'as', '2', 'a', 'b:c'];
    await call('Acquire', 'sa{sv}', 'foo.service', ...options);
    const [seen] = port.seen;
    assert.deepEqual(seen?.parameters, {
      unit: 'foo.service',
      userName: 'bar',
      perInstance: true,
      stateDirectory: ['a', 'b:c'],
    });
    const { uid, gid, pid, groups } = seen?.caller ?? {};
    assert.deepEqual({ uid, gid, groups }, { uid: 0, gid: 0, groups: process.getgroups?.().sort((a, b) => a - b) });
    assert.ok(pid !== undefined && Number(pid) > 1 && Number(pid) !== process.pid);
  });

  it('ends what a connection holds when the caller has left the bus', async () => {
    assert.match((await call('Acquire', 'sa{sv}', 'foo.service', '0')).stdout, /^uusbs 61184 /);
    await until('the user ended', () => port.table.size === 0);
  });

  it('signals each user that comes and goes', async () => {
    const rules = [`type='signal',interface='${NAME}'`, "member='Ping'"].flatMap(rule => ['--match', rule]);
    const monitor = host.background('monitor', '--json=short', ...rules);
    // It does not say when it has become a monitor.
    await until('busctl monitors', async () => {
      await host.busctl('call', NAME, PATH, 'org.freedesktop.DBus.Peer', 'Ping');
      return monitor.text() !== '';
    });
    await call('Acquire', 'sa{sv}', 'foo.service', '0');
    await until('both signals came', () => /UserReleased.*\n/.test(monitor.text()));
    monitor.kill();
    const lines = monitor
      .text()
      .split('\n')
      .filter(line => line.includes('"signal"'));
    const seen = lines.map(line => JSON.parse(line)).map(({ path, member, payload }) => ({ path, member, payload }));
    const payload = { type: 'us', data: [61184, 'foo'] };
    assert.deepEqual(seen, [
      { path: PATH, member: 'UserAllocated', payload },
      { path: PATH, member: 'UserReleased', payload },
    ]);
  });

  it('says by name what is wrong', async () => {
    const error = (member: string, signature = '', ...body: readonly unknown[]): Promise<string> =>
      asked(client, { member, signature, body });
    const option = (name: string, value: Variant) => error('Acquire', 'sa{sv}', 'foo.service', { [name]: value });
    const invalid = /^org\.freedesktop\.DBus\.Error\.InvalidArgs: /;
    const noUser = /^io\.dynuser\.Allocator1\.NoSuchDynamicUser: /;
    assert.match(await error('LookupDynamicUserByName', 's', 'nobody-of-that-name'), noUser);
    assert.match(await error('LookupDynamicUserByName', 's', '4242'), invalid);
    assert.match(await error('LookupDynamicUserByName', 's', 'a:b'), invalid);
    assert.match(await error('LookupDynamicUserByUID', 'u', 61185), noUser);
    assert.match(await error('LookupDynamicUserByUID', 'u', 0), noUser);
    assert.match(await error('LookupDynamicUserByUID', 'u', 65535), invalid);
    assert.match(await error('LookupDynamicUserByUID', 'u', 4294967295), invalid);
    assert.match(await error('LookupDynamicUserByUID', 's', 'foo'), /InvalidArgs: .*"u", not "s"/);
    assert.match(
      await error('Release', 's', 'x'),
      /^io\.dynuser\.Allocator1\.NoSuchLease: no live lease has the id x$/,
    );
    assert.match(
      await option('usrName', new Variant('s', 'a')),
      /InvalidArgs: unknown option "usrName"; there are userName,/,
    );
    assert.match(await option('userName', new Variant('u', 1)), /InvalidArgs: the option userName must be of type s$/);
    assert.match(await error('Nothing'), /^org\.freedesktop\.DBus\.Error\.UnknownMethod: .*there are Acquire,/);
    const busctl = await call('LookupDynamicUserByName', 's', 'nobody-of-that-name');
    assert.deepEqual(busctl, {
      status: 1,
      stdout: '',
      stderr: 'Call failed: there is no dynamic user "nobody-of-that-name"',
    });
  });

  it('answers for the one object, and for its own interface', async () => {
    const { call: ask } = client;
    const at = (path: string, name: string) => ask({ destination, path, interface: name, member: 'GetAll' });
    await assert.rejects(at('/elsewhere', NAME), /Error\.UnknownObject: there is no object \/elsewhere/);
    await assert.rejects(at(PATH, 'org.freedesktop.DBus.Properties'), /Error\.UnknownInterface: /);
  });

  it('keeps its own faults to the log', async () => {
    port.gate = () => Promise.reject(new TypeError('a secret'));
    assert.equal(
      await asked(client, { member: 'Acquire', signature: 'sa{sv}', body: ['foo.service', {}] }),
      'org.freedesktop.DBus.Error.Failed: the daemon failed; its log says why',
    );
    assert.deepEqual(trouble.splice(0), ['the call Acquire on the bus failed: TypeError: a secret']);
  });

  it('refuses more calls than one caller may have under way, and none of the others', async () => {
    const open = shut(port);
    const acquire = (unit: string) => asked(client, { member: 'Acquire', signature: 'sa{sv}', body: [unit, {}] });
    const flood = Array.from({ length: CALLS_PER_CALLER_MAX + 3 }, (_, index) => acquire(`flood${index}.service`));
    await until('they are under way', () => port.seen.length === CALLS_PER_CALLER_MAX);
    assert.equal((await call('GetDynamicUsers')).stdout, 'a(us) 0');
    const other = call('Acquire', 'sa{sv}', 'other.service', ...explicit);
    await until('the other is served', () => port.seen.length === CALLS_PER_CALLER_MAX + 1);
    open();
    assert.match((await other).stdout, /^uusbs /);
    const results = await Promise.all(flood);
    const refused = results.filter(result => result.startsWith(`${NAME}.LimitReached: `));
    assert.deepEqual([results.length - refused.length, refused.length], [CALLS_PER_CALLER_MAX, 3]);
    assert.equal(await acquire('after.service'), '');
  });

  it('acquires nothing for a caller that went, or wants no answer', async () => {
    const open = shut(port);
    const leaver = await openConnection(host.socket, QUIET);
    const lost = asked(leaver, { member: 'Acquire', signature: 'sa{sv}', body: ['gone.service', {}] });
    await until('the call is under way', () => port.seen.length === 1);
    leaver.close();
    assert.match(await lost, /the connection was closed/);
    await until('its caller is known to be gone', () => port.seen[0]?.caller.closed === true);
    open();
    await host.busctl('call', '--expect-reply=no', NAME, PATH, NAME, 'Acquire', 'sa{sv}', 'quiet.service', ...explicit);
    assert.equal((await call('GetDynamicUsers')).stdout, 'a(us) 0');
    assert.equal(port.seen.length, 1);
  });

  it('gives its name back before it goes, and answers what had come by then', async () => {
    const open = shut(port);
    const early = asked(client, { member: 'Acquire', signature: 'sa{sv}', body: ['early.service', {}] });
    let retired = false;
    const retiring = api.retire(10_000).then(() => {
      retired = true;
    });
    await until('nobody has the name', async () => (await askDriver(client, 'NameHasOwner', 's', NAME))[0] === false);
    await until('the call is under way', () => port.seen.length === 1);
    assert.deepEqual([api.callsUnderWay, retired], [1, false]);
    open();
    assert.equal(await early, '');
    await retiring;
    assert.equal(api.callsUnderWay, 0);
    await api.retire(0);
  });

  it('waits for a call that does not end no longer than it is told to', async () => {
    const open = shut(port);
    const early = asked(client, { member: 'Acquire', signature: 'sa{sv}', body: ['early.service', {}] });
    await until('the call is under way', () => port.seen.length === 1);
    await api.retire(50);
    assert.equal(api.callsUnderWay, 1);
    open();
    await early;
  });
});
