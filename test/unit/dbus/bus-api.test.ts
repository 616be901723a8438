/** The bounds of the interface on the bus, over a connection and a port of the test's own. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Variant } from '@jellybrick/dbus-next';
import type { BusClient } from '../../../src/dbus/bus.ts';
import { BusApi } from '../../../src/dbus/bus-api.ts';
import { CALLS_MAX } from '../../../src/dbus/limits.ts';
import type { IncomingCall } from '../../../src/dbus/message.ts';
import { TableAllocator } from '../../support/table-allocator.ts';
import { until } from '../../support/until.ts';
import { FakeConnection } from './fake-connection.ts';

/** A call of Acquire by the user with a UID, which says how it was answered. */
function acquireBy(sender: string, answers: string[]): IncomingCall {
  return {
    ...{ path: '/io/dynuser/Allocator1', interface: 'io.dynuser.Allocator1', member: 'Acquire', sender },
    ...{ signature: 'sa{sv}', body: ['x.service', {}], answerWanted: true },
    reply: () => {
      answers.push('reply');
      return true;
    },
    fail: name => answers.push(name),
  };
}

it('all callers but root together have so many calls under way, and not one more', async () => {
  const connection = new FakeConnection();
  connection.answers.set('GetConnectionCredentials', ({ body }) => [
    { UnixUserID: new Variant('u', String(body?.[0]).startsWith(':0.') ? 0 : 1000) },
  ]);
  let waiting = 0;
  let finish = (): void => {};
  const finished = new Promise<void>(resolve => {
    finish = resolve;
  });
  const port = new TableAllocator();
  port.acquire = async () => {
    waiting++;
    await finished;
    return { uid: 1, gid: 1, userName: 'a', dynamic: true, lease: 'a' };
  };
  let client: BusClient | undefined;
  const bus = {
    connection,
    reason: '',
    attach: (attached: BusClient) => {
      client = attached;
    },
    ready: async () => {},
  };
  const api = new BusApi(bus, port, what => assert.fail(what));
  assert.ok(client);
  await client.connected(connection);
  const answers: string[] = [];
  for (let index = 0; index < CALLS_MAX; index++) {
    api.call(acquireBy(`:1.${index}`, answers));
  }
  await until('all are under way', () => waiting === CALLS_MAX);
  api.call(acquireBy(':1.9999', answers));
  await until('one more is refused', () => answers.length === 1);
  assert.deepEqual(answers, ['io.dynuser.Allocator1.LimitReached']);
  api.call(acquireBy(':0.1', answers));
  await until('root is not', () => waiting === CALLS_MAX + 1);
  finish();
  await until('all are answered', () => answers.length === CALLS_MAX + 2);
  api.close();
});
