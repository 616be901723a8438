/** What the daemon asks a helper, and that it takes nothing for an answer but what protocol.h says. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { asGid, asUid, type Gid } from '../../../../src/core/ids.ts';
import { parseUserName } from '../../../../src/core/name.ts';
import {
  accountIpcQuestion,
  accountQuestion,
  encodeText,
  giftsQuestion,
  groupsQuestion,
  loginQuestion,
  ownerQuestion,
  processQuestion,
  type Question,
  readReply,
  reapQuestion,
  refusalWords,
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

/** @returns what a question makes of a line alone; undefined if that is not an answer */
function parse(question: Question<unknown>, line: string): { readonly answer: unknown } | undefined {
  const reply = readReply([question], line);
  return typeof reply === 'object' && reply.kind === 'answered' ? { answer: reply.answers[0] } : undefined;
}

describe('the answer about groups', () => {
  const groups = groupsQuestion('games', 60 as Gid, 10);

  it('is a list that ascends from the number that was asked for', () => {
    assert.deepEqual(parse(groups, 'groups 10 60 4711'), { answer: [10, 60, 4711] });
    assert.deepEqual(parse(groups, 'groups'), { answer: [] });
  });

  it('is not a list of another kind, or a longer one than it may be', () => {
    const many = Array.from({ length: 513 }, (_, index) => 10 + index).join(' ');
    for (const line of ['groups 9 60', 'groups 60 10', 'groups 60 60', `groups ${many}`, 'groups x', 'free']) {
      assert.equal(parse(groups, line), undefined, line.slice(0, 20));
    }
  });
});

describe('the answer about a login', () => {
  const login = loginQuestion('games');

  it('is home and shell, or that there is no such user', () => {
    assert.deepEqual(parse(login, 'login /usr/games /bin/s%C3%A4h'), {
      answer: { home: '/usr/games', shell: '/bin/säh' },
    });
    assert.deepEqual(parse(login, 'login'), { answer: undefined });
  });

  it('is nothing else', () => {
    for (const line of ['login /usr/games', 'login a b c', 'logins a b', 'login a b%', 'free', '']) {
      assert.equal(parse(login, line), undefined, line);
    }
  });
});

describe('questions to a helper', () => {
  it('are one line, alone or several', () => {
    assert.equal(writeLine([account]), 'name httpd\n');
    assert.equal(writeLine([account, owner, process]), 'name httpd; owner 61184; process 61184\n');
    assert.equal(writeLine([runningQuestion([uid, other])]), 'running 61184,65519\n');
    assert.equal(writeLine([reapQuestion('remove-ipc', uid)]), 'remove-ipc 61184\n');
  });
});

describe('a question', () => {
  it('says what it is about, in words that complete the sentences of its errors', () => {
    const gid = asGid(60) ?? assert.fail();
    const subjects: readonly (readonly [
      question: Pick<Question<never>, 'text' | 'subject'>,
      text: string,
      subject: string,
    ])[] = [
      [account, 'name httpd', 'the user "httpd"'],
      [owner, 'owner 61184', 'UID 61184'],
      [process, 'process 61184', 'UID 61184'],
      [accountQuestion('a b', 'group'), 'name a%20b', 'the group "a b"'],
      [groupsQuestion('a b', gid, 7), 'groups a%20b 60 7', 'the groups of the user "a b"'],
      [loginQuestion('a;b'), 'login a%3Bb', 'home and shell of the user "a;b"'],
      [runningQuestion([uid, other]), 'running 61184,65519', 'the processes of 2 UIDs'],
      [reapQuestion('find-processes', uid), 'find-processes 61184', 'look for the processes of UID 61184'],
      [reapQuestion('terminate-processes', uid), 'terminate-processes 61184', 'terminate the processes of UID 61184'],
      [reapQuestion('kill-processes', uid), 'kill-processes 61184', 'kill the processes of UID 61184'],
      [reapQuestion('clear-keyrings', uid), 'clear-keyrings 61184', 'clear the keyrings of UID 61184'],
      [reapQuestion('remove-ipc', uid), 'remove-ipc 61184', 'remove the IPC objects of UID 61184'],
      [
        accountIpcQuestion(uid, gid),
        'remove-account-ipc 61184,60',
        'remove the IPC objects of the user 61184 and the group 60',
      ],
      [giftsQuestion(uid), 'remove-given 61184', 'remove the IPC objects that others gave to UID 61184'],
    ];
    for (const [question, text, subject] of subjects) {
      assert.deepEqual([question.text, question.subject], [text, subject]);
    }
  });

  it('has each byte of a text encoded that could be taken for something else', () => {
    const plain = 'ABCXYZabcxyz0189._/-';
    assert.equal(encodeText(plain), plain);
    assert.equal(encodeText('a b;c:d,e%f\n~\0'), 'a%20b%3Bc%3Ad%2Ce%25f%0A%7E%00');
    assert.equal(encodeText('ä€😀'), '%C3%A4%E2%82%AC%F0%9F%98%80');
    assert.deepEqual(parse(loginQuestion('x'), `login ${encodeText('ä€ 😀\n')} -`), {
      answer: { home: 'ä€ 😀\n', shell: '-' },
    });
  });

  it('has words for what was refused', () => {
    assert.equal(refusalWords({ call: 'fork', errno: 11 }), 'fork failed: resource temporarily unavailable (EAGAIN)');
    assert.equal(refusalWords({ call: 'fork', errno: 999 }), 'fork failed: error 999');
    assert.match(refusalWords({ call: 'processes', errno: 11 }), /^processes start and end faster .*\(TasksMax=\)$/);
  });

  it('is answered by numbers up to the greatest there may be', () => {
    assert.deepEqual(parse(process, 'process 4194304 x user'), {
      answer: { kind: 'process', pid: 4_194_304, command: 'x', as: 'user' },
    });
    const many = Array.from({ length: 512 }, (_, index) => 10 + index);
    assert.deepEqual(parse(groupsQuestion('x', 60 as Gid, 10), `groups ${many.join(' ')}`), { answer: many });
    assert.deepEqual(parse(giftsQuestion(uid), 'removed 9999999999'), { answer: { count: 9_999_999_999, named: [] } });
    assert.equal(parse(giftsQuestion(uid), 'removed 10000000000'), undefined);
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
    it(line, () => assert.deepEqual(parse(account, line), { answer }));
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
    it(line, () => assert.deepEqual(parse(owner, line), { answer: { evidence: answer, given: false } }));
  }

  const processes: readonly (readonly [line: string, answer: object | undefined])[] = [
    ['free', undefined],
    ['process 42 sshd user', { kind: 'process', pid: 42, command: 'sshd', as: 'user' }],
    ['process 42 smbd group', { kind: 'process', pid: 42, command: 'smbd', as: 'group' }],
    ['process 42 cat supplementary', { kind: 'process', pid: 42, command: 'cat', as: 'supplementary' }],
    ['process 0  user', { kind: 'process', pid: 0, command: '', as: 'user' }],
  ];
  for (const [line, answer] of processes) {
    it(line, () => assert.deepEqual(parse(process, line), { answer }));
  }

  it('are about what was asked', () => {
    const lines = ['user games', 'ipc sysv-sem 7', 'process 42 sshd user'];
    const questions = [owner, process, reapQuestion('remove-ipc', uid)];
    assert.deepEqual(
      lines.map(line => questions.map(question => parse(question, line) !== undefined)),
      [
        [true, false, false],
        [true, false, true],
        [false, true, true],
      ],
    );
  });

  it('end with the first that finds something, or with a refusal', () => {
    const read = (line: string) => readReply([account, owner, process], line);
    const answers = (...all: unknown[]) => ({ kind: 'answered', answers: all });
    const free = { evidence: undefined, given: false };
    const games = { evidence: { kind: 'group', name: 'games' }, given: false };
    const sshd = { kind: 'process', pid: 4, command: 'sshd', as: 'user' };
    assert.deepEqual(read('account - -; free; free'), answers({}, free, undefined));
    assert.deepEqual(read('account - -; given; free'), answers({}, { ...free, given: true }, undefined));
    assert.deepEqual(read('account - 20'), answers({ group: { gid: 20 } }));
    assert.deepEqual(read('account - -; group games'), answers({}, games));
    assert.deepEqual(read('account - -; free; process 4 sshd user'), answers({}, free, sshd));
    const refusal = { call: 'getpwuid_r', errno: 5 };
    assert.deepEqual(read('account - -; error getpwuid_r 5'), { kind: 'refused', refusal, subject: 'UID 61184' });
    assert.deepEqual(read('error getpwuid_r 5'), { kind: 'refused', refusal, subject: 'the user "httpd"' });
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
    assert.deepEqual(parse(owner, 'given'), { answer: { evidence: undefined, given: true } });
    const gifts = giftsQuestion(uid);
    assert.equal(gifts.text, 'remove-given 61184');
    assert.deepEqual(parse(gifts, 'removed 0'), { answer: { count: 0, named: [] } });
    assert.deepEqual(parse(gifts, 'removed 2168 sysv-msg 7 1000 sysv-shm 3 0'), {
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
      assert.equal(parse(gifts, text), undefined, text);
    }
  });

  it('about those that run, names some of those that were asked for, once', () => {
    const running = runningQuestion([uid, other]);
    assert.deepEqual(parse(running, 'running'), { answer: new Set() });
    assert.deepEqual(parse(running, 'running 65519'), { answer: new Set([other]) });
    assert.deepEqual(parse(running, 'running 61184 65519'), { answer: new Set([uid, other]) });
    for (const line of ['', 'free', 'running 1', 'running 61184 61184', 'running 61184 ', 'running 61184,65519']) {
      assert.equal(parse(running, line), undefined, line);
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
    it(`none: "${line}"`, () => assert.equal(parse(account, line), undefined));
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
      assert.equal(parse(owner, line), undefined);
      assert.equal(parse(process, line), undefined);
    });
  }
});

describe('refusals of a helper', () => {
  const read = (line: string) => readReply([account], line);

  it('name the call and the errno', () => {
    const refused = (call: string, errno: number) => ({
      kind: 'refused',
      refusal: { call, errno },
      subject: account.subject,
    });
    assert.deepEqual(read('error getpwnam_r 5'), refused('getpwnam_r', 5));
    assert.deepEqual(read('error /etc/nsswitch.conf 27'), refused('/etc/nsswitch.conf', 27));
  });

  for (const line of ['error', 'error x', 'error x -5', 'error x 5 5', 'error  5', 'error a%20b 5', 'err x 5']) {
    it(`none: "${line}"`, () => assert.equal(read(line), 'nonsense'));
  }
});
