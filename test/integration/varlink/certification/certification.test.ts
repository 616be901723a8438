import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ClientInterfaces, connect, type VarlinkClient } from '../../../../src/varlink/client.ts';
import { VarlinkError } from '../../../../src/varlink/errors.ts';
import type { JsonObject } from '../../../../src/varlink/json.ts';
import { VarlinkServer } from '../../../../src/varlink/server.ts';
import { SERVICE_INFO, temporaryDirectory } from '../service.ts';
import { becomeCertified } from './candidate.ts';
import { certifier } from './certifier.ts';
import { CERTIFICATION, CERTIFICATION_INTERFACE, STEPS, type Step } from './steps.ts';
import { startWiretap } from './wiretap.ts';

async function startCertifier(t: TestContext, steps: readonly Step[] = STEPS): Promise<string> {
  const path = join(temporaryDirectory(t), 'socket');
  const server = new VarlinkServer<undefined>({
    info: SERVICE_INFO,
    interfaces: [certifier(steps)],
    identify: () => undefined,
    quotaKey: () => 0,
    privileged: () => false,
    onFailure: failure => assert.fail(failure.what),
  });
  await server.listen({ path });
  t.after(() => server.close(0));
  return path;
}

async function clientOf(t: TestContext, path: string): Promise<VarlinkClient> {
  const client = await connect(path, { interfaces: new ClientInterfaces([CERTIFICATION_INTERFACE]) });
  t.after(() => client.close());
  return client;
}

/** STEPS with one of them changed. */
function withChanged(name: string, change: Partial<Step>): Step[] {
  return STEPS.map(step => (step.name === name ? { ...step, ...change } : step));
}

const FOUR = '"bool":false,"int":2,"float":3.141592653589793,"string":"a lot of string"';
const MAP = '{"foo":"Foo","bar":"Bar"}';
const SET = '{"one":{},"two":{},"three":{}}';
const MY_TYPE =
  `{"object":{"method":"org.varlink.certification.Test09","parameters":{"map":${MAP}}},"enum":"two",` +
  `"struct":{"first":1,"second":"2"},"array":["one","two","three"],"dictionary":${MAP},"stringset":${SET},` +
  '"interface":{"foo":[null,{"foo":"foo","bar":"bar"},null,{"one":"foo","two":"bar"}],"anon":{"foo":true,"bar":false}}}';
const TEN = Array.from({ length: 10 }, (_, index) => `"Reply number ${index + 1}"`);

/** The bytes of each request behind its method, with ID for the id, and of its replies. */
const WIRE: readonly (readonly [method: string, request: string, ...replies: string[]])[] = [
  ['Start', '}', '{"parameters":{"client_id":"ID"}}'],
  ['Test01', ',"parameters":{"client_id":"ID"}}', '{"parameters":{"bool":true}}'],
  ['Test02', ',"parameters":{"client_id":"ID","bool":true}}', '{"parameters":{"int":1}}'],
  ['Test03', ',"parameters":{"client_id":"ID","int":1}}', '{"parameters":{"float":1.0}}'],
  ['Test04', ',"parameters":{"client_id":"ID","float":1.0}}', '{"parameters":{"string":"ping"}}'],
  ['Test05', ',"parameters":{"client_id":"ID","string":"ping"}}', `{"parameters":{${FOUR}}}`],
  ['Test06', `,"parameters":{"client_id":"ID",${FOUR}}}`, `{"parameters":{"struct":{${FOUR}}}}`],
  ['Test07', `,"parameters":{"client_id":"ID","struct":{${FOUR}}}}`, `{"parameters":{"map":${MAP}}}`],
  ['Test08', `,"parameters":{"client_id":"ID","map":${MAP}}}`, `{"parameters":{"set":${SET}}}`],
  ['Test09', `,"parameters":{"client_id":"ID","set":${SET}}}`, `{"parameters":{"mytype":${MY_TYPE}}}`],
  [
    'Test10',
    `,"parameters":{"client_id":"ID","mytype":${MY_TYPE}},"more":true}`,
    ...TEN.map((text, index) => `{"parameters":{"string":${text}}${index < 9 ? ',"continues":true' : ''}}`),
  ],
  ['Test11', `,"parameters":{"client_id":"ID","last_more_replies":[${TEN.join(',')}]},"oneway":true}`],
  ['End', ',"parameters":{"client_id":"ID"}}', '{"parameters":{"all_ok":true}}'],
];

test('client and server pass every step, to the byte', async t => {
  const tap = await startWiretap(t, await startCertifier(t));
  const id = await becomeCertified(await clientOf(t, tap.path));
  const withId = (text: string) => `${text.replaceAll('"ID"', `"${id}"`)}\0`;
  const requests = tap.requests.split('\0').slice(0, -1);
  for (const [index, [method, request]] of WIRE.entries()) {
    assert.equal(`${requests[index]}\0`, withId(`{"method":"${CERTIFICATION}.${method}"${request}`));
  }
  assert.equal(requests.length, WIRE.length);
  assert.equal(tap.replies, WIRE.flatMap(([, , ...replies]) => replies.map(withId)).join(''));
});

test('many clients at a time pass, each with an id of its own', async t => {
  const path = await startCertifier(t);
  const clients = await Promise.all(Array.from({ length: 50 }, () => clientOf(t, path)));
  const ids = await Promise.all(clients.map(client => becomeCertified(client)));
  assert.equal(new Set(ids).size, 50);
});

function isError(name: string): (error: unknown) => boolean {
  return error => error instanceof VarlinkError && error.error === `${CERTIFICATION}.${name}`;
}

test('the server finds a step out of its order, twice, or of an unknown client', async t => {
  const client = await clientOf(t, await startCertifier(t));
  const { client_id = '' } = await client.call(`${CERTIFICATION}.Start`);
  await assert.rejects(client.call(`${CERTIFICATION}.Test02`, { client_id, bool: true }), isError('ClientIdError'));
  await client.call(`${CERTIFICATION}.Test01`, { client_id });
  await assert.rejects(client.call(`${CERTIFICATION}.Test01`, { client_id }), isError('ClientIdError'));
  await assert.rejects(client.call(`${CERTIFICATION}.End`, { client_id }), isError('ClientIdError'));
  await assert.rejects(client.call(`${CERTIFICATION}.Test01`, { client_id: 'x' }), isError('ClientIdError'));
});

const WRONG_REQUESTS: readonly (readonly [what: string, name: string, change: Partial<Step>])[] = [
  ['another value', 'Test06', { parameters: { bool: false, int: 2, float: 3, string: 'a lot of string' } }],
  ['a key too few in a map', 'Test08', { parameters: { map: { foo: 'Foo' } } }],
  ['a call for one reply in place of "more"', 'Test10', { mode: 'once' }],
  ['a call with a reply in place of oneway', 'Test11', { mode: 'once' }],
];

for (const [what, name, change] of WRONG_REQUESTS) {
  test(`the server finds ${what}`, async t => {
    const client = await clientOf(t, await startCertifier(t));
    await assert.rejects(becomeCertified(client, withChanged(name, change)), isError('CertificationError'));
  });
}

test('the server finds a fault in what it does not answer, too', async t => {
  const client = await clientOf(t, await startCertifier(t));
  const steps = withChanged('Test11', { parameters: { last_more_replies: ['Reply number 1'] } });
  await assert.rejects(becomeCertified(client, steps), isError('ClientIdError'), 'the last step is not its turn');
});

/** The replies of a step as they should be. */
function repliesOf(name: string): readonly JsonObject[] {
  return STEPS.find(step => step.name === name)?.replies ?? [];
}

const WRONG_REPLIES: readonly (readonly [what: string, name: string, replies: readonly JsonObject[]])[] = [
  ['another value', 'Test03', [{ float: 1.5 }]],
  ['a value too much', 'Test07', [{ map: { foo: 'Foo', bar: 'Bar', baz: 'Baz' } }]],
  ['nine replies in place of ten', 'Test10', repliesOf('Test10').slice(0, 9)],
  ['ten replies in another order', 'Test10', repliesOf('Test10').toReversed()],
  ['an end that is not well', 'End', [{ all_ok: false }]],
];

for (const [what, name, replies] of WRONG_REPLIES) {
  test(`the client finds ${what}`, async t => {
    const client = await clientOf(t, await startCertifier(t, withChanged(name, { replies })));
    await assert.rejects(becomeCertified(client), { name: 'AssertionError', message: new RegExp(name) });
  });
}
