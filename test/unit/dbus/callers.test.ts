import assert from 'node:assert/strict';
import { beforeEach, describe, it, mock } from 'node:test';
import { Variant } from '@jellybrick/dbus-next';
import { Callers } from '../../../src/dbus/callers.ts';
import { CALLER_GRACE_MS } from '../../../src/dbus/limits.ts';
import { DRIVER } from '../../../src/dbus/message.ts';
import type { BusCaller } from '../../../src/dbus/port.ts';
import { FakeConnection, signal } from './fake-connection.ts';

const NAME = ':1.7';

function busWith(credentials: Readonly<Record<string, unknown>>, id = 'the bus'): FakeConnection {
  const connection = new FakeConnection();
  connection.answers.set('GetId', () => [id]);
  connection.answers.set('GetConnectionCredentials', () => [credentials]);
  connection.answers.set('NameHasOwner', () => [true]);
  return connection;
}

const WHO = {
  UnixUserID: new Variant('u', 1000),
  UnixGroupIDs: new Variant('au', [27, 1000]),
  ProcessID: new Variant('u', 4242),
};
const GONE = signal({ sender: DRIVER, interface: DRIVER, member: 'NameOwnerChanged', body: [NAME, NAME, ''] });

describe('callers', () => {
  let callers: Callers;
  let trouble: string[];
  let gone: number;
  beforeEach(() => {
    trouble = [];
    gone = 0;
    callers = new Callers(what => trouble.push(what));
  });
  const hold = (): Promise<BusCaller> =>
    callers.during(NAME, async caller => {
      caller.onClose(() => gone++);
      return caller;
    });

  it('are who the bus says', async () => {
    await callers.connected(busWith(WHO));
    const { uid, gid, groups, pid, closed } = await hold();
    assert.deepEqual(
      { uid, gid, groups, pid, closed },
      { uid: 1000, gid: 27, groups: [27, 1000], pid: 4242, closed: false },
    );
  });

  it('have no rights by a group or a process that the bus does not tell', async () => {
    await callers.connected(busWith({ UnixUserID: WHO.UnixUserID }));
    const { uid, gid, groups, pid } = await hold();
    assert.deepEqual({ uid, gid, groups, pid }, { uid: 1000, gid: 65534, groups: [], pid: undefined });
  });

  it('are nobody where the bus does not tell the user', async () => {
    await callers.connected(busWith({ ProcessID: WHO.ProcessID, UnixUserID: new Variant('u', 0xffff_ffff) }));
    await assert.rejects(hold(), /does not say which user :1\.7 is/);
    await callers.connected(busWith({}));
    await assert.rejects(hold(), /does not say which user :1\.7 is/);
  });

  it('are watched before they are asked about, once for all', async () => {
    const connection = busWith(WHO);
    await callers.connected(connection);
    await hold();
    await hold();
    assert.deepEqual(
      connection.asked.map(({ member }) => member),
      ['GetId', 'AddMatch', 'GetConnectionCredentials', 'GetConnectionCredentials'],
    );
  });

  it('are gone once, when their name is, and for those who ask later too', async () => {
    await callers.connected(busWith(WHO));
    const caller = await hold();
    callers.signal(signal({ ...GONE, sender: ':1.8' }));
    assert.equal(gone, 0);
    callers.signal(GONE);
    callers.signal(GONE);
    assert.deepEqual([gone, caller.closed], [1, true]);
    caller.onClose(() => gone++);
    assert.equal(gone, 2);
  });

  it('are not heard while the bus is away', async () => {
    await callers.connected(busWith(WHO));
    const caller = await hold();
    callers.lost();
    assert.deepEqual([gone, caller.closed], [0, false]);
    callers.close();
    await assert.rejects(hold(), /the message bus is away/);
  });

  it('outlive a connection of ours to the same bus, but not another bus', async () => {
    await callers.connected(busWith(WHO));
    await hold();
    callers.lost();
    const again = busWith(WHO);
    await callers.connected(again);
    await callers.verify(again);
    assert.equal(gone, 0);
    callers.lost();
    await callers.connected(busWith(WHO, 'another bus'));
    assert.equal(gone, 1);
  });

  it('that left while we were away are gone', async () => {
    await callers.connected(busWith(WHO));
    await hold();
    callers.lost();
    const again = busWith(WHO);
    again.answers.set('NameHasOwner', () => [false]);
    await callers.connected(again);
    await callers.verify(again);
    assert.equal(gone, 1);
    assert.deepEqual(
      again.asked.map(({ member }) => member),
      ['GetId', 'AddMatch', 'NameHasOwner'],
    );
  });

  it('are gone when the bus stays away', async () => {
    mock.timers.enable({ apis: ['setTimeout'] });
    await callers.connected(busWith(WHO));
    await hold();
    callers.lost();
    mock.timers.tick(CALLER_GRACE_MS - 1);
    assert.equal(gone, 0);
    mock.timers.tick(1);
    assert.equal(gone, 1);
    mock.timers.reset();
  });

  it('are heard again if the bus comes back in time, and not told of an end after the end', async () => {
    mock.timers.enable({ apis: ['setTimeout'] });
    await callers.connected(busWith(WHO));
    await hold();
    callers.lost();
    mock.timers.tick(CALLER_GRACE_MS - 1);
    await callers.connected(busWith(WHO));
    mock.timers.tick(CALLER_GRACE_MS);
    assert.equal(gone, 0);
    callers.lost();
    callers.close();
    mock.timers.tick(CALLER_GRACE_MS);
    callers.signal(GONE);
    assert.equal(gone, 0);
    mock.timers.reset();
  });

  it('have the time of the bus anew each time that it goes', async () => {
    mock.timers.enable({ apis: ['setTimeout'] });
    await callers.connected(busWith(WHO));
    await hold();
    callers.lost();
    mock.timers.tick(CALLER_GRACE_MS - 1);
    callers.lost();
    mock.timers.tick(CALLER_GRACE_MS - 1);
    assert.equal(gone, 0);
    mock.timers.tick(1);
    assert.equal(gone, 1);
    mock.timers.reset();
  });

  it('are gone by no other signal than the end of their name', async () => {
    await callers.connected(busWith(WHO));
    await hold();
    for (const other of [
      { interface: 'a.b' },
      { member: 'NameLost' },
      { body: [NAME, '', NAME] },
      { body: [':1.8', ':1.8', ''] },
    ]) {
      callers.signal(signal({ ...GONE, ...other }));
    }
    assert.equal(gone, 0);
  });

  it('that go while the bus is asked about them are gone for who waits', async () => {
    const connection = busWith(WHO);
    connection.answers.set('GetConnectionCredentials', () => {
      callers.signal(GONE);
      return [WHO];
    });
    await callers.connected(connection);
    const caller = await hold();
    assert.deepEqual([gone, caller.closed], [1, true]);
  });

  it('are watched by the next call if the bus did not let them be', async () => {
    const connection = busWith(WHO);
    connection.answers.set('AddMatch', () => {
      throw new Error('too many rules');
    });
    await callers.connected(connection);
    await assert.rejects(hold(), /too many rules/);
    connection.answers.delete('AddMatch');
    await hold();
    assert.equal(connection.count('AddMatch'), 2);
    const [rule] = connection.asked.find(({ member }) => member === 'AddMatch')?.body ?? [];
    assert.match(String(rule), /sender='org\.freedesktop\.DBus'.*member='NameOwnerChanged',arg2=''$/);
  });

  it('are asked about again only if somebody waits for them', async () => {
    const connection = busWith(WHO);
    await callers.connected(connection);
    await callers.during(NAME, async () => {});
    const end = await callers.during(NAME, async caller => caller.onClose(() => gone++));
    end();
    callers.lost();
    const again = busWith(WHO);
    await callers.connected(again);
    await callers.verify(again);
    assert.deepEqual(
      again.asked.map(({ member }) => member),
      ['GetId'],
    );
  });

  it('stay known while one of their calls is under way, or one of their waits', async () => {
    await callers.connected(busWith(WHO));
    let finish: () => void = () => {};
    const waits = new Promise<void>(resolve => {
      finish = resolve;
    });
    const long = callers.during(NAME, async caller => {
      await waits;
      return caller.closed;
    });
    await callers.during(NAME, async () => {});
    const listener = () => gone++;
    await callers.during(NAME, async caller => {
      caller.onClose(listener)();
      caller.onClose(listener);
    });
    callers.signal(GONE);
    assert.equal(gone, 1);
    finish();
    assert.equal(await long, true);
  });

  it('that nobody waits for any more are forgotten', async () => {
    await callers.connected(busWith(WHO));
    const end = await callers.during(NAME, async caller => caller.onClose(() => gone++));
    end();
    callers.signal(GONE);
    assert.equal(gone, 0);
  });

  it('whose end cannot be followed up cost no other wait', async () => {
    await callers.connected(busWith(WHO));
    await callers.during(NAME, async caller =>
      caller.onClose(() => {
        throw new Error('no');
      }),
    );
    await hold();
    callers.signal(GONE);
    assert.deepEqual([gone, trouble.length], [1, 1]);
  });
});
