/** How many system calls a lookup makes, as strace(1) sees it: none for what cannot be a dynamic user. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { BUILD, buildNative } from '../support/native.ts';
import { ABSENT, publishLinks, serveUsers, USERS } from './support/dynamic-users.ts';
import { NSS_MODULE, run, temporaryDirectory } from './support/nss.ts';

/** The numbers of test/native/support/module.h. */
const QUERY = {
  passwdByUid: 0,
  passwdByName: 1,
  groupByGid: 2,
  groupByName: 3,
  shadowByName: 4,
  gshadowByName: 5,
} as const;
type Query = keyof typeof QUERY;

const BY_NUMBER: readonly Query[] = ['passwdByUid', 'groupByGid'];
const BY_NAME: readonly Query[] = ['passwdByName', 'groupByName', 'shadowByName', 'gshadowByName'];
const [USER] = USERS;
const TIMES = 5;

/** Just outside of what the range can be, nobody, the 16-bit and the 32-bit -1. */
const IMPOSSIBLE_NUMBERS = [0, 1, 1000, 60577, 65534, 65535, 2147483648, 4294967294, 4294967295];
const IMPOSSIBLE_NAMES = ['', '0', '61184', '-a', '.', 'a.b', 'a:b', 'a/b', '../a', 'a b', 'ä'];

buildNative('nss-tests', BUILD);
const directory = temporaryDirectory();
let traces = 0;

/** Makes one lookup; returns its system calls by name and what it printed. @param inject what strace(1) does to some of them */
async function trace(
  query: Query,
  uid: number,
  name: string,
  variables: Readonly<Record<string, string>>,
  ...inject: readonly string[]
) {
  const file = `${directory}/trace-${traces++}`;
  const probe = [`${BUILD.programs}/probe`, NSS_MODULE, `${QUERY[query]}`, `${uid}`, name];
  const { status, stdout, stderr } = await run('strace', ['-o', file, ...inject, ...probe], variables);
  assert.equal(status, 0, stderr);
  const [, between, ...more] = readFileSync(file, 'utf8').split(/^getppid\(.*\n/m);
  assert.equal(more.length, 1, 'the probe marks begin and end');
  const calls = [...(between ?? '').matchAll(/^(\w+)\(/gm)].map(([, call]) => call);
  return { calls, answer: stdout.trim() };
}

const NOT_FOUND = 'status 0';

describe('system calls of a lookup', { concurrency: 4 }, () => {
  const variables = { DYNUSER_RUNTIME_DIRECTORY: directory };
  before(() => publishLinks(directory));

  for (const query of BY_NUMBER) {
    it(`${query}: none for a number that cannot be ours`, async () => {
      for (const uid of IMPOSSIBLE_NUMBERS) {
        assert.deepEqual(await trace(query, uid, 'a', variables), { calls: [], answer: NOT_FOUND }, `${uid}`);
      }
    });
  }
  for (const query of BY_NAME) {
    it(`${query}: none for a name that cannot be ours`, async () => {
      for (const name of IMPOSSIBLE_NAMES) {
        assert.deepEqual(await trace(query, USER.uid, name, variables), { calls: [], answer: NOT_FOUND }, name);
      }
    });
  }

  /** Shadow records ask for the effective UID, too. */
  const extra = (query: Query) => (query === 'shadowByName' || query === 'gshadowByName' ? 1 : 0);

  /** Groups have members: a link that is not there, in a directory that is. */
  const ofMembers = (query: Query) => (query.startsWith('g') ? 2 : 0);

  for (const query of [...BY_NUMBER, ...BY_NAME]) {
    it(`${query}: three for a user that is published, of which one asks for the process that holds it`, async () => {
      const { calls, answer } = await trace(query, USER.uid, USER.name, variables);
      assert.equal(calls.length, 3 + extra(query) + ofMembers(query), calls.join());
      assert.match(answer, new RegExp(`^${USER.name}:`));
    });
    it(`${query}: three for one that is not, of which one looks for users of other hosts`, async () => {
      const { calls, answer } = await trace(query, ABSENT.uid, ABSENT.name, variables);
      assert.equal(calls.length, 3 + extra(query), calls.join());
      assert.equal(answer, NOT_FOUND);
    });
    it(`${query}: none of its own with the bypass`, async () => {
      const { calls, answer } = await trace(query, USER.uid, USER.name, { ...variables, DYNUSER_NSS_BYPASS: '1' });
      assert.equal(calls.length, extra(query), calls.join());
      assert.equal(answer, NOT_FOUND);
    });
  }
});

describe('system calls of a lookup through the socket', () => {
  const runtime = temporaryDirectory();
  const variables = { DYNUSER_RUNTIME_DIRECTORY: runtime };
  let close = () => {};
  before(async () => {
    const server = await serveUsers(runtime);
    close = () => server.close();
  });
  after(() => close());

  it('are two that look for links, and seven of the socket', async () => {
    // Where a millisecond has passed meanwhile, the time that is left is set once more: the shortest of some is without.
    let calls: readonly (string | undefined)[] = [];
    for (let time = 0; time < TIMES; time++) {
      const traced = await trace('passwdByUid', USER.uid, USER.name, variables);
      assert.match(traced.answer, new RegExp(`^${USER.name}:`));
      calls = time === 0 || traced.calls.length < calls.length ? traced.calls : calls;
    }
    assert.equal(calls.join(), 'readlink,access,socket,setsockopt,connect,sendto,poll,recvfrom,close');
  });
});

describe('system calls of a lookup of a user that lasts as long as a process', { concurrency: 4 }, () => {
  const runtime = temporaryDirectory();
  const variables = { DYNUSER_RUNTIME_DIRECTORY: runtime };
  /** The number of a process that has ended, and of none that runs. */
  const ENDED = 2 ** 22 + 1;
  const { ino: namespace } = statSync('/proc/self/ns/pid');
  const [held, foreign, over] = USERS;
  let close = () => {};
  before(async () => {
    publishLinks(runtime);
    mkdirSync(`${runtime}/holders`);
    const server = await serveUsers(runtime);
    close = () => server.close();
  });
  after(() => close());
  const hold = (user: typeof over, holder: string) => symlinkSync(holder, `${runtime}/holders/${user?.uid}`);

  it('are three if it runs', async () => {
    hold(held, `${process.pid} ${namespace}`);
    const { calls, answer } = await trace('passwdByUid', held.uid, held.name, variables);
    assert.equal(calls.join(), 'readlink,readlink,getpgid');
    assert.match(answer, /^dynamic-user-test:/);
  });

  it('ask no daemon if its number is one of another PID namespace', async () => {
    assert.ok(foreign !== undefined);
    hold(foreign, `${ENDED} 1`);
    const { calls, answer } = await trace('groupByName', foreign.uid, foreign.name, variables);
    assert.doesNotMatch(calls.join(), /connect/);
    assert.match(answer, /^run-u15750:/);
  });

  it('ask the daemon if it is gone, and then read the links again, which are what counts', async () => {
    assert.ok(over !== undefined);
    hold(over, `${ENDED} ${namespace}`);
    const { calls, answer } = await trace('passwdByName', over.uid, over.name, variables);
    assert.match(calls.join(), /^readlink,readlink,getpgid,\w+,.*connect,.*close,readlink$/);
    assert.match(answer, /^abcdef/, 'the daemon has not ended it');
  });

  it('find nobody if the daemon takes the links away while they are read', async () => {
    // From the second on, which asks for the process, nothing is there any more.
    const gone = '--inject=readlink:error=ENOENT:when=2+';
    for (const query of [...BY_NUMBER, ...BY_NAME]) {
      const { calls, answer } = await trace(query, held.uid, held.name, variables, gone);
      assert.match(calls.join(), /readlink,readlink,readlink/);
      assert.equal(answer, NOT_FOUND, query);
    }
  });

  it('find nobody once the daemon has seen its end, and somebody if there is no daemon', async () => {
    const elsewhere = temporaryDirectory();
    publishLinks(elsewhere);
    mkdirSync(`${elsewhere}/holders`);
    symlinkSync(`${ENDED} ${namespace}`, `${elsewhere}/holders/${held.uid}`);
    const there = { DYNUSER_RUNTIME_DIRECTORY: elsewhere };
    assert.match((await trace('passwdByName', held.uid, held.name, there)).answer, /^dynamic-user-test:/);
    const server = await serveUsers(elsewhere, () => {
      rmSync(`${elsewhere}/by-name/${held.name}`);
    });
    try {
      assert.equal((await trace('passwdByName', held.uid, held.name, there)).answer, NOT_FOUND);
    } finally {
      server.close();
    }
  });
});
