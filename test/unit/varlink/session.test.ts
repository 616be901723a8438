import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ServerSession } from '../../../src/varlink/session.ts';

const LIMIT = 256;

function sessionWith(text: string): ServerSession {
  const session = new ServerSession(LIMIT);
  session.receive(Buffer.from(text));
  return session;
}

/** Answers each call with its own method, and gives all that would be written. */
function echo(session: ServerSession): string {
  let written = '';
  for (let step = session.next(); step !== undefined; step = session.next()) {
    if (step.kind === 'call') {
      written += session.final(`{"m":"${step.call.method}"}`) ?? '';
    } else if (step.kind === 'refused') {
      written += session.final('{}', step.error.error) ?? '';
    } else {
      return `${written}broken: ${step.reason}`;
    }
  }
  return written;
}

const CONVERSATION =
  '{"method":"a.b.One"}\0{"method":"a.b.Two","parameters":{"x":1,"x":1}}\0{"method":"a.b.Three","oneway":true}\0{"method":"a.b.Four"}\0[]\0{"method":"a.b.Five"}\0';
const ANSWERS =
  '{"parameters":{"m":"a.b.One"}}\0' +
  '{"error":"org.varlink.service.InvalidParameter"}\0' +
  '{"parameters":{"m":"a.b.Four"}}\0' +
  'broken: is not an object';

test('answers are the same whatever the pieces that the requests come in', () => {
  for (const size of [1, 2, 3, 7, 50, CONVERSATION.length]) {
    const session = new ServerSession(LIMIT);
    let written = '';
    for (let offset = 0; offset < CONVERSATION.length && !written.includes('broken'); offset += size) {
      session.receive(Buffer.from(CONVERSATION.slice(offset, offset + size)));
      written += echo(session);
    }
    assert.equal(written, ANSWERS, `in pieces of ${size}`);
  }
});

test('one call at a time: the next comes after the final reply', () => {
  const session = sessionWith('{"method":"a.b.One","more":true}\0{"method":"a.b.Two"}\0');
  assert.equal(session.next()?.kind, 'call');
  assert.ok(session.busy);
  assert.equal(session.next(), undefined);
  assert.equal(session.continuing('{}'), '{"continues":true}\0');
  assert.equal(session.next(), undefined);
  assert.equal(session.final('{}'), '{}\0');
  assert.ok(!session.busy);
  assert.equal(session.next()?.kind, 'call');
});

test('exactly one final reply', () => {
  const session = sessionWith('{"method":"a.b.One","more":true}\0');
  assert.throws(() => session.final('{}'), /answers no call/);
  session.next();
  session.final('{}');
  assert.throws(() => session.final('{}'), /answers no call/);
  assert.throws(() => session.final('{}', 'a.b.E'), /answers no call/);
  assert.throws(() => session.continuing('{}'), /answers no call/);
});

test('several replies for "more" alone', () => {
  const session = sessionWith('{"method":"a.b.One"}\0');
  session.next();
  assert.throws(() => session.continuing('{}'), /without "more"/);
});

test('oneway: neither a reply nor an error', () => {
  const session = sessionWith('{"method":"a.b.One","oneway":true}\0{"method":"a.b.Two","oneway":true}\0');
  session.next();
  assert.equal(session.final('{}'), undefined);
  session.next();
  assert.equal(session.final('{}', 'a.b.E'), undefined);
});

test('a request that is too long is broken before its end', () => {
  const session = sessionWith('x'.repeat(LIMIT + 1));
  assert.deepEqual(session.next(), { kind: 'broken', reason: 'is longer than allowed' });
});
