/** One connection to a bus of the test's own: what is asked and answered, what comes in, and how it ends. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';
import { type BusConnection, openConnection } from '../../../src/dbus/connection.ts';
import { CALL_TIMEOUT_MS, MESSAGE_BYTES_MAX, OPEN_TIMEOUT_MS, OUTPUT_BYTES_MAX } from '../../../src/dbus/limits.ts';
import { BusError, DRIVER, type IncomingCall, type Signal } from '../../../src/dbus/message.ts';
import { encodeMessage, type RawMessage } from '../../integration/dbus/raw-sender.ts';
import { ERROR, FakeBus, type Peer, RETURN, SIGNAL, strings } from './fake-bus.ts';
import { pendingWork } from './fake-connection.ts';

const QUESTION = { destination: ':1.7', path: '/a', interface: 'a.b', member: 'Ask', signature: 's', body: ['why'] };
const NO_REPLY_EXPECTED = 1;
const NO_AUTO_START = 2;

/** What somebody sends to us over the bus. */
function sent(parts: Partial<RawMessage> = {}, serial = 9): Buffer {
  const message: RawMessage = {
    ...{ kind: 'call', destination: ':1.1', path: '/a/b', interface: 'c.d', member: 'Do', signature: 's' },
    ...{ body: strings('now'), fields: [[7, 's', ':1.9']], ...parts },
  };
  return encodeMessage(message, serial);
}

let bus: FakeBus;
let connection: BusConnection;
let peer: Peer;
let signals: Signal[];
let calls: IncomingCall[];
let lost: string[];
let dropped: string[];
const events = {
  signal: (signal: Signal) => signals.push(signal),
  call: (call: IncomingCall) => calls.push(call),
  lost: (reason: string) => lost.push(reason),
  dropped: (reason: string) => dropped.push(reason),
};
/** Lets what was sent before be read: an answer comes after it. */
async function allRead(): Promise<void> {
  const answer = connection.call({ destination: DRIVER, path: '/', interface: 'a.b', member: 'Settle' });
  peer.answer(await peer.next('Settle'));
  await answer;
}

beforeEach(async () => {
  [signals, calls, lost, dropped] = [[], [], [], []];
  bus = new FakeBus();
  await bus.start();
  connection = await openConnection(bus.socket, events);
  peer = await bus.peer(0);
});
afterEach(() => {
  mock.timers.reset();
  connection.close();
  bus.remove();
});

describe('a question', () => {
  it('is put as it is, starts no service, and has the body of the answer', async () => {
    const answer = connection.call(QUESTION);
    const asked = await peer.next('Ask');
    const { type, flags, destination, path, interface: name, signature, body } = asked;
    assert.deepEqual(
      { type, flags, destination, path, interface: name, signature, body },
      {
        ...{ type: 1, flags: NO_AUTO_START, destination: ':1.7', path: '/a', interface: 'a.b' },
        ...{ signature: 's', body: strings('why') },
      },
    );
    peer.answer(asked, ['this', 'is why'], '', ':1.7');
    assert.deepEqual(await answer, ['this', 'is why']);
  });

  it('is answered by who was asked, and by nobody else', async () => {
    const answer = connection.call(QUESTION);
    peer.answer(await peer.next('Ask'), ['yes'], '', ':1.8');
    await assert.rejects(answer, /^Error: Ask: the answer came from somebody else$/);
  });

  it('that is refused has the error, with its name', async () => {
    const answer = connection.call(QUESTION);
    peer.answer(await peer.next('Ask'), ['it is late'], 'a.b.Error.Late', ':1.7');
    await assert.rejects(answer, (error: unknown) => {
      assert.ok(error instanceof BusError);
      assert.deepEqual([error.errorName, error.message], ['a.b.Error.Late', 'a.b.Error.Late: it is late']);
      return true;
    });
  });

  it('without an answer is given up in time, and not before', async () => {
    mock.timers.enable({ apis: ['setTimeout'] });
    const ends: string[] = [];
    const answer = connection.call(QUESTION).catch((error: Error) => ends.push(error.message));
    await peer.next('Ask');
    mock.timers.tick(CALL_TIMEOUT_MS - 1);
    await pendingWork();
    assert.deepEqual(ends, []);
    mock.timers.tick(1);
    await answer;
    assert.deepEqual([ends, lost], [['Ask: no answer within 5 s'], []]);
  });

  it('ends with the connection, whichever side ends it', async () => {
    const first = connection.call(QUESTION);
    await peer.next('Ask');
    peer.close();
    await assert.rejects(first, /^Error: Ask: the message bus closed the connection$/);
    assert.deepEqual(lost, ['the message bus closed the connection']);
    await assert.rejects(connection.call(QUESTION), /^Error: the connection to the message bus is gone$/);

    connection = await openConnection(bus.socket, events);
    peer = await bus.peer(1);
    const second = connection.call(QUESTION);
    await peer.next('Ask');
    connection.close();
    await assert.rejects(second, /^Error: Ask: the connection was closed$/);
    await peer.closed;
    await assert.rejects(connection.call(QUESTION), /^Error: the connection to the message bus is gone$/);
    assert.equal(lost.length, 1, 'who closes it is not told that it is lost');
  });
});

describe('what comes in', () => {
  it('is told with its sender: signals and calls', async () => {
    peer.send(sent({ kind: 'signal', member: 'Done' }));
    peer.send(sent());
    await allRead();
    const told = [...signals, ...calls].map(({ sender, path, interface: name, member, signature, body }) =>
      [sender, path, name, member, signature, ...body].join(' '),
    );
    assert.deepEqual(told, [':1.9 /a/b c.d Done s now', ':1.9 /a/b c.d Do s now']);
    assert.deepEqual(
      calls.map(({ answerWanted }) => answerWanted),
      [true],
    );
  });

  it('is answered to its sender: with values, or with an error', async () => {
    peer.send(sent({}, 21));
    peer.send(sent({}, 22));
    await allRead();
    assert.equal(calls[0]?.reply('ss', ['a', 'b']), true);
    calls[1]?.fail('c.d.Error.No', 'not \0 now');
    const reply = await peer.next(RETURN);
    const shown = ({ destination, replySerial, signature, error, body }: typeof reply) => [
      ...[destination, replySerial, signature, error, body.toString()],
    ];
    assert.deepEqual(shown(reply), [':1.9', 21, 'ss', undefined, strings('a', 'b').toString()]);
    const failed = await peer.next(ERROR);
    assert.deepEqual(shown(failed), [':1.9', 22, 's', 'c.d.Error.No', strings('not \ufffd now').toString()]);
  });

  it('has no answer if none is wanted, or nobody is there for it', async () => {
    const quiet = sent();
    quiet[2] = NO_REPLY_EXPECTED;
    peer.send(quiet);
    peer.send(sent());
    await allRead();
    const [first, second] = calls;
    assert.equal(first?.answerWanted, false);
    assert.equal(first.reply('', []), false);
    first.fail('c.d.Error.No', 'no');
    await allRead();
    assert.deepEqual(peer.received, []);
    connection.close();
    assert.equal(second?.reply('', []), false);
  });

  it('is left out if it is too much, which its sender is told, if it waits and is known', async () => {
    const body = Buffer.alloc(4 + 5_000);
    body.writeUInt32LE(5_000);
    const quiet = sent({ signature: 'ab', body }, 33);
    quiet[2] = NO_REPLY_EXPECTED;
    const long = sent({ body: strings('x'.repeat(MESSAGE_BYTES_MAX)) }, 32);
    peer.send(Buffer.concat([sent({ signature: 'ab', body }, 31), long, quiet, sent()]));
    const { destination, replySerial, error, body: text } = await peer.next(ERROR);
    assert.deepEqual([destination, replySerial, error], [':1.9', 31, `${DRIVER}.Error.LimitsExceeded`]);
    assert.deepEqual(text, strings(`the message was not read: ${dropped[0]}`));
    await allRead();
    assert.deepEqual([calls.length, dropped.length, lost, peer.received], [1, 3, [], []]);
  });

  it('is left out if it is not a message, and is said to be so; an error of the stream is its end, and no message', async () => {
    peer.send(Buffer.concat([sent({ member: 'no member' }), sent()]));
    await allRead();
    assert.deepEqual([calls.length, dropped.length, lost], [1, 1, []]);
    peer.pause();
    connection.emit([{ path: '/', interface: 'a.b', member: 'C', signature: '', body: [] }]);
    // What it has not read makes its end an error here: ECONNRESET.
    peer.close();
    while (lost.length === 0) {
      await pendingWork();
    }
    assert.equal(dropped.length, 1);
  });

  it('waits for the turn of its sender, until all of it is asked for', async () => {
    connection.close();
    const waiting: (() => boolean)[] = [];
    connection = await openConnection(bus.socket, events, { run: task => waiting.push(() => task.step()) });
    peer = await bus.peer(1);
    peer.send(sent());
    peer.send(sent({ kind: 'signal' }));
    await allRead();
    assert.deepEqual([calls.length, signals.length], [0, 0]);
    assert.equal(waiting[0]?.(), true);
    assert.deepEqual([calls.length, signals.length], [1, 0]);
    connection.flush();
    assert.deepEqual([calls.length, signals.length], [1, 1]);
  });

  it('is nothing any more once the connection is closed', async () => {
    connection.close();
    connection = await openConnection(bus.socket, events, { run: () => {} });
    peer = await bus.peer(1);
    peer.send(sent());
    peer.send(sent({ kind: 'signal' }));
    await allRead();
    connection.close();
    connection.flush();
    assert.deepEqual([calls, signals], [[], []]);
  });
});

describe('signals of ours', () => {
  it('are sent in their order, with all that they say', async () => {
    const signal = (member: string) => ({ path: '/a', interface: 'a.b', member, signature: 'ss', body: [member, 'x'] });
    connection.emit([signal('One'), signal('Two')]);
    await allRead();
    assert.deepEqual(
      peer.received.map(({ type, path, interface: name, member, signature, destination, body }) => [
        ...[type, path, name, member, signature, destination, body.toString()],
      ]),
      ['One', 'Two'].map(member => [SIGNAL, '/a', 'a.b', member, 'ss', undefined, strings(member, 'x').toString()]),
    );
    connection.close();
    connection.emit([signal('Three')]);
    await peer.closed;
    assert.equal(peer.received.length, 2);
  });
});

it('is given up if the bus does not take what it is sent: so much may wait, and not much more', async () => {
  peer.pause();
  const MEBIBYTE = 1024 * 1024;
  const signal = { path: '/', interface: 'a.b', member: 'C', signature: 's', body: ['x'.repeat(MEBIBYTE)] };
  const most = OUTPUT_BYTES_MAX / MEBIBYTE;
  for (let sent = 1; sent < most; sent++) {
    connection.emit([signal]);
  }
  assert.deepEqual(lost, []);
  connection.emit([signal, signal, signal]);
  assert.deepEqual(lost, ['the message bus does not take what it is sent']);
  await assert.rejects(connection.call(QUESTION), /is gone$/);
});

describe('a connection that cannot be had', () => {
  const refused = async (words: RegExp): Promise<void> => {
    await assert.rejects(openConnection(bus.socket, events), (error: Error) => {
      assert.match(error.message, words);
      assert.ok(error.message.startsWith(`cannot use the message bus at ${bus.socket}: `), error.message);
      return true;
    });
    await (await bus.peer(bus.peers.length - 1)).closed;
    assert.deepEqual(lost, []);
  };

  it('says why: another kind of authentication, no Hello, an early end', async () => {
    bus.greet = each => each.send(Buffer.from('REJECTED KERBEROS\r\n'));
    await refused(/authentication failed: REJECTED KERBEROS$/);
    bus.greet = each => each.close();
    await refused(/it closed the connection|EPIPE|ECONNRESET/);
  });

  it('is given up in time if nothing is said, and not before', async () => {
    bus.greet = () => {};
    mock.timers.enable({ apis: ['setTimeout'] });
    const ends: string[] = [];
    const attempt = openConnection(bus.socket, events).catch((error: Error) => ends.push(error.message));
    const silent = await bus.peer(1);
    mock.timers.tick(OPEN_TIMEOUT_MS - 1);
    await pendingWork();
    assert.deepEqual(ends, []);
    mock.timers.tick(1);
    await attempt;
    assert.deepEqual(ends, [`cannot use the message bus at ${bus.socket}: no answer within 5 s`]);
    await silent.closed;
  });
});
