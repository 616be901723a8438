import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '../../support/until.ts';
import { RawPeer } from './raw-peer.ts';
import { startService } from './service.ts';

const PING = 'org.example.ping.Ping';

/** What is sent, and each byte that comes back before the connection is closed or, if it stays open, goes to the next call. */
const ANSWERED: readonly (readonly [what: string, request: string, reply: string])[] = [
  ['a call', `{"method":"${PING}","parameters":{"text":"hé"}}`, '{"parameters":{"text":"hé"}}'],
  [
    'a float as one',
    `{"method":"${PING}","parameters":{"text":"","ratio":2}}`,
    '{"parameters":{"text":"","ratio":2.0}}',
  ],
  [
    '5.0 as an integer',
    `{"method":"${PING}","parameters":{"text":"","count":5.0}}`,
    '{"parameters":{"text":"","count":5}}',
  ],
  ['null as absent', `{"method":"${PING}","parameters":{"text":"","count":null}}`, '{"parameters":{"text":""}}'],
  [
    '"more" for a method with one reply',
    `{"method":"${PING}","parameters":{"text":""},"more":true}`,
    '{"parameters":{"text":""}}',
  ],
  ['a vendor key', `{"method":"${PING}","parameters":{"text":""},"com.example.x":{}}`, '{"parameters":{"text":""}}'],
  ['white space', ` \n{ "method" : "${PING}" , "parameters" : { "text" : "" } } `, '{"parameters":{"text":""}}'],
  [
    'a missing parameter',
    `{"method":"${PING}"}`,
    '{"error":"org.varlink.service.InvalidParameter","parameters":{"parameter":"text"}}',
  ],
  [
    'a null parameter',
    `{"method":"${PING}","parameters":{"text":null}}`,
    '{"error":"org.varlink.service.InvalidParameter","parameters":{"parameter":"text"}}',
  ],
  [
    'a number as string',
    `{"method":"${PING}","parameters":{"text":"","count":"5"}}`,
    '{"error":"org.varlink.service.InvalidParameter","parameters":{"parameter":"count"}}',
  ],
  [
    'an unknown parameter',
    `{"method":"${PING}","parameters":{"text":"","x":1}}`,
    '{"error":"org.varlink.service.InvalidParameter","parameters":{"parameter":"x"}}',
  ],
  [
    'a parameter twice',
    `{"method":"${PING}","parameters":{"text":"","text":""}}`,
    '{"error":"org.varlink.service.InvalidParameter","parameters":{"parameter":"text"}}',
  ],
  [
    'an upgrade',
    `{"method":"${PING}","parameters":{"text":""},"upgrade":true}`,
    `{"error":"org.varlink.service.MethodNotImplemented","parameters":{"method":"${PING}"}}`,
  ],
  [
    'an unknown method',
    '{"method":"org.example.ping.Pong"}',
    '{"error":"org.varlink.service.MethodNotFound","parameters":{"method":"org.example.ping.Pong"}}',
  ],
  [
    'an unknown interface',
    '{"method":"org.example.pong.Ping"}',
    '{"error":"org.varlink.service.InterfaceNotFound","parameters":{"interface":"org.example.pong"}}',
  ],
  [
    'a declared error',
    '{"method":"org.example.ping.Fail","parameters":{"how":"declared"}}',
    '{"error":"org.example.ping.Refused","parameters":{"why":"asked to"}}',
  ],
];

for (const [what, request, reply] of ANSWERED) {
  test(`answers ${what}`, async t => {
    const service = await startService(t);
    const peer = await RawPeer.connect(service.path);
    peer.send(`${request}\0`);
    assert.equal(await peer.frame(), `${reply}\0`);
    assert.equal(await peer.call(PING, '{"text":"on"}'), '{"parameters":{"text":"on"}}\0');
    assert.deepEqual(service.failures, []);
    peer.close();
  });
}

test('what a handler does wrong is told to the service and not to the peer', async t => {
  const service = await startService(t);
  const peer = await RawPeer.connect(service.path);
  for (const how of ['undeclared', 'misshapen', 'thrown', 'rejected', 'reply']) {
    const reply = await peer.call('org.example.ping.Fail', `{"how":"${how}"}`);
    assert.equal(reply, '{"error":"org.varlink.service.InternalError"}\0', how);
    const failure = service.failures.pop();
    assert.match(failure?.what ?? '', /^org\.example\.ping\.Fail: /, how);
    assert.ok(failure?.cause instanceof Error && failure.fault === 'service', how);
  }
  assert.deepEqual(service.failures, []);
  peer.close();
});

test('nothing goes out behind the final reply', async t => {
  const service = await startService(t);
  const peer = await RawPeer.connect(service.path);
  peer.send('{"method":"org.example.ping.Fail","parameters":{"how":"late"},"more":true}\0');
  assert.equal(await peer.frame(), '{"parameters":{"text":"final"}}\0');
  await until('the late reply is refused', () => service.thrown.length === 1);
  assert.match(String(service.thrown[0]), /has had its final reply/);
  assert.equal(await peer.call(PING, '{"text":"next"}'), '{"parameters":{"text":"next"}}\0');
  peer.close();
});

test('"more" gives each reply with "continues" but the last; without it there is none to give', async t => {
  const service = await startService(t);
  const peer = await RawPeer.connect(service.path);
  peer.send('{"method":"org.example.ping.Count","parameters":{"to":3},"more":true}\0');
  assert.equal(await peer.frame(), '{"parameters":{"at":1,"padding":""},"continues":true}\0');
  assert.equal(await peer.frame(), '{"parameters":{"at":2,"padding":""},"continues":true}\0');
  assert.equal(await peer.frame(), '{"parameters":{"at":3,"padding":""}}\0');
  const reply = await peer.call('org.example.ping.Count', '{"to":3}');
  assert.equal(reply, '{"error":"org.varlink.service.InternalError"}\0');
  assert.match(String(service.failures[0]?.cause), /not for several replies/);
  peer.close();
});

test('oneway is done and not answered, whatever comes of it', async t => {
  const service = await startService(t);
  const peer = await RawPeer.connect(service.path);
  peer.send(`{"method":"${PING}","parameters":{"text":"quiet"},"oneway":true}\0`);
  peer.send('{"method":"org.example.ping.Missing","oneway":true}\0');
  peer.send(`{"method":"${PING}","parameters":{"text":1},"oneway":true}\0`);
  peer.send(`{"method":"${PING}","parameters":{"text":"","text":""},"oneway":true}\0`);
  peer.send('{"method":"org.example.ping.Fail","parameters":{"how":"rejected"},"oneway":true}\0');
  assert.equal(await peer.call(PING, '{"text":"loud"}'), '{"parameters":{"text":"loud"}}\0');
  assert.deepEqual(service.pinged, ['quiet', 'loud']);
  assert.equal(service.failures.length, 1, 'a handler that failed is told all the same');
  peer.close();
});

test('pipelined requests are answered in their order, slow ones too', async t => {
  const service = await startService(t);
  const peer = await RawPeer.connect(service.path);
  let requests = '';
  let replies = '';
  for (let round = 0; round < 300; round++) {
    const slow = round % 100 === 50;
    requests += `{"method":"${PING}${slow ? 'Later' : ''}","parameters":{"text":"${round}"}}\0`;
    replies += `{"parameters":{"text":"${round}"}}\0`;
  }
  peer.send(requests);
  peer.halfClose();
  assert.equal(await peer.rest(), replies);
});

test('a peer that sends no more gets its replies, then the end', async t => {
  const service = await startService(t);
  const peer = await RawPeer.connect(service.path);
  peer.send(`{"method":"${PING}Later","parameters":{"text":"late"}}\0{"half`);
  peer.halfClose();
  assert.equal(await peer.rest(), '{"parameters":{"text":"late"}}\0');
  await until('the place is free again', () => service.server.connections === 0);
});

test('GetInfo and GetInterfaceDescription describe the service to the letter', async t => {
  const service = await startService(t);
  const peer = await RawPeer.connect(service.path);
  assert.equal(
    await peer.call('org.varlink.service.GetInfo'),
    '{"parameters":{"vendor":"Example","product":"Ping","version":"1.2","url":"https://example.org/","interfaces":["org.example.ping","org.varlink.service"]}}\0',
  );
  const description = await peer.call(
    'org.varlink.service.GetInterfaceDescription',
    '{"interface":"org.example.ping"}',
  );
  assert.match(
    description,
    /^\{"parameters":\{"description":"interface org\.example\.ping\\n\\n# Says the same back\./,
  );
  assert.equal(
    await peer.call('org.varlink.service.GetInterfaceDescription', '{"interface":"org.example.pong"}'),
    '{"error":"org.varlink.service.InterfaceNotFound","parameters":{"interface":"org.example.pong"}}\0',
  );
  peer.close();
});
