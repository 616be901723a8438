import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readCall, readReply, writeCall, writeErrorReply, writeReply } from '../../../src/varlink/message.ts';

function read(text: string) {
  return readCall(Buffer.from(text));
}

const CALL = { method: 'a.b.M', parameters: {}, more: false, oneway: false };

const CALLS: readonly (readonly [text: string, call: object])[] = [
  ['{"method":"a.b.M"}', CALL],
  [' { "parameters" : { "x" : 1 } , "method" : "a.b.M" } ', { ...CALL, parameters: { x: 1 } }],
  ['{"method":"a.b.M","parameters":null}', CALL],
  ['{"method":"a.b.M","more":false,"oneway":false,"upgrade":false}', CALL],
  ['{"method":"a.b.M","more":true}', { ...CALL, more: true }],
  ['{"method":"a.b.M","oneway":true,"more":false}', { ...CALL, oneway: true }],
  ['{"method":"a.b.M","com.example.trace":{"id":"7"}}', CALL],
];

for (const [text, call] of CALLS) {
  test(`reads ${text}`, () => assert.deepEqual(read(text), { kind: 'call', call }));
}

const BROKEN: readonly string[] = [
  '',
  '{',
  '[]',
  '"a.b.M"',
  'null',
  '{}',
  '{"method":null}',
  '{"method":1}',
  '{"method":"a.b.M","parameters":[]}',
  '{"method":"a.b.M","parameters":"x"}',
  '{"method":"a.b.M","more":1}',
  '{"method":"a.b.M","more":null}',
  '{"method":"a.b.M","oneway":"true"}',
  '{"method":"a.b.M","upgrade":0}',
  '{"method":"a.b.M","more":true,"oneway":true}',
  '{"method":"a.b.M","more":true,"upgrade":true}',
  '{"method":"a.b.M","oneway":true,"upgrade":true}',
  '{"method":"a.b.M","extra":1}',
  '{"method":"a.b.M","extra":{}}',
  '{"method":"a.b.M","x-extra":{}}',
  '{"method":"a.b.M","com.example.trace":1}',
  '{"method":"a.b.M","__proto__":{}}',
  '{"method":"a.b.M","method":"a.b.N"}',
  '{"method":"a.b.M","parameters":{},"parameters":{"x":1}}',
  '{"method":"a.b.M","more":true,"more":true}',
  '{"method":"a.b.M"}x',
];

for (const text of BROKEN) {
  test(`nothing can be relied on in ${JSON.stringify(text)}`, () => assert.equal(read(text).kind, 'broken'));
}

const REFUSED: readonly (readonly [text: string, error: string, parameters: object])[] = [
  ['{"method":"a.b.M","parameters":{"x":1,"x":1}}', 'InvalidParameter', { parameter: 'x' }],
  ['{"method":"a.b.M","parameters":{"x":{"y":1,"y":2}}}', 'InvalidParameter', { parameter: 'y' }],
  ['{"method":"a.b.M","upgrade":true}', 'MethodNotImplemented', { method: 'a.b.M' }],
];

for (const [text, error, parameters] of REFUSED) {
  test(`refuses ${text}`, () => {
    const refused = read(text);
    assert.ok(refused.kind === 'refused');
    assert.deepEqual([refused.error.error, refused.error.parameters], [`org.varlink.service.${error}`, parameters]);
    assert.equal(refused.oneway, false);
  });
}

test('a refusal knows that no answer is wanted', () => {
  const refused = read('{"method":"a.b.M","oneway":true,"parameters":{"x":1,"x":1}}');
  assert.ok(refused.kind === 'refused' && refused.oneway);
});

test('messages are exact to the byte', () => {
  assert.equal(writeReply('{}', false), '{}\0');
  assert.equal(writeReply('{}', true), '{"continues":true}\0');
  assert.equal(writeReply('{"a":1}', true), '{"parameters":{"a":1},"continues":true}\0');
  assert.equal(writeErrorReply('a.b.E', '{}'), '{"error":"a.b.E"}\0');
  const call = { method: 'a.b.M', parameters: '{}', more: false, oneway: false };
  assert.equal(writeCall(call), '{"method":"a.b.M"}\0');
  assert.equal(writeCall({ ...call, more: true }), '{"method":"a.b.M","more":true}\0');
  assert.equal(writeCall({ ...call, oneway: true }), '{"method":"a.b.M","oneway":true}\0');
});

test('reads replies', () => {
  const replies: readonly (readonly [string, object])[] = [
    ['{}', { parameters: {}, continues: false }],
    ['{"parameters":null}', { parameters: {}, continues: false }],
    ['{"parameters":{"x":1},"continues":true}', { parameters: { x: 1 }, continues: true }],
    ['{"error":"a.b.E"}', { error: 'a.b.E', parameters: {}, continues: false }],
  ];
  for (const [text, reply] of replies) {
    assert.deepEqual(readReply(Buffer.from(text)), reply);
  }
});

test('says why a frame is not a reply', () => {
  const frames = [
    '',
    '[]',
    '{"error":1}',
    '{"parameters":[]}',
    '{"continues":1}',
    '{"error":"a.b.E","continues":true}',
    '{"x":1}',
    '{"parameters":{"x":1,"x":2}}',
    '{"parameters":{},"parameters":{}}',
  ];
  for (const text of frames) {
    assert.equal(typeof readReply(Buffer.from(text)), 'string', text);
  }
});
