import assert from 'node:assert/strict';
import { beforeEach, describe, it, mock } from 'node:test';
import { Variant } from '@jellybrick/dbus-next';
import type { BusClient } from '../../../src/dbus/bus.ts';
import { LOOK_RETRY_MS, SYSTEMD_WAIT_MS, UNITS_PER_LOOK } from '../../../src/dbus/limits.ts';
import { BusError, DRIVER, type Question } from '../../../src/dbus/message.ts';
import { UnitWatch } from '../../../src/dbus/unit-watch.ts';
import { FakeConnection, pendingWork, signal } from './fake-connection.ts';

const SYSTEMD = 'org.freedesktop.systemd1';
const OWNER = ':1.1';

function pathOf(unit: string): string {
  return `/org/freedesktop/systemd1/unit/${unit.replaceAll(/[^a-z0-9]/g, '_')}`;
}

class FakeBus {
  connection: FakeConnection | undefined;
  reason = 'there is no bus';
  client: BusClient | undefined;
  attach(client: BusClient): void {
    this.client = client;
  }
  async ready(): Promise<void> {}
}

describe('the watch over units', () => {
  let bus: FakeBus;
  let connection: FakeConnection;
  let watch: UnitWatch;
  let trouble: string[];
  let ended: string[];
  /** by name: the active state, and the job of a unit */
  let states: Map<string, readonly [active: string, job: number]>;
  beforeEach(() => {
    bus = new FakeBus();
    trouble = [];
    ended = [];
    states = new Map();
    watch = new UnitWatch(bus, what => trouble.push(what));
    connection = new FakeConnection();
    connection.answers.set('GetNameOwner', () => [OWNER]);
    connection.answers.set('ListUnitsByNames', rows);
  });

  const rows = ({ body }: Question): readonly unknown[] => {
    const names = body?.[0];
    assert.ok(Array.isArray(names));
    return [
      names.map(name => {
        const [active, job] = states.get(name) ?? ['inactive', 0];
        const id = name === 'alias.service' ? 'real.service' : name;
        return [id, '', 'loaded', active, '', '', pathOf(id), job, '', '/'];
      }),
    ];
  };
  const connect = async (): Promise<void> => {
    bus.connection = connection;
    await watch.connected(connection);
    await pendingWork();
  };
  const add = async (unit: string): Promise<() => void> => {
    const stop = watch.watch(unit, () => ended.push(unit));
    await pendingWork();
    return stop;
  };
  const changed = async (unit: string, active: string, sender = OWNER): Promise<void> => {
    const body = [`${SYSTEMD}.Unit`, { ActiveState: new Variant('s', active) }, []];
    const parts = { sender, interface: 'org.freedesktop.DBus.Properties', member: 'PropertiesChanged', body };
    watch.signal(signal({ ...parts, path: pathOf(unit) }));
    await pendingWork();
  };
  const manager = async (member: string, ...body: readonly unknown[]): Promise<void> => {
    watch.signal(signal({ sender: OWNER, interface: `${SYSTEMD}.Manager`, member, body }));
    await pendingWork();
  };
  const looks = (): number => connection.count('ListUnitsByNames');

  it('says why there is none', async () => {
    assert.deepEqual(watch.state(), { kind: 'unavailable', reason: 'there is no bus' });
    assert.deepEqual(await watch.check('a.service'), { kind: 'unavailable', reason: 'there is no bus' });
    await connect();
    assert.deepEqual(watch.state(), { kind: 'watching' });
    watch.lost();
    assert.equal(watch.state().kind, 'unavailable');
  });

  it('waits for a systemd that is not there, for a while', async () => {
    mock.timers.enable({ apis: ['setTimeout'] });
    connection.answers.set('GetNameOwner', () => {
      throw new BusError(`${DRIVER}.Error.NameHasNoOwner`, 'nobody');
    });
    await connect();
    states.set('a.service', ['active', 0]);
    const early = watch.check('a');
    await pendingWork();
    watch.signal(signal({ sender: DRIVER, interface: DRIVER, member: 'NameOwnerChanged', body: [SYSTEMD, '', OWNER] }));
    assert.deepEqual(await early, { kind: 'active' });
    watch.signal(signal({ sender: DRIVER, interface: DRIVER, member: 'NameOwnerChanged', body: [SYSTEMD, OWNER, ''] }));
    const late = watch.check('a');
    await pendingWork();
    mock.timers.tick(SYSTEMD_WAIT_MS);
    const answer = await late;
    assert.ok(answer.kind === 'unavailable');
    assert.match(answer.reason, /systemd is not on the message bus/);
    mock.timers.reset();
  });

  it('waits for the next attempt to follow units, if systemd refused the first', async () => {
    mock.timers.enable({ apis: ['setTimeout'] });
    connection.answers.set('Subscribe', () => {
      throw new BusError(`${DRIVER}.Error.LimitsExceeded`, 'not now');
    });
    await connect();
    connection.answers.delete('Subscribe');
    states.set('a.service', ['active', 0]);
    const answer = watch.check('a');
    await pendingWork();
    mock.timers.tick(LOOK_RETRY_MS);
    assert.deepEqual(await answer, { kind: 'active' });
    mock.timers.reset();
  });

  it('tells an end once, whatever signal says where to look', async () => {
    await connect();
    const signals: readonly (() => Promise<void>)[] = [
      () => changed('a.service', 'failed'),
      () => manager('JobRemoved', 1, '/job', 'a.service', 'done'),
      () => manager('UnitRemoved', 'a.service', pathOf('a.service')),
      () => manager('Reloading', false),
    ];
    for (const send of signals) {
      ended = [];
      states.set('a.service', ['active', 0]);
      await add('a');
      assert.deepEqual(ended, []);
      states.set('a.service', ['failed', 0]);
      await send();
      await send();
      assert.deepEqual(ended, ['a']);
    }
  });

  it('believes no signal, and none but systemd', async () => {
    await connect();
    states.set('a.service', ['active', 0]);
    await add('a.service');
    await changed('a.service', 'inactive');
    assert.deepEqual(ended, []);
    const before = looks();
    await changed('a.service', 'inactive', ':1.66');
    await changed('a.service', 'active');
    await changed('b.service', 'inactive');
    assert.equal(looks(), before, 'no look was due');
  });

  it('takes for alive what is being started, or has a job', async () => {
    await connect();
    states.set('a.service', ['activating', 1]).set('b.service', ['inactive', 7]).set('c.service', ['deactivating', 0]);
    for (const unit of ['a.service', 'b.service', 'c.service']) {
      await add(unit);
      assert.deepEqual(await watch.check(unit), { kind: 'active' });
    }
    assert.deepEqual(ended, []);
  });

  it('hears of systemd from the bus alone', async () => {
    await connect();
    const driver = { sender: DRIVER, interface: DRIVER, member: 'NameOwnerChanged', body: [SYSTEMD, OWNER, ''] };
    for (const other of [
      { sender: ':1.66' },
      { sender: OWNER },
      { interface: 'a.b' },
      { member: 'NameLost' },
      { body: ['a.b', OWNER, ''] },
    ]) {
      watch.signal(signal({ ...driver, ...other }));
      await pendingWork();
      assert.deepEqual(watch.state(), { kind: 'watching' }, JSON.stringify(other));
    }
    watch.signal(signal(driver));
    await pendingWork();
    assert.equal(watch.state().kind, 'unavailable');
  });

  it('looks where a signal says nothing of the state, but not at signals of anything else', async () => {
    await connect();
    states.set('a.service', ['active', 0]);
    await add('a.service');
    const parts = { sender: OWNER, interface: 'org.freedesktop.DBus.Properties', member: 'PropertiesChanged' };
    const path = pathOf('a.service');
    for (const changes of [undefined, null, 'a', {}, { ActiveState: 'active' }, { ActiveState: new Variant('u', 1) }]) {
      const before = looks();
      watch.signal(signal({ ...parts, path, body: [`${SYSTEMD}.Unit`, changes, []] }));
      await pendingWork();
      assert.equal(looks(), before + 1, JSON.stringify(changes));
    }
    const before = looks();
    const body = [`${SYSTEMD}.Unit`, {}, []];
    watch.signal(signal({ ...parts, path, body, member: 'Changed' }));
    watch.signal(signal({ ...parts, path, body, interface: 'a.b' }));
    for (const member of ['JobRemoved', 'UnitRemoved', 'Reloading']) {
      watch.signal(
        signal({
          ...parts,
          interface: 'a.b',
          member,
          body: [member === 'Reloading' ? false : 'a.service', '', 'a.service'],
        }),
      );
    }
    await manager('JobNew', 1, '/job', 'a.service');
    await manager('Reloading', true);
    await pendingWork();
    assert.equal(looks(), before);
  });

  it('asks the bus for the signals of units, and systemd for sending them', async () => {
    await connect();
    const rules = connection.asked.filter(({ member }) => member === 'AddMatch').map(({ body }) => String(body?.[0]));
    for (const member of ['NameOwnerChanged', 'JobRemoved', 'UnitRemoved', 'Reloading', 'PropertiesChanged']) {
      assert.equal(rules.filter(rule => rule.includes(`member='${member}'`)).length, 1, member);
    }
    const asked = connection.asked.find(({ member }) => member === 'Subscribe');
    assert.deepEqual(
      [asked?.destination, asked?.path, asked?.interface],
      [OWNER, '/org/freedesktop/systemd1', `${SYSTEMD}.Manager`],
    );
  });

  it('is there though another subscription is, and not though systemd is not', async () => {
    connection.answers.set('Subscribe', () => {
      throw new BusError(`${SYSTEMD}.AlreadySubscribed`, 'again');
    });
    await connect();
    assert.deepEqual([watch.state(), trouble], [{ kind: 'watching' }, []]);
    connection.answers.set('GetNameOwner', () => {
      throw new BusError(`${DRIVER}.Error.NameHasNoOwner`, 'nobody');
    });
    watch.lost();
    await connect();
    const state = watch.state();
    assert.ok(state.kind === 'unavailable');
    assert.match(state.reason, /systemd is not on the message bus/);
    connection.answers.set('GetNameOwner', () => {
      throw new BusError(`${DRIVER}.Error.AccessDenied`, 'no');
    });
    await assert.rejects(connect(), /AccessDenied/);
    connection.answers.set('GetNameOwner', () => []);
    await connect();
    assert.equal(watch.state().kind, 'unavailable');
  });

  it('says that systemd does not let its units be followed, and asks again', async () => {
    mock.timers.enable({ apis: ['setTimeout'] });
    connection.answers.set('Subscribe', () => {
      throw new BusError(`${DRIVER}.Error.AccessDenied`, 'no');
    });
    await connect();
    const state = watch.state();
    assert.ok(state.kind === 'unavailable');
    assert.match(state.reason, /^systemd does not let its units be followed: .*AccessDenied/);
    assert.deepEqual(trouble, ['systemd does not let its units be followed']);
    connection.answers.delete('Subscribe');
    mock.timers.tick(LOOK_RETRY_MS - 1);
    await pendingWork();
    assert.equal(watch.state().kind, 'unavailable');
    mock.timers.tick(1);
    await pendingWork();
    assert.deepEqual(watch.state(), { kind: 'watching' });
    mock.timers.reset();
  });

  it('does not ask again once the bus is away', async () => {
    mock.timers.enable({ apis: ['setTimeout'] });
    connection.answers.set('Subscribe', () => {
      throw new Error('no answer within 5 s');
    });
    await connect();
    watch.lost();
    mock.timers.tick(LOOK_RETRY_MS);
    await pendingWork();
    assert.equal(connection.count('Subscribe'), 1);
    mock.timers.reset();
  });

  it('ends the waits of requests with the bus', async () => {
    connection.answers.set('GetNameOwner', () => []);
    await connect();
    const waits = watch.check('a');
    await pendingWork();
    watch.lost();
    bus.connection = undefined;
    assert.deepEqual(await waits, { kind: 'unavailable', reason: 'there is no bus' });
  });

  it('says of one unit whether it is active, and of systemd that it does not answer', async () => {
    await connect();
    states.set('a.service', ['active', 0]).set('f.service', ['failed', 0]);
    assert.deepEqual(await watch.check('a'), { kind: 'active' });
    assert.deepEqual(await watch.check('f'), { kind: 'inactive' });
    assert.deepEqual(await watch.check('none'), { kind: 'inactive' });
    const before = looks();
    assert.deepEqual(await watch.check('template@'), { kind: 'inactive' });
    assert.equal(looks(), before, 'no unit can have that name');
    const row: readonly unknown[] = ['a.service', '', 'loaded', 'active', '', '', '/a', 0, '', '/'];
    for (const answer of [
      [],
      [[]],
      ['a'],
      [['a']],
      [[row, row]],
      ...[0, 3, 6, 7].map(wrong => [[row.with(wrong, true)]]),
    ]) {
      connection.answers.set('ListUnitsByNames', () => answer);
      const check = await watch.check('a');
      assert.ok(check.kind === 'unavailable', JSON.stringify(answer));
      assert.match(check.reason, /^systemd does not say how the unit a\.service is: systemd was asked about 1 units/);
    }
  });

  it('tells the end of a unit to all who wait for it, though one of them fails', async () => {
    states.set('a.service', ['active', 0]);
    await connect();
    watch.watch('a', () => {
      throw new Error('no');
    });
    await add('a');
    states.delete('a.service');
    await changed('a.service', 'inactive');
    assert.deepEqual([ended, trouble], [['a'], ['what was to follow the end of the unit a.service failed']]);
  });

  it('follows an alias', async () => {
    await connect();
    states.set('alias.service', ['active', 0]);
    await add('alias');
    states.delete('alias.service');
    await changed('real.service', 'inactive');
    assert.deepEqual(ended, ['alias']);
  });

  it('asks about many at once, in pieces', async () => {
    const units = Array.from({ length: UNITS_PER_LOOK * 2 + 1 }, (_, index) => `u${index}.service`);
    for (const unit of units) {
      states.set(unit, ['active', 0]);
      await add(unit);
    }
    await connect();
    assert.equal(looks(), 3);
    assert.deepEqual(ended, []);
  });

  it('gives each its own answer where one spoils it for all', async () => {
    connection.answers.set('ListUnitsByNames', question => {
      if (JSON.stringify(question.body).includes('bad')) {
        throw new BusError(`${DRIVER}.Error.InvalidArgs`, 'no unit name');
      }
      return rows(question);
    });
    states.set('good.service', ['active', 0]);
    await add('good.service');
    await add('bad.service');
    await add('gone.service');
    await connect();
    await pendingWork();
    assert.deepEqual(ended, ['bad.service', 'gone.service']);
    assert.deepEqual(trouble, []);
  });

  it('asks again where it got no answer', async () => {
    mock.timers.enable({ apis: ['setTimeout'] });
    states.set('a.service', ['active', 0]);
    await connect();
    await add('a.service');
    connection.answers.set('ListUnitsByNames', () => {
      throw new Error('no answer within 5 s');
    });
    await changed('a.service', 'failed');
    assert.deepEqual([ended, trouble], [[], ['systemd does not say how its units are']]);
    states.delete('a.service');
    connection.answers.set('ListUnitsByNames', rows);
    mock.timers.tick(LOOK_RETRY_MS);
    await pendingWork();
    assert.deepEqual(ended, ['a.service']);
    mock.timers.reset();
  });

  it('does not take an answer for one to a later question', async () => {
    await connect();
    let answer: () => void = () => {};
    connection.answers.set('ListUnitsByNames', async question => {
      const early = rows(question);
      await new Promise<void>(resolve => {
        answer = resolve;
      });
      return early;
    });
    await add('a.service');
    // Found inactive, but not yet told; meanwhile it is started, and watched by another.
    states.set('a.service', ['active', 0]);
    connection.answers.set('ListUnitsByNames', rows);
    watch.watch('a', () => ended.push('the other'));
    answer();
    await pendingWork();
    await pendingWork();
    assert.deepEqual(ended, []);
  });

  it('takes an end for one though a signal comes with each answer, as from the look itself that loads a unit', async () => {
    states.set('a.service', ['active', 0]);
    await connect();
    await add('a.service');
    states.delete('a.service');
    const before = looks();
    connection.answers.set('ListUnitsByNames', async question => {
      const answer = rows(question);
      if (looks() - before < 50) {
        watch.signal(
          signal({ sender: OWNER, interface: `${SYSTEMD}.Manager`, member: 'UnitRemoved', body: ['a.service', ''] }),
        );
      }
      return answer;
    });
    await changed('a.service', 'inactive');
    await pendingWork();
    assert.deepEqual([ended, looks() - before], [['a.service'], 1]);
  });

  it('lets go of a unit, but not of its other watches', async () => {
    states.set('a.service', ['active', 0]);
    await connect();
    const stop = await add('a.service');
    await add('a');
    stop();
    stop();
    states.delete('a.service');
    await changed('a.service', 'inactive');
    assert.deepEqual(ended, ['a']);
    const before = looks();
    await changed('a.service', 'inactive');
    assert.equal(looks(), before);
  });
});
