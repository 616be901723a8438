/** What comes of a call: its handler's answer as the interface declares it, an error, or a fault that the service is told of. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dispatch, refusal } from '../../../src/varlink/dispatch.ts';
import { invalidParameter, VarlinkError } from '../../../src/varlink/errors.ts';
import type { Call, MethodHandler } from '../../../src/varlink/handler.ts';
import type { JsonObject } from '../../../src/varlink/json.ts';
import { MethodTable } from '../../../src/varlink/method-table.ts';

const INTERFACE =
  'interface a.b\nmethod M(n: ?int) -> (text: string)\nmethod Unserved() -> ()\nerror Refused(why: string)\n';
const INFO = { vendor: '', product: '', version: '', url: '' };

function served(handler: MethodHandler<string>) {
  const methods = new MethodTable<string>(INFO, [{ description: INTERFACE, methods: { M: handler } }]);
  const sent: string[] = [];
  const origin = {
    ...{ id: 7, closed: false, peer: 'who', onClose: () => () => {}, hold: () => () => {} },
    sendContinuing: (text: string) => sent.push(text) < 2,
    sendEach: async (texts: Iterator<string>) => {
      for (let next = texts.next(); next.done !== true; next = texts.next()) {
        sent.push(next.value);
      }
    },
  };
  const call = (more: Partial<Parameters<typeof dispatch>[2]> = {}) =>
    dispatch(methods, origin, { method: 'a.b.M', parameters: {}, more: false, oneway: false, ...more });
  return { methods, origin, sent, call };
}

const internal = (what: string, cause: unknown) => ({
  ...{ error: 'org.varlink.service.InternalError', parameters: '{}' },
  failure: { what: `a.b.M: ${what}`, cause },
});

test('the handler gets the call as it is declared, and its reply is the answer, at once', () => {
  const calls: Call<string>[] = [];
  const { origin, call } = served(given => {
    calls.push(given);
    return { text: 'x' };
  });
  assert.deepEqual(call({ parameters: { n: null }, more: true, oneway: true }), { parameters: '{"text":"x"}' });
  assert.deepEqual(call({ parameters: { n: 5 } }), { parameters: '{"text":"x"}' });
  assert.deepEqual(
    calls.map(({ method, parameters, more, oneway, peer }) => [method, parameters, more, oneway, peer]),
    [
      ['a.b.M', {}, true, true, 'who'],
      ['a.b.M', { n: 5 }, false, false, 'who'],
    ],
  );
  assert.equal(calls[0]?.connection, origin);
});

test('what is not served, and parameters that are not declared, reach no handler', () => {
  const { call } = served(() => assert.fail('it was called'));
  for (const [request, error, parameters] of [
    [{ method: 'a.b.None' }, 'MethodNotFound', '{"method":"a.b.None"}'],
    [{ method: 'a.b.Unserved' }, 'MethodNotImplemented', '{"method":"a.b.Unserved"}'],
    [{ method: 'c.d.M' }, 'InterfaceNotFound', '{"interface":"c.d"}'],
    [{ parameters: { x: 1 } }, 'InvalidParameter', '{"parameter":"x"}'],
    [{ parameters: { n: 'x' } }, 'InvalidParameter', '{"parameter":"n"}'],
  ] as const) {
    assert.deepEqual(call(request), { error: `org.varlink.service.${error}`, parameters });
  }
});

test('an answer that comes later is the same', async () => {
  const { call } = served(async () => ({ text: 'x' }));
  const answer = call();
  assert.ok(answer instanceof Promise);
  assert.deepEqual(await answer, { parameters: '{"text":"x"}' });
  const refused = served(async () => {
    throw new VarlinkError('a.b.Refused', { why: 'so' });
  });
  assert.deepEqual(await refused.call(), { error: 'a.b.Refused', parameters: '{"why":"so"}' });
});

test('what the handler does wrong is told to the service, and to the peer that it failed', async () => {
  const slip = new TypeError('a slip');
  const thrown = served(() => {
    throw slip;
  });
  assert.deepEqual(thrown.call(), internal('its handler failed', slip));
  const rejected = served(() => Promise.reject(slip));
  assert.deepEqual(await rejected.call(), internal('its handler failed', slip));
  for (const [handler, what] of [
    [() => ({ texts: [] }) as JsonObject, 'its reply is not as its interface declares'],
    [
      () => {
        throw new VarlinkError('a.b.Unheard');
      },
      'its error reply is not as its interface declares',
    ],
    [
      () => {
        throw new VarlinkError('a.b.Refused', { why: 5 });
      },
      'its error reply is not as its interface declares',
    ],
  ] as const) {
    const answer = served(handler).call();
    assert.ok(!(answer instanceof Promise) && answer.failure?.cause instanceof TypeError);
    assert.deepEqual(answer, internal(what, answer.failure.cause));
  }
});

test('several replies are for a call with "more", and before its final one', async () => {
  let late: (() => boolean) | undefined;
  const { sent, call } = served(given => {
    late = () => given.send({ text: 'late' });
    const taken = [given.send({ text: '1' }), given.send({ text: '2' })];
    return { text: taken.join(' ') };
  });
  assert.deepEqual(call({ more: true }), { parameters: '{"text":"true false"}' }, 'whether to send more now');
  assert.deepEqual(sent, ['{"text":"1"}', '{"text":"2"}']);
  assert.throws(() => late?.(), { message: 'a.b.M: the call has had its final reply' });
  const answer = call();
  assert.ok(!(answer instanceof Promise) && answer.failure?.cause instanceof Error);
  assert.equal(answer.failure.cause.message, 'a.b.M: the call is not for several replies ("more")');
  assert.equal(sent.length, 2);
});

test('all of many replies are for a call with "more" only', async () => {
  const { sent, call } = served(async given => {
    await given.sendAll([{ text: '1' }, { text: '2' }, { text: '3' }]);
    return { text: 'last' };
  });
  assert.deepEqual(await call({ more: true }), { parameters: '{"text":"last"}' });
  assert.deepEqual(sent.splice(0), ['{"text":"1"}', '{"text":"2"}', '{"text":"3"}']);
  const answer = await call();
  assert.ok(answer.failure?.cause instanceof Error);
  assert.equal(answer.failure.cause.message, 'a.b.M: the call is not for several replies ("more")');
  assert.deepEqual(sent, []);
});

test('after an error there is no further reply either', () => {
  let late: (() => boolean) | undefined;
  const { sent, call } = served(given => {
    late = () => given.send({ text: 'late' });
    throw new VarlinkError('a.b.Refused', { why: 'so' });
  });
  call({ more: true });
  assert.throws(() => late?.(), { message: 'a.b.M: the call has had its final reply' });
  assert.deepEqual(sent, []);
});

test('a reply of several that is not as declared is not sent', () => {
  const { sent, call } = served(given => {
    assert.throws(() => given.send({ text: 5 }), TypeError);
    return { text: 'x' };
  });
  call({ more: true });
  assert.deepEqual(sent, []);
});

test('an error that the library found is written as it is declared', () => {
  const { methods } = served(() => ({ text: '' }));
  assert.deepEqual(refusal(methods, invalidParameter('n')), {
    error: 'org.varlink.service.InvalidParameter',
    parameters: '{"parameter":"n"}',
  });
});
