/**
 * UAPI.20 (Varlink IPC), clause by clause. Each test is named after the section, and says what that demands. What malformed messages come
 * to is in hostile.test.ts, the exact bytes of replies in replies.test.ts, the life of a connection in connections.test.ts, the grammar
 * in test/unit/varlink/idl; HTTP and addresses are not ours.
 */
import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { connect } from '../../../src/varlink/client.ts';
import { parseInterface } from '../../../src/varlink/idl/parse.ts';
import { RawPeer } from './raw-peer.ts';
import { startService, temporaryDirectory } from './service.ts';

const PING = 'org.example.ping.Ping';
const SERVICE = 'org.varlink.service';

/** @returns a connection, and the replies to what is sent on it, one for each */
async function talkingTo(t: TestContext) {
  const service = await startService(t);
  const peer = await RawPeer.connect(service.path);
  t.after(() => peer.close());
  return {
    ...{ service, peer },
    replies: async (...requests: readonly string[]): Promise<unknown[]> => {
      peer.send(requests.map(request => `${request}\0`).join(''));
      const replies: unknown[] = [];
      for (const _ of requests) {
        replies.push(JSON.parse((await peer.frame()).slice(0, -1)));
      }
      return replies;
    },
  };
}

/** @returns a client of a server that answers each request with the next of the texts */
async function clientOf(t: TestContext, ...texts: readonly string[]) {
  const path = `${temporaryDirectory(t)}/socket`;
  const answers = [...texts];
  const server = createServer(socket => socket.on('data', () => socket.write(`${answers.shift()}\0`)));
  await new Promise<void>(resolve => {
    server.listen(path, resolve);
  });
  const client = await connect(path);
  t.after(() => {
    client.close();
    server.close();
  });
  return client;
}

describe('Interface Definition', () => {
  const reads = (text: string): boolean => {
    try {
      parseInterface(text);
      return true;
    } catch {
      return false;
    }
  };

  it('Names: interfaces in reverse-domain notation of two components or more, types in upper case, fields with single underscores', () => {
    const interfaces = ['a.b', 'org.example-x.0day', 'xn--a.b', 'A.B.C1'];
    const wrong = ['a', '1a.b', 'a.-b', 'a.b-', 'a..b', 'a_b.c', '.a.b'];
    assert.deepEqual(
      [...interfaces, ...wrong].filter(name => reads(`interface ${name}\nmethod M() -> ()`)),
      interfaces,
    );
    const names = ['A', 'A1b'];
    assert.deepEqual(
      [...names, 'a', '1A', 'A_b', 'A-b', ''].filter(name => reads(`interface a.b\nmethod ${name}() -> ()`)),
      names,
    );
    const fields = ['a', 'A1', 'a_b', 'a_1'];
    assert.deepEqual(
      [...fields, '_a', 'a_', 'a__b', '1a', 'a-b'].filter(name => reads(`interface a.b\nmethod M(${name}: int) -> ()`)),
      fields,
    );
  });

  it('Keywords: types, methods and errors share one namespace, and all that is named is there', () => {
    assert.ok(reads('interface a.b\ntype T (x: int)\nmethod M(t: T) -> ()\nerror E (t: ?[]T)'));
    assert.ok(!reads('interface a.b\ntype T (x: int)\nmethod T() -> ()'));
    assert.ok(!reads('interface a.b\nmethod M() -> ()\nerror M ()'));
    assert.ok(!reads('interface a.b\nmethod M(t: Unknown) -> ()'));
    assert.ok(!reads('method M() -> ()'), 'the interface comes first');
  });

  it('Grammar: each type, and none that the grammar does not have', () => {
    const types = [
      'bool',
      'int',
      'float',
      'string',
      'object',
      'any',
      '(a, b)',
      '(a: int)',
      '()',
      '[]int',
      '[string]()',
    ];
    const nested = ['?int', '?[]int', '?[string]int', '[]?int', '[][]int', '?[](first: int)'];
    const wrong = ['??int', '[int]int', 'Int', '[]', '?', '(a, b: int)', '(a:)'];
    assert.deepEqual(
      [...types, ...nested, ...wrong].filter(type => reads(`interface a.b\nmethod M(x: ${type}) -> ()`)),
      [...types, ...nested],
    );
  });
});

describe('Mapping the Type System to JSON', () => {
  it('Integers: one that a handler could not have as it was sent is refused, and never rounded', async t => {
    const { peer } = await talkingTo(t);
    for (const count of ['9007199254740991', '-9007199254740991', '0']) {
      const text = await peer.call(PING, `{"text":"","count":${count}}`);
      assert.equal(text, `{"parameters":{"text":"","count":${count}}}\0`);
    }
    for (const count of ['9007199254740993', '-9223372036854775808', '18446744073709551615', '1.5', '"5"']) {
      assert.match(await peer.call(PING, `{"text":"","count":${count}}`), /InvalidParameter.*"count"/);
    }
  });

  it('Nullable Fields and Absent Fields: null is the same as absent, and no other field may be either', async t => {
    const { replies } = await talkingTo(t);
    assert.deepEqual(
      await replies(
        `{"method":"${PING}","parameters":{"text":"","count":null,"ratio":null}}`,
        `{"method":"${PING}","parameters":{"text":""}}`,
        `{"method":"${PING}","parameters":{"text":null}}`,
        `{"method":"${PING}","parameters":{}}`,
      ),
      [
        { parameters: { text: '' } },
        { parameters: { text: '' } },
        { error: `${SERVICE}.InvalidParameter`, parameters: { parameter: 'text' } },
        { error: `${SERVICE}.InvalidParameter`, parameters: { parameter: 'text' } },
      ],
    );
  });

  it('Unknown Fields: a service refuses them, a client passes them over', async t => {
    const { replies } = await talkingTo(t);
    assert.deepEqual(await replies(`{"method":"${PING}","parameters":{"text":"","other":1}}`), [
      { error: `${SERVICE}.InvalidParameter`, parameters: { parameter: 'other' } },
    ]);
    const info = { vendor: 'a', product: 'b', version: 'c', url: 'd', interfaces: [SERVICE], newer: { x: 1 } };
    const client = await clientOf(t, JSON.stringify({ parameters: info }));
    assert.equal((await client.call(`${SERVICE}.GetInfo`))['version'], 'c');
  });
});

describe('Wire Protocol', () => {
  it('Call: parameters that are absent, null or empty are the same, for services and for clients', async t => {
    const { replies } = await talkingTo(t);
    const [absent, none, empty] = await replies(
      `{"method":"${SERVICE}.GetInfo"}`,
      `{"method":"${SERVICE}.GetInfo","parameters":null}`,
      `{"method":"${SERVICE}.GetInfo","parameters":{}}`,
    );
    assert.deepEqual([none, empty], [absent, absent]);
    const client = await clientOf(t, '{}', '{"parameters":null}', '{"parameters":{}}');
    for (let count = 0; count < 3; count++) {
      assert.deepEqual(await client.call('a.b.M'), {});
    }
  });

  it('Reply: what there are no parameters for is sent without', async t => {
    const { peer } = await talkingTo(t);
    assert.equal(await peer.call('org.example.ping.Keep', '{"keep":false}'), '{}\0');
  });

  it('oneway: no reply, whatever comes of it, so that the next reply is to the next call', async t => {
    const { peer, service } = await talkingTo(t);
    const oneway = [
      `{"method":"${PING}","parameters":{"text":"silent"},"oneway":true}`,
      `{"method":"${PING}","oneway":true}`,
      '{"method":"org.example.ping.None","oneway":true}',
      '{"method":"a.b.None","oneway":true}',
      '{"method":"org.example.ping.Fail","parameters":{"how":"declared"},"oneway":true}',
    ];
    peer.send([...oneway, `{"method":"${PING}","parameters":{"text":"loud"}}`, ''].join('\0'));
    assert.equal(await peer.frame(), '{"parameters":{"text":"loud"}}\0');
    assert.deepEqual(service.pinged, ['silent', 'loud']);
  });

  it('more: the connection is busy until the final reply, and calls that wait come after it, in their order', async t => {
    const { peer } = await talkingTo(t);
    peer.send(
      [
        '{"method":"org.example.ping.Count","parameters":{"to":3},"more":true}',
        `{"method":"org.example.ping.PingLater","parameters":{"text":"slow"}}`,
        `{"method":"${PING}","parameters":{"text":"fast"},"more":true}`,
        '',
      ].join('\0'),
    );
    const frames: unknown[] = [];
    for (let count = 0; count < 5; count++) {
      const { parameters, continues } = JSON.parse((await peer.frame()).slice(0, -1));
      frames.push([parameters.at ?? parameters.text, continues]);
    }
    assert.deepEqual(frames, [
      [1, true],
      [2, true],
      [3, undefined],
      ['slow', undefined],
      ['fast', undefined],
    ]);
  });

  it('upgrade: a method that has no other protocol refuses, and the connection stays one of varlink', async t => {
    const { replies } = await talkingTo(t);
    assert.deepEqual(
      await replies(
        `{"method":"${PING}","parameters":{"text":""},"upgrade":true}`,
        `{"method":"${PING}","parameters":{"text":"on"}}`,
      ),
      [{ error: `${SERVICE}.MethodNotImplemented`, parameters: { method: PING } }, { parameters: { text: 'on' } }],
    );
  });

  it('Errors: one ends its call, never with "continues", and a client takes no such reply', async t => {
    const client = await clientOf(t, '{"error":"a.b.E","continues":true}');
    await assert.rejects(client.call('a.b.M'), /continues/);
  });

  it('Vendor Extensions: objects under a name with a dot are passed over, on both sides', async t => {
    const { replies } = await talkingTo(t);
    assert.deepEqual(await replies(`{"method":"${PING}","parameters":{"text":"x"},"com.example":{"trace":[1]}}`), [
      { parameters: { text: 'x' } },
    ]);
    const client = await clientOf(t, '{"parameters":{},"com.example":{"trace":1}}', '{"parameters":{},"trace":1}');
    assert.deepEqual(await client.call('a.b.M'), {});
    await assert.rejects(client.call('a.b.M'), /"trace"/);
  });
});

describe('The org.varlink.service Interface', () => {
  it('GetInfo lists the interface itself, and each that is listed is described with its comments', async t => {
    const { replies } = await talkingTo(t);
    const [info] = (await replies(`{"method":"${SERVICE}.GetInfo"}`)) as [{ parameters: { interfaces: string[] } }];
    assert.deepEqual(info.parameters.interfaces, ['org.example.ping', SERVICE]);
    for (const name of info.parameters.interfaces) {
      const [reply] = (await replies(
        `{"method":"${SERVICE}.GetInterfaceDescription","parameters":{"interface":"${name}"}}`,
      )) as [{ parameters: { description: string } }];
      assert.equal(parseInterface(reply.parameters.description).name, name);
      assert.match(reply.parameters.description, /^#/m);
    }
  });

  it('Errors: all of the specification are declared, and each that a call can meet says which name was meant', async t => {
    const { replies } = await talkingTo(t);
    const describe = `{"method":"${SERVICE}.GetInterfaceDescription","parameters":{"interface":"${SERVICE}"}}`;
    const [reply] = (await replies(describe)) as [{ parameters: { description: string } }];
    assert.deepEqual([...parseInterface(reply.parameters.description).errors.keys()].sort(), [
      ...['ExpectedMore', 'ExpectedUpgrade', 'InterfaceNotFound', 'InvalidParameter', 'MethodNotFound'],
      ...['MethodNotImplemented', 'PermissionDenied'],
    ]);
    assert.deepEqual(
      await replies(
        '{"method":"a.b.M"}',
        '{"method":"org.example.ping.None"}',
        `{"method":"${SERVICE}.GetInterfaceDescription","parameters":{"interface":"a.b"}}`,
      ),
      [
        { error: `${SERVICE}.InterfaceNotFound`, parameters: { interface: 'a.b' } },
        { error: `${SERVICE}.MethodNotFound`, parameters: { method: 'org.example.ping.None' } },
        { error: `${SERVICE}.InterfaceNotFound`, parameters: { interface: 'a.b' } },
      ],
    );
  });
});

describe('Transport: AF_UNIX Stream Sockets', () => {
  it('Framing: messages in pieces and several at a time, white space between tokens in, none out', async t => {
    const { peer } = await talkingTo(t);
    const request = `{ "method" :\n"${PING}",\t"parameters" : { "text" : "a b" } }\0`;
    for (const byte of Buffer.from(request)) {
      peer.send(Buffer.of(byte));
    }
    assert.equal(await peer.frame(), '{"parameters":{"text":"a b"}}\0');
    peer.send(request + request);
    assert.equal((await peer.frame()) + (await peer.frame()), '{"parameters":{"text":"a b"}}\0'.repeat(2));
  });
});
