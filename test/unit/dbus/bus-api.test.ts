/** The interface on the bus, over a connection and a port of the test's own: answers, refusals, signals, and its bounds. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';
import { Variant } from '@jellybrick/dbus-next';
import { DynuserError } from '../../../src/core/errors.ts';
import type { BusClient } from '../../../src/dbus/bus.ts';
import { BusApi } from '../../../src/dbus/bus-api.ts';
import { CALLS_MAX, CALLS_PER_CALLER_MAX, SIGNAL_DELAY_MS } from '../../../src/dbus/limits.ts';
import { BusError, DRIVER, type IncomingCall } from '../../../src/dbus/message.ts';
import { TableAllocator } from '../../support/table-allocator.ts';
import { FakeConnection, pendingWork, signal } from './fake-connection.ts';

const NAME = 'io.dynuser.Allocator1';
const PATH = '/io/dynuser/Allocator1';
const PEER = 'org.freedesktop.DBus.Peer';
const INTROSPECTABLE = 'org.freedesktop.DBus.Introspectable';
const LEASE = '0000000000000000000000000000ef00';
const SIGNATURES: Readonly<Record<string, string>> = {
  ...{ Acquire: 'sa{sv}', Release: 's', LookupDynamicUserByName: 's', LookupDynamicUserByUID: 'u' },
};
const EXPLICIT = { lifetime: new Variant('s', 'explicit') };

let connection: FakeConnection;
let port: TableAllocator;
let api: BusApi;
let client: BusClient;
let trouble: string[];
beforeEach(async () => {
  trouble = [];
  port = new TableAllocator();
  const bus = {
    connection: undefined,
    reason: '',
    attach: (each: BusClient) => (client = each),
    ready: async () => {},
  };
  api = new BusApi(bus, port, (what, cause) => trouble.push(`${what}: ${cause}`));
  connection = connectionOf();
  await client.connected(connection);
});
afterEach(() => {
  api.close();
  mock.timers.reset();
});

/** Callers whose name begins with ":0." are root. */
function connectionOf(): FakeConnection {
  const made = new FakeConnection();
  made.answers.set('GetConnectionCredentials', ({ body }) => [
    { UnixUserID: new Variant('u', String(body?.[0]).startsWith(':0.') ? 0 : 1000) },
  ]);
  made.answers.set('GetId', () => ['the bus']);
  return made;
}

/** Calls, and notes the answer: its type and its values, or the last part of an error's name and its text. */
function call(answers: string[], member: string, body: readonly unknown[] = [], parts: Partial<IncomingCall> = {}) {
  api.call({
    ...{ sender: ':0.1', path: PATH, interface: NAME, member, signature: SIGNATURES[member] ?? '', body },
    answerWanted: true,
    reply: (type, values) => answers.push(`${type} ${JSON.stringify(values)}`) > 0,
    fail: (error, reason) => answers.push(`${error}: ${reason}`),
    ...parts,
  });
}

async function answerTo(member: string, body: readonly unknown[] = [], parts: Partial<IncomingCall> = {}) {
  const answers: string[] = [];
  call(answers, member, body, parts);
  await pendingWork();
  assert.equal(answers.length, 1, 'it is answered once');
  return answers[0] ?? '';
}

/** Lets no acquire() end. @returns lets them all */
function shut(): () => void {
  let open: () => void = () => {};
  const opened = new Promise<void>(resolve => {
    open = resolve;
  });
  port.gate = () => opened;
  return () => open();
}

describe('calls', () => {
  it('acquire, look up both ways, list and release', async () => {
    assert.equal(await answerTo('GetDynamicUsers'), 'a(us) [[]]');
    assert.equal(await answerTo('Acquire', ['foo.service', EXPLICIT]), `uusbs [61184,61184,"foo",true,"${LEASE}"]`);
    assert.deepEqual(port.seen[0]?.parameters, { unit: 'foo.service', lifetime: 'explicit' });
    assert.equal(port.seen[0].caller.uid, 0);
    assert.equal(await answerTo('LookupDynamicUserByName', ['foo']), 'u [61184]');
    assert.equal(await answerTo('LookupDynamicUserByUID', [61184]), 's ["foo"]');
    assert.equal(await answerTo('GetDynamicUsers'), 'a(us) [[[61184,"foo"]]]');
    assert.equal(await answerTo('Release', [LEASE]), ' []');
    assert.equal(await answerTo('GetDynamicUsers'), 'a(us) [[]]');
    assert.deepEqual([api.calls, api.callsUnderWay, trouble], [7, 0, []]);
  });

  it('without an interface are those of the allocator', async () => {
    assert.equal(await answerTo('GetDynamicUsers', [], { interface: undefined }), 'a(us) [[]]');
    assert.match(await answerTo('Ping', [], { interface: undefined }), /UnknownMethod/);
    assert.match(await answerTo('Introspect', [], { interface: undefined }), /UnknownMethod/);
  });

  it('of the interfaces that every object has are answered at every path that is there', async () => {
    assert.equal(await answerTo('Ping', [], { interface: PEER }), ' []');
    assert.equal(await answerTo('Ping', [], { interface: PEER, path: '/elsewhere' }), ' []');
    assert.match(await answerTo('Introspect', [], { interface: INTROSPECTABLE }), /^s \[".*LookupDynamicUserByUID/);
    assert.match(await answerTo('Introspect', [], { interface: INTROSPECTABLE, path: '/' }), /^s \[".*<node name=/);
    assert.match(await answerTo('Introspect', [], { interface: INTROSPECTABLE, path: '/x' }), /UnknownObject: .* \/x;/);
    assert.match(await answerTo('GetMachineId', [], { interface: PEER }), /UnknownInterface/);
    assert.match(await answerTo('Ping', [], { interface: INTROSPECTABLE }), /UnknownInterface/);
    assert.match(await answerTo('Introspect', [], { interface: PEER }), /UnknownInterface/);
  });

  for (const [what, member, body, parts, expected] of [
    ['another object', 'Release', ['a'], { path: '/x' }, /^org\.freedesktop\.DBus\.Error\.UnknownObject: .*\/io\/dyn/],
    ['another interface', 'Release', ['a'], { interface: 'a.b' }, /DBus\.Error\.UnknownInterface: .*Release.* a\.b$/],
    ['another method', 'release', ['a'], {}, /DBus\.Error\.UnknownMethod: .*release; there are Acquire, Release,/],
    ['a method of objects', 'constructor', [], {}, /DBus\.Error\.UnknownMethod/],
    ['other types', 'Release', [1], { signature: 'u' }, /Error\.InvalidArgs: .* "s", not "u"$/],
    ['what is not a name', 'LookupDynamicUserByName', ['a:b'], {}, /Error\.InvalidArgs: "a:b" cannot be the name/],
    ['a number as a name', 'LookupDynamicUserByName', ['42'], {}, /Error\.InvalidArgs: "42"/],
    ['nobody by name', 'LookupDynamicUserByName', ['no'], {}, /^io\.dynuser\.Allocator1\.NoSuchDynamicUser: .*"no"$/],
    ['nobody by number', 'LookupDynamicUserByUID', [61185], {}, /Allocator1\.NoSuchDynamicUser: .*61185$/],
    ['the number before that', 'LookupDynamicUserByUID', [0xfffe], {}, /NoSuchDynamicUser/],
    ['no number of 16 bits', 'LookupDynamicUserByUID', [0xffff], {}, /Error\.InvalidArgs: 65535 is not a UID$/],
    [
      'no number of 32 bits',
      'LookupDynamicUserByUID',
      [0xffff_ffff],
      {},
      /Error\.InvalidArgs: 4294967295 is not a UID$/,
    ],
    ['no option', 'Acquire', ['a', { x: new Variant('s', 'b') }], {}, /Error\.InvalidArgs: unknown option "x"/],
    ['no lease', 'Release', ['x'], {}, /^io\.dynuser\.Allocator1\.NoSuchLease: no live lease has the id x$/],
    ['who may not', 'Acquire', ['a', {}], { sender: ':1.1' }, /^io\.dynuser\.Allocator1\.NotPermitted: the user 1000/],
  ] as const) {
    it(`are refused by name: ${what}`, async () => {
      assert.match(await answerTo(member, body, parts), expected);
      assert.deepEqual(trouble, []);
    });
  }

  it('show no more than a part of what was sent', async () => {
    const long = 'x'.repeat(10_000);
    for (const [member, parts] of [
      ['LookupDynamicUserByName', { body: [long] }],
      ['Release', { path: `/${long}` }],
    ] as const) {
      const refusal = await answerTo(member, [long], parts);
      assert.ok(refusal.length < 500, refusal);
    }
  });

  it('that meet a fault of the daemon are told no more than that; the log has the fault', async () => {
    port.gate = () => Promise.reject(new TypeError('a secret'));
    assert.equal(await answerTo('Acquire', ['a', {}]), `${DRIVER}.Error.Failed: the daemon failed; its log says why`);
    assert.deepEqual(trouble, ['the call Acquire on the bus failed: TypeError: a secret']);
    port.gate = () => Promise.reject(new DynuserError('LimitReached', 'enough'));
    assert.equal(await answerTo('Acquire', ['a', {}]), `${NAME}.LimitReached: enough`);
    assert.equal(trouble.length, 1);
  });

  it('acquire nothing for who wants no answer', async () => {
    const answers: string[] = [];
    call(answers, 'Acquire', ['a', EXPLICIT], { answerWanted: false });
    await pendingWork();
    assert.deepEqual([answers, port.seen.length, api.callsUnderWay, api.calls], [[], 0, 0, 1]);
  });

  it('release what they acquired if the answer cannot be sent', async () => {
    call([], 'Acquire', ['a', EXPLICIT], { reply: () => false });
    await pendingWork();
    assert.deepEqual([port.seen.length, port.table.size, trouble], [1, 0, []]);
  });

  it('are refused while the bus is away, since nobody says who asks', async () => {
    client.lost();
    assert.match(await answerTo('Acquire', ['a', {}]), /Error\.Failed/);
    assert.match(trouble[0] ?? '', /the message bus is away/);
  });
});

describe('what a caller holds', () => {
  it('ends with its name on the bus', async () => {
    await answerTo('Acquire', ['a', {}]);
    assert.equal(port.table.size, 1);
    const gone = { sender: DRIVER, interface: DRIVER, member: 'NameOwnerChanged', body: [':0.1', ':0.1', ''] };
    client.signal(signal(gone));
    assert.equal(port.table.size, 0);
  });

  it('stays while the bus is away and comes back, unless its name has gone meanwhile', async () => {
    await answerTo('Acquire', ['a', {}]);
    await answerTo('Acquire', ['b', {}], { sender: ':0.2' });
    client.lost();
    const again = connectionOf();
    again.answers.set('NameHasOwner', ({ body }) => [body?.[0] === ':0.1']);
    await client.connected(again);
    assert.deepEqual([...port.table.keys()], ['a']);
  });
});

describe('the bounds', () => {
  it('one caller has so many calls under way, and not one more; others are served', async () => {
    const open = shut();
    const answers: string[] = [];
    for (let index = 0; index < CALLS_PER_CALLER_MAX; index++) {
      call(answers, 'Acquire', [`u${index}`, EXPLICIT]);
    }
    await pendingWork();
    assert.deepEqual([port.seen.length, api.callsUnderWay, answers], [CALLS_PER_CALLER_MAX, CALLS_PER_CALLER_MAX, []]);
    assert.match(await answerTo('Acquire', ['more', EXPLICIT]), /Allocator1\.LimitReached: too many calls/);
    assert.match(await answerTo('Release', [LEASE]), /Allocator1\.LimitReached: too many calls/);
    assert.equal(await answerTo('GetDynamicUsers'), 'a(us) [[]]');
    call(answers, 'Acquire', ['other', EXPLICIT], { sender: ':0.2' });
    await pendingWork();
    assert.equal(port.seen.length, CALLS_PER_CALLER_MAX + 1);
    open();
    await pendingWork();
    assert.deepEqual([answers.length, api.callsUnderWay], [CALLS_PER_CALLER_MAX + 1, 0]);
    const later = shut();
    for (let index = 0; index < CALLS_PER_CALLER_MAX; index++) {
      call(answers, 'Acquire', [`v${index}`, EXPLICIT]);
    }
    await pendingWork();
    assert.match(await answerTo('Acquire', ['more', EXPLICIT]), /LimitReached/, 'the bound is the same after that');
    later();
  });

  it('all callers but root together have so many calls under way, and not one more', async () => {
    const open = shut();
    const answers: string[] = [];
    for (let index = 0; index < CALLS_MAX; index++) {
      call(answers, 'Acquire', [`u${index}`, {}], { sender: `:1.${index}` });
    }
    await pendingWork();
    assert.equal(port.seen.length, CALLS_MAX);
    assert.match(await answerTo('Acquire', ['more', {}], { sender: ':1.9999' }), /Allocator1\.LimitReached/);
    call(answers, 'Acquire', ['root', {}]);
    await pendingWork();
    assert.equal(port.seen.length, CALLS_MAX + 1, 'root is not refused');
    open();
    await pendingWork();
    assert.equal(answers.length, CALLS_MAX + 1);
    assert.match(await answerTo('Acquire', ['more', {}], { sender: ':1.9999' }), /NotPermitted/, 'there is room again');
  });
});

describe('signals of users', () => {
  const emitted = () =>
    connection.emitted.map(({ path, interface: name, member, signature, body }) =>
      [path, name, member, signature, ...body].join(' '),
    );

  it('are sent together, a moment after the first change', async () => {
    mock.timers.enable({ apis: ['setTimeout'] });
    await answerTo('Acquire', ['a', EXPLICIT]);
    mock.timers.tick(SIGNAL_DELAY_MS - 1);
    await answerTo('Release', [LEASE]);
    assert.deepEqual(emitted(), []);
    mock.timers.tick(1);
    const of = (member: string) => `${PATH} ${NAME} ${member} us 61184 a`;
    assert.deepEqual(emitted(), [of('UserAllocated'), of('UserReleased')]);
    await answerTo('Acquire', ['a', EXPLICIT]);
    mock.timers.tick(SIGNAL_DELAY_MS);
    assert.deepEqual(emitted().slice(2), [of('UserAllocated')], 'none is sent twice');
  });

  it('go nowhere while the bus is away, then or later', async () => {
    mock.timers.enable({ apis: ['setTimeout'] });
    await answerTo('Acquire', ['a', EXPLICIT]);
    client.lost();
    mock.timers.tick(SIGNAL_DELAY_MS);
    connection = connectionOf();
    await client.connected(connection);
    await answerTo('Acquire', ['b', EXPLICIT]);
    mock.timers.tick(SIGNAL_DELAY_MS);
    assert.deepEqual(emitted(), [`${PATH} ${NAME} UserAllocated us 61185 b`]);
  });

  it('that wait are sent at the end, and none after it', async () => {
    mock.timers.enable({ apis: ['setTimeout'] });
    await answerTo('Acquire', ['a', EXPLICIT]);
    api.close();
    assert.equal(connection.emitted.length, 1);
    await port.release(LEASE);
    mock.timers.tick(SIGNAL_DELAY_MS);
    assert.equal(connection.emitted.length, 1);
  });
});

describe('the name on the bus', () => {
  const requests = (of: FakeConnection) => of.asked.filter(({ member }) => member === 'RequestName');

  it('is asked for on each connection, in the queue behind whoever has it, which is said', async () => {
    assert.deepEqual(
      requests(connection).map(({ signature, body }) => [signature, body]),
      [['su', [NAME, 0]]],
    );
    for (const [result, words] of [
      [1, []],
      [2, [`another process has the name on the bus: Error: ${NAME}`]],
      [4, []],
    ] as const) {
      trouble = [];
      const next = connectionOf();
      next.answers.set('RequestName', () => [result]);
      await client.connected(next);
      assert.deepEqual([requests(next).length, trouble], [1, words]);
    }
  });

  it('is given back, and what came before is waited for', async () => {
    const open = shut();
    const answers: string[] = [];
    let flushed = 0;
    connection.flush = () => {
      assert.equal(connection.count('ReleaseName'), 1);
      flushed++;
      call(answers, 'Acquire', ['late', EXPLICIT]);
    };
    let retired = false;
    const retiring = api.retire(600_000).then(() => {
      retired = true;
    });
    await pendingWork();
    assert.deepEqual([flushed, port.seen.length, retired], [1, 1, false]);
    assert.deepEqual(connection.asked.find(({ member }) => member === 'ReleaseName')?.body, [NAME]);
    open();
    await retiring;
    assert.equal(answers.length, 1);
    const again = connectionOf();
    await client.connected(again);
    assert.deepEqual(requests(again), [], 'it is the next daemon that has the name now');
  });

  it('is given up without an answer, and a call that does not end is waited for no longer than was said', async () => {
    shut();
    call([], 'Acquire', ['long', EXPLICIT]);
    connection.answers.set('ReleaseName', () => {
      throw new BusError('a.b.Error.No', 'no');
    });
    // The wait itself keeps no process alive.
    const alive = setInterval(() => {}, 1_000);
    await api.retire(1);
    clearInterval(alive);
    assert.equal(api.callsUnderWay, 1);
    assert.match(trouble[0] ?? '', /^the name on the bus could not be given back: .*a\.b\.Error\.No/);
  });

  it('needs not be given back if there is no bus', async () => {
    client.lost();
    await api.retire(1);
    assert.deepEqual([connection.count('ReleaseName'), trouble], [0, []]);
  });
});
