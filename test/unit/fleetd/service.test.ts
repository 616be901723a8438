/** Who asks the companion for bindings, as long as the connection is there. What is said to every other call is in integration/fleetd/. */
import assert from 'node:assert/strict';
import { EventEmitter, on } from 'node:events';
import { it } from 'node:test';
import { Fleet } from '../../../src/fleetd/fleet.ts';
import type { Changes, KeyStore } from '../../../src/fleetd/key-store.ts';
import { Mirror } from '../../../src/fleetd/mirror.ts';
import { Presence } from '../../../src/fleetd/presence.ts';
import { type FleetPeer, fleetInterface } from '../../../src/fleetd/service.ts';
import type { Call } from '../../../src/varlink/handler.ts';
import type { JsonObject } from '../../../src/varlink/json.ts';
import { MemoryStore } from '../../support/fleet/memory-store.ts';

const turn = () => new Promise(resolve => setImmediate(resolve));

it('tells of each change until the connection is gone', async () => {
  const keys = new MemoryStore();
  const news = new EventEmitter();
  async function* changes(): AsyncGenerator<Changes, void, undefined> {
    for await (const [each] of on(news, 'changes')) {
      yield each;
    }
  }
  const mirror = new Mirror({ changes } as unknown as KeyStore);
  void mirror.run();
  const fleet = new Fleet(keys, mirror);
  await fleet.create('65536-79999');
  const bind = async (name: string, uid: number) => {
    keys.change({ [`uid/${uid}`]: name });
    const { cluster, revision } = keys;
    const change = { key: `uid/${uid}`, value: name, revision };
    news.emit('changes', { cluster, revision, reset: false, changes: [change] });
    await turn();
  };
  await bind('web', 70_000);

  const presence = new Presence(fleet, keys, error => assert.fail(String(error)));
  const { methods } = fleetInterface({ fleet, keys, mirror, presence, fleetName: 'test', location: 'here' });
  const sent: JsonObject[] = [];
  let close = () => {};
  const onClose = (listener: () => void) => {
    close = listener;
  };
  const call = { parameters: {}, more: true, peer: { uid: 0 }, connection: { onClose }, send: sent.push.bind(sent) };
  const ended = methods['Bindings']?.(call as unknown as Call<FleetPeer>);
  await turn();
  await bind('db', 70_001);
  const told = [['web'], ['db']];
  const names = () => sent.map(reply => (reply['changes'] as { readonly name: string }[]).map(({ name }) => name));
  assert.deepEqual(names(), told);
  close();
  await ended;
  await bind('late', 70_002);
  assert.deepEqual(names(), told);
});
