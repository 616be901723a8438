import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, afterEach, before, describe, it } from 'node:test';
import { CHECKOUT } from '../../../src/tooling/checkout.ts';
import { errorOf, Installed, replyOf, withInstalled } from '../../support/installed.ts';
import type { MachineProcess } from '../../support/machine/process.ts';

const ACQUIRE = 'io.dynuser.Allocator.Acquire';
const GET_USER = 'io.systemd.UserDatabase.GetUserRecord';
const SERVICE = 'io.dynuser.DynamicUser';

const NAMES = [
  '',
  'x'.repeat(32),
  'a\nb',
  '..',
  '.',
  'a/b',
  'a:b',
  'ünïcode',
  '12345',
  '65535',
  '-1',
  'foo.bar',
  '$(reboot)',
  '%s%n',
];

describe('a daemon that is sent what it cannot serve', () => {
  let host: Installed;
  let daemon: MachineProcess;
  before(async () => {
    host = await Installed.boot();
    daemon = await host.startDaemon();
  });
  after(() => host?.machine.stop());

  const stillServes = async (): Promise<void> => {
    assert.equal(await Promise.race([daemon.ended, Promise.resolve('alive')]), 'alive');
    const [result] = await host.calls([['io.dynuser.Allocator.List', {}]]);
    assert.deepEqual(replyOf(result)['leases'], []);
  };
  afterEach(stillServes);

  it('names that cannot be are refused one by one, with the field and a reason', async () => {
    const asUser = NAMES.map(userName => [ACQUIRE, { unit: 'x.service', userName, lifetime: 'explicit' }] as const);
    const units = ['', 'a/b', 'a\nb', '..', '@x.service', 'ü.service', 'x'.repeat(256)];
    const asUnit = units.map(unit => [ACQUIRE, { unit, lifetime: 'explicit' }] as const);
    const results = await host.calls([...asUser, ...asUnit]);
    for (const [index, result] of results.entries()) {
      const { error, parameters } = errorOf(result);
      assert.equal(error, 'io.dynuser.Allocator.InvalidName');
      assert.equal(parameters['field'], index < NAMES.length ? 'userName' : 'unit');
      assert.ok(String(parameters['reason']).length < 250);
    }
  });

  it('numbers that cannot be, unknown fields and unknown methods are refused by the parameter', async () => {
    const invalid = (parameter: string) => ({
      error: 'org.varlink.service.InvalidParameter',
      parameters: { parameter },
    });
    const user = (uid: unknown) => [GET_USER, { uid, service: SERVICE }] as const;
    const cases: (readonly [readonly [string, Record<string, unknown>], unknown])[] = [
      ...[-1, 65535, 4294967295, 4294967296, 1.5, '0', 'root', true, [1], { a: 1 }].map(
        uid => [user(uid), invalid('uid')] as const,
      ),
      ...[0, 65534, 1000].map(
        uid => [user(uid), { error: 'io.systemd.UserDatabase.NoRecordFound', parameters: {} }] as const,
      ),
      [
        [GET_USER, { service: 'io.systemd.DynamicUser' }],
        { error: 'io.systemd.UserDatabase.BadService', parameters: {} },
      ],
      [[GET_USER, {}], { error: 'io.systemd.UserDatabase.BadService', parameters: {} }],
      [[GET_USER, { service: SERVICE }], { error: 'org.varlink.service.ExpectedMore', parameters: {} }],
      [[GET_USER, { userName: 'a/b', service: SERVICE }], invalid('userName')],
      [[GET_USER, { uid: 1, fuzzy: true, service: SERVICE }], invalid('fuzzy')],
      [[ACQUIRE, { unit: 'x.service', colour: 'red' }], invalid('colour')],
      [[ACQUIRE, { unit: 7 }], invalid('unit')],
      [[ACQUIRE, {}], invalid('unit')],
      [[ACQUIRE, { unit: 'x.service', lifetime: 'eternal' }], invalid('lifetime')],
      [[ACQUIRE, { unit: 'x.service', stateDirectory: 'x' }], invalid('stateDirectory')],
      [
        ['io.dynuser.Allocator.Nothing', {}],
        { error: 'org.varlink.service.MethodNotFound', parameters: { method: 'io.dynuser.Allocator.Nothing' } },
      ],
      [
        ['io.nobody.Nothing', {}],
        { error: 'org.varlink.service.InterfaceNotFound', parameters: { interface: 'io.nobody' } },
      ],
    ];
    const results = await host.calls(cases.map(([call]) => call));
    for (const [index, [call, expected]] of cases.entries()) {
      assert.deepEqual(results[index], expected, JSON.stringify(call));
    }
  });

  it('directories that cannot be are refused before anything is allocated', async () => {
    const acquire = (...stateDirectory: string[]) => [ACQUIRE, { unit: 'x.service', stateDirectory }] as const;
    const directories = ['../x', '/etc', 'private', 'a:b:c:d', 'a::rw', ''];
    const many = Array.from({ length: 65 }, (_, index) => `d${index}`);
    const results = await host.calls([...directories.map(directory => acquire(directory)), acquire(...many)]);
    for (const [index, directory] of directories.entries()) {
      const { error, parameters } = errorOf(results[index]);
      assert.equal(error, 'io.dynuser.Allocator.DirectoryFailed', directory);
      assert.equal(parameters['field'], 'stateDirectory');
    }
    assert.equal(errorOf(results.at(-1)).error, 'io.dynuser.Allocator.LimitReached');
  });

  it('invalid frames close their connection, and the daemon lives on', async () => {
    const list = '{"method":"io.dynuser.Allocator.List"}';
    const long = 'x'.repeat(100_000);
    const exchanges = [
      { send: 'no JSON\0' },
      { send: '\0' },
      { send: '[]\0' },
      { send: '{"method":5}\0' },
      { send: `${list.slice(0, 20)}`, end: true },
      // A frame that never ends, deep or not, ends with the time that a started frame has.
      { send: '{"a":'.repeat(2_000), waitMs: 15_000 },
      { send: '{"method"', waitMs: 15_000 },
      { send: `{"method":"io.dynuser.Allocator.List","parameters":${'['.repeat(50_000)}\0` },
      { send: '{"method":"a.b.C","method":"a.b.D"}\0' },
      { send: '{"method":"a.b.C\\u0000"}\0' },
      { send: `{"method":"${ACQUIRE}","parameters":{"unit":"a\\u0000b"}}\0` },
      { send: '{"method":"\xff\xfe"}\0' },
      // 64 MiB without an end: the daemon must stop reading long before.
      { send: 'y'.repeat(65_536), repeat: 1_024 },
      { send: `{"method":"${ACQUIRE}","parameters":{"unit":"${long}"}}\0` },
    ];
    const input = `${exchanges.map(exchange => JSON.stringify(exchange)).join('\n')}\n`;
    const lines = (await host.program('raw', { input, timeoutMs: 60_000 })).split('\n').map(line => JSON.parse(line));
    for (const [index, { received, closed, sent }] of lines.entries()) {
      const shown = `${JSON.stringify(exchanges[index]).slice(0, 80)} → ${JSON.stringify(received).slice(0, 200)}`;
      assert.ok(closed || received.includes('"error"'), shown);
      assert.ok(sent < 8 * 1024 * 1024, shown);
    }
    const duplicate = `{"method":"${ACQUIRE}","parameters":{"unit":"a.service","unit":"b.service"}}\0`;
    const [answer] = (await host.program('raw', { input: `${JSON.stringify({ send: duplicate })}\n` })).split('\n');
    assert.match(JSON.parse(answer ?? '').received, /InvalidParameter.*"unit"/);
  });

  it('5,000 idle connections of one user leave root its answer', async () => {
    const flood = await host.machine.spawn(
      [process.execPath, `${CHECKOUT}dist/test/support/programs/idle-flood.js`, '5000'],
      { uid: 1000 },
    );
    const [line] = await once(flood.stdout.setEncoding('utf8'), 'data');
    const { opened, open } = JSON.parse(String(line));
    assert.ok(opened >= 4_900, `${opened} were accepted`);
    assert.equal(open, 512);
    await stillServes();
    const other = await host.ctl(['list', '--json=short'], { uid: 1001 });
    assert.equal(other.stdout, '[]\n');
    flood.kill('SIGKILL');
    await flood.ended;
  });
});

it('only root acquires, unless the configuration says more; a foreign lease is not released', async () => {
  await withInstalled({ config: 'AllowUsers=1000\nAllowGroups=games\n' }, async host => {
    await host.startDaemon();
    const acquire = [ACQUIRE, { unit: 'mine.service', lifetime: 'explicit' }] as const;
    const refused = errorOf((await host.calls([acquire], { uid: 1001 }))[0]);
    assert.equal(refused.error, 'io.dynuser.Allocator.NotPermitted');
    assert.match(String(refused.parameters['reason']), /user 1001 may not acquire.*AllowUsers=/);
    const [mine] = await host.calls([acquire], { uid: 1000 });
    const release = ['io.dynuser.Allocator.Release', { lease: replyOf(mine)['lease'] }] as const;
    assert.equal(errorOf((await host.calls([release], { uid: 1001 }))[0]).error, 'io.dynuser.Allocator.NotPermitted');
    replyOf((await host.calls([release], { uid: 1000 }))[0]);
    assert.equal(errorOf((await host.calls([release]))[0]).error, 'io.dynuser.Allocator.NoSuchLease');
    // games has the group 60 on Debian; the process has it as its own.
    replyOf((await host.calls([acquire], { uid: 60 }))[0]);
  });
});
