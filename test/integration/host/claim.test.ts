/** A name and a UID in one question: the same as one after the other, whether the claim is alone or one of several. */
// runs alone: the helper looks at every process of the host, and a machine of another test has users of the same range
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HelperProbe } from '../../../src/host/helper/probe.ts';
import { BUILD } from '../../support/native.ts';
import { besideThing, built, uid, userName, whileOpen } from './helpers.ts';
import { type Provider, sharedLocks, withUserDatabase } from './user-database.ts';

const DEADLINE_MS = 10_000;
const NUMBER = 64_310;
const UNKNOWN = userName('nosuchuser');
const ROOT = { user: { uid: 0, gid: 0 }, group: { gid: 0 } };

describe(`a claim (${BUILD.name} helper)`, () => {
  it('says of a name and of a number what is to be said', () =>
    whileOpen(new HelperProbe(built(), () => DEADLINE_MS), async probe => {
      const free = { account: {}, evidence: undefined };
      assert.deepEqual(await probe.check(UNKNOWN, uid(NUMBER)), free);
      assert.deepEqual((await probe.check(userName('root'), uid(NUMBER))).account, ROOT);
      const claims = Array.from({ length: 20 }, (_, at) => probe.check(UNKNOWN, uid(NUMBER + at)));
      assert.deepEqual(await Promise.all(claims), Array(20).fill(free));
    }));

  for (const [thing, evidence] of [
    ['sysv-shm', { kind: 'ipc', object: 'sysv-shm', id: '0' }],
    ['process-saved', { kind: 'process' }],
  ] as const) {
    it(`tells of what the UID has: ${thing}`, () =>
      whileOpen(new HelperProbe(besideThing(thing, NUMBER), () => DEADLINE_MS), async probe => {
        const alone = await probe.check(UNKNOWN, uid(NUMBER));
        assert.deepEqual({ ...alone.evidence, ...evidence }, alone.evidence);
        const [, second] = await Promise.all([NUMBER + 1, NUMBER].map(number => probe.check(UNKNOWN, uid(number))));
        assert.deepEqual(second, alone);
      }));
  }

  it('asks the service manager for the name meanwhile', () => {
    const manager: Provider = call => {
      const { userName: name } = JSON.parse(call.slice(0, -1)).parameters;
      return name === 'theirs'
        ? '{"parameters":{"record":{"userName":"theirs","uid":61999}}}\0'
        : '{"error":"io.systemd.UserDatabase.NoRecordFound","parameters":{}}\0';
    };
    const providers = { 'io.systemd.DynamicUser': manager };
    const sources = 'passwd: files systemd\ngroup: files systemd\n';
    const options = { providers, sources, prepare: sharedLocks };
    return withUserDatabase(options, async (probe, connections) => {
      const { account } = await probe.check(userName('theirs'), uid(NUMBER));
      assert.deepEqual(account, { user: { uid: 61_999, gid: 61_999 }, group: { gid: 61_999 } });
      assert.equal(connections('io.systemd.DynamicUser'), 1);
    });
  });
});

for (const line of [
  'account - -; free',
  'account - -; process 1 x user',
  'account - -; free; user x',
  'account -; free; free',
  'account 0 -; free; free',
  'account - -',
  'account - -; free; free; free',
  'account 0:0 -; free; free',
]) {
  it(`"${line}" is not an answer to a check`, () =>
    whileOpen(new HelperProbe(['/bin/sh', '-c', `read -r l; echo '${line}'; read -r l`], () => DEADLINE_MS), probe =>
      assert.rejects(probe.check(UNKNOWN, uid(NUMBER)), /gave an invalid answer when asked for the user/),
    ));
}
