/** What the daemon asks a helper, and that it takes nothing for an answer but what protocol.h says. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { asUid } from '../../../../src/core/ids.ts';
import { parseUserName } from '../../../../src/core/name.ts';
import { giftsQuestion } from '../../../../src/host/helper/ipc-gifts.ts';
import {
  accountQuestion,
  ownerQuestion,
  parseRefusal,
  processQuestion,
  readReply,
  reapQuestion,
  runningQuestion,
  writeLine,
} from '../../../../src/host/helper/protocol.ts';

const name = parseUserName('httpd');
const uid = asUid(61184);
assert.ok('name' in name && uid !== undefined);
const other = asUid(65519);
assert.ok(other !== undefined);
const account = accountQuestion(name.name);
const owner = ownerQuestion(uid);
const process = processQuestion(uid);

describe('questions to a helper', () => {
  it('are one line, alone or several', () => {
    assert.equal(writeLine([account]), 'name httpd\n');
    assert.equal(writeLine([account, owner, process]), 'name httpd; owner 61184; process 61184\n');
    assert.equal(writeLine([runningQuestion([uid, other])]), 'running 61184,65519\n');
    assert.equal(writeLine([reapQuestion('remove-ipc', uid)]), 'remove-ipc 61184\n');
  });
});

describe('answers of a helper', () => {
  const accounts: readonly (readonly [line: string, answer: object])[] = [
    ['account - -', {}],
    ['account 5:60 -', { user: { uid: 5, gid: 60 } }],
    ['account - 20', { group: { gid: 20 } }],
    ['account 0:0 4294967294', { user: { uid: 0, gid: 0 }, group: { gid: 4294967294 } }],
  ];
  for (const [line, answer] of accounts) {
    it(line, () => assert.deepEqual(account.parse(line.split(' ')), { answer }));
  }

  const owners: readonly (readonly [line: string, answer: object | undefined])[] = [
    ['free', undefined],
    ['user games', { kind: 'user', name: 'games' }],
    ['group a%20b', { kind: 'group', name: 'a b' }],
    ['user ', { kind: 'user', name: '' }],
    ['user %C3%A4%FF%1B%5B2J', { kind: 'user', name: 'ä\ufffd[2J' }],
    ['ipc sysv-sem 7', { kind: 'ipc', object: 'sysv-sem', id: '7' }],
    ['ipc posix-shm /dev/shm/x', { kind: 'ipc', object: 'posix-shm', id: '/dev/shm/x' }],
  ];
  for (const [line, answer] of owners) {
    it(line, () => assert.deepEqual(owner.parse(line.split(' ')), { answer: { evidence: answer, given: false } }));
  }

  const processes: readonly (readonly [line: string, answer: object | undefined])[] = [
    ['free', undefined],
    ['process 42 sshd user', { kind: 'process', pid: 42, command: 'sshd', as: 'user' }],
    ['process 42 smbd group', { kind: 'process', pid: 42, command: 'smbd', as: 'group' }],
    ['process 42 cat supplementary', { kind: 'process', pid: 42, command: 'cat', as: 'supplementary' }],
    ['process 0  user', { kind: 'process', pid: 0, command: '', as: 'user' }],
  ];
  for (const [line, answer] of processes) {
    it(line, () => assert.deepEqual(process.parse(line.split(' ')), { answer }));
  }

  it('are about what was asked', () => {
    const [user, ipc, of] = ['user games', 'ipc sysv-sem 7', 'process 42 sshd user'].map(line => line.split(' '));
    assert.ok(user !== undefined && ipc !== undefined && of !== undefined);
    const left = reapQuestion('remove-ipc', uid);
    const parsers = [owner, process, left];
    assert.deepEqual(
      [user, ipc, of].map(fields => parsers.map(({ parse }) => parse(fields) !== undefined)),
      [
        [true, false, false],
        [true, false, true],
        [false, true, true],
      ],
    );
  });

  it('end with the first that finds something, or with a refusal', () => {
    const read = (line: string) => readReply([account, owner, process], line);
    const answers = (...all: unknown[]) => ({ answer: { answers: all } });
    const free = { evidence: undefined, given: false };
    const games = { evidence: { kind: 'group', name: 'games' }, given: false };
    const sshd = { kind: 'process', pid: 4, command: 'sshd', as: 'user' };
    assert.deepEqual(read('account - -; free; free'), answers({}, free, undefined));
    assert.deepEqual(read('account - -; given; free'), answers({}, { ...free, given: true }, undefined));
    assert.deepEqual(read('account - 20'), answers({ group: { gid: 20 } }));
    assert.deepEqual(read('account - -; group games'), answers({}, games));
    assert.deepEqual(read('account - -; free; process 4 sshd user'), answers({}, free, sshd));
    const refusal = { call: 'getpwuid_r', errno: 5 };
    assert.deepEqual(read('account - -; error getpwuid_r 5'), { answer: { refusal, subject: 'UID 61184' } });
    assert.deepEqual(read('error getpwuid_r 5'), { answer: { refusal, subject: 'the user "httpd"' } });
    assert.equal(read('again'), 'again');
    for (const line of [
      'account - -',
      'account - -; free',
      'account - 20; free; free',
      'account - -; group games; free',
      'account - -; free; free; free',
      'account - -; error getpwuid_r 5; free',
      'error getpwuid_r 5; free; free',
      'account - -; again',
      'account - -;free; free',
      'account - -; invalid',
      'free; free; free',
      '',
    ]) {
      assert.equal(read(line), 'nonsense', line);
    }
  });

  it('say that a UID is free but for what strangers gave to it, and what of that was removed', () => {
    assert.deepEqual(owner.parse(['given']), { answer: { evidence: undefined, given: true } });
    const { text: asked, parse } = giftsQuestion(uid);
    assert.equal(asked, 'remove-given 61184');
    assert.deepEqual(parse(['removed', '0']), { answer: { count: 0, named: [] } });
    assert.deepEqual(parse('removed 2168 sysv-msg 7 1000 sysv-shm 3 0'.split(' ')), {
      answer: {
        count: 2168,
        named: [
          { object: 'sysv-msg', id: 7, creator: 1000 },
          { object: 'sysv-shm', id: 3, creator: 0 },
        ],
      },
    });
    const none = ['', 'free', 'removed', 'removed x', 'removed 0 sysv-msg 7 1000', 'removed 1 sysv-msg 7'];
    for (const text of [...none, 'removed 1 sysv 7 0', 'removed 1 sysv-msg -7 0', 'removed 1 sysv-msg 7 x']) {
      assert.equal(parse(text.split(' ')), undefined, text);
    }
  });

  it('about those that run, names some of those that were asked for, once', () => {
    const { parse } = runningQuestion([uid, other]);
    assert.deepEqual(parse(['running']), { answer: new Set() });
    assert.deepEqual(parse(['running', '65519']), { answer: new Set([other]) });
    assert.deepEqual(parse(['running', '61184', '65519']), { answer: new Set([uid, other]) });
    for (const line of ['', 'free', 'running 1', 'running 61184 61184', 'running 61184 ', 'running 61184,65519']) {
      assert.equal(parse(line.split(' ')), undefined, line);
    }
  });

  const noAccounts = [
    '',
    'account',
    'account -',
    'account - - -',
    'account 5 -',
    'account 5: -',
    'account 5:60:1 -',
    'account 05:60 -',
    'account -1:60 -',
    'account 4294967295:0 -',
    'account 1:2 x',
    'account 1:2 4294967295',
    'Account - -',
    'account  -',
    'free',
  ];
  for (const line of noAccounts) {
    it(`none: "${line}"`, () => assert.equal(account.parse(line.split(' ')), undefined));
  }

  const noFindings = [
    '',
    'free ',
    'free free',
    'given 1',
    'Free',
    'user',
    'user a b',
    'user a%2',
    'user a%zz',
    'user a%2f',
    'user a:b',
    'user a\r',
    'ipc sysv 1',
    'ipc sysv-shm',
    'ipc sysv-shm 1 2',
    'process x y user',
    'process 1',
    'process 1 x',
    'process 1 x y',
    'process 1 x user y',
    'process 4194305 x user',
    'process 01 x user',
    'account - -',
    'toString x',
  ];
  for (const line of noFindings) {
    it(`none: "${line}"`, () => {
      assert.equal(owner.parse(line.split(' ')), undefined);
      assert.equal(process.parse(line.split(' ')), undefined);
    });
  }
});

describe('refusals of a helper', () => {
  it('name the call and the errno', () => {
    assert.deepEqual(parseRefusal(['error', 'getpwnam_r', '5']), { call: 'getpwnam_r', errno: 5 });
    assert.deepEqual(parseRefusal(['error', '/etc/nsswitch.conf', '27']), { call: '/etc/nsswitch.conf', errno: 27 });
  });

  for (const line of ['error', 'error x', 'error x -5', 'error x 5 5', 'error  5', 'error a%20b 5', 'err x 5']) {
    it(`none: "${line}"`, () => assert.equal(parseRefusal(line.split(' ')), undefined));
  }
});
