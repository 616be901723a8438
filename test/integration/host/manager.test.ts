/** What the helper asks the service manager about its dynamic users, and what it makes of the answers, right and wrong ones. */
// runs alone: the helper looks at every process of the host, and a machine of another test has users of the same range
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BUILD } from '../../support/native.ts';
import { uid, userName } from './helpers.ts';
import { knowsNobody, type Provider, sharedLocks, withUserDatabase } from './user-database.ts';

const MANAGER = 'io.systemd.DynamicUser';
const NAME = userName('theirs');
const UNKNOWN = userName('nosuchuser');
const OTHER = 'passwd: files\ngroup: files\n';
const FILES_FIRST = 'passwd: files systemd\ngroup: files systemd\n';

/** Has one dynamic user, as process 1 tells of it. */
const manager: Provider = call => {
  const { method, parameters } = JSON.parse(call.slice(0, -1));
  if (parameters.userName !== NAME && parameters.groupName !== NAME) {
    return knowsNobody(call);
  }
  const ids = { uid: 61_999, gid: 61_999 };
  const record = method.endsWith('UserRecord')
    ? { userName: NAME, ...ids, realName: 'Dynamic User', disposition: 'dynamic', service: MANAGER }
    : { groupName: NAME, gid: ids.gid, disposition: 'dynamic', service: MANAGER };
  return `${JSON.stringify({ parameters: { record, incomplete: false } })}\0`;
};

const NONSENSE: readonly (readonly [what: string, reply: string | undefined])[] = [
  ['closes the connection', undefined],
  ['says no JSON', 'x\0'],
  ['says nothing', '{}\0'],
  ['has another error', '{"error":"io.systemd.UserDatabase.ServiceNotAvailable","parameters":{}}\0'],
  ['has a record without a number', '{"parameters":{"record":{"userName":"nosuchuser"}}}\0'],
  ['has an invalid UID', '{"parameters":{"record":{"userName":"nosuchuser","uid":-1}}}\0'],
  ['says more than a record can have', `{"parameters":{"record":{"realName":"${'x'.repeat(5_000)}"}}}\0`],
];

describe(`the service manager (${BUILD.name} helper)`, () => {
  it('is asked once for a name, and its user is one of the host', () =>
    withUserDatabase({ providers: { [MANAGER]: manager } }, async (probe, connections) => {
      assert.deepEqual(await probe.account(UNKNOWN), {});
      assert.equal(connections(MANAGER), 1);
      const ids = { user: { uid: 61_999, gid: 61_999 }, group: { gid: 61_999 } };
      assert.deepEqual(await probe.account(NAME), ids);
      assert.equal(connections(MANAGER), 2);
    }));

  it('is asked for a name also if nss-systemd is not a source', () =>
    withUserDatabase({ providers: { [MANAGER]: manager }, sources: OTHER }, async (probe, connections) => {
      assert.deepEqual(await probe.account(UNKNOWN), {});
      assert.equal(connections(MANAGER), 1);
      const ids = { user: { uid: 61_999, gid: 61_999 }, group: { gid: 61_999 } };
      assert.deepEqual(await probe.account(NAME), ids);
      assert.deepEqual((await probe.check(NAME, uid(64_420))).account, ids);
      assert.equal(connections(MANAGER), 3);
    }));

  it('adds no half to a name that the sources know if nss-systemd is not a source', () => {
    const phantom: Provider = () => '{"parameters":{"record":{"uid":20}}}\0';
    return withUserDatabase({ providers: { [MANAGER]: phantom }, sources: OTHER }, async probe => {
      assert.deepEqual(await probe.account(userName('dialout')), { group: { gid: 20 } });
    });
  });

  it('does not change what sources before it say', () => {
    // As where a unit has Group=dialout: the manager knows a "user" of every name that its units have named.
    const phantom: Provider = () => '{"parameters":{"record":{"uid":61998}}}\0';
    return withUserDatabase({ providers: { [MANAGER]: phantom }, sources: FILES_FIRST }, async probe => {
      assert.deepEqual(await probe.account(userName('root')), { user: { uid: 0, gid: 0 }, group: { gid: 0 } });
      assert.deepEqual((await probe.account(userName('dialout'))).group, { gid: 20 });
    });
  });

  for (const [what, reply] of NONSENSE) {
    it(`is asked by way of nss-systemd where it ${what}`, () => {
      let first = true;
      const confused: Provider = call => {
        const answer = first ? reply : manager(call);
        first = false;
        return answer;
      };
      return withUserDatabase({ providers: { [MANAGER]: confused } }, async (probe, connections) => {
        const ids = { user: { uid: 61_999, gid: 61_999 }, group: { gid: 61_999 } };
        assert.deepEqual(await probe.account(NAME), ids);
        assert.ok(connections(MANAGER) >= 3, 'once by us, then for the user and the group');
      });
    });
  }

  for (const [what, reply] of NONSENSE) {
    it(`is asked again if it ${what}, and nobody is told that there is no such user`, async () => {
      let asked = 0;
      const once: Provider = call => (asked++ === 0 ? reply : manager(call));
      await withUserDatabase({ providers: { [MANAGER]: once }, sources: OTHER }, async probe => {
        assert.deepEqual((await probe.account(NAME)).user, { uid: 61_999, gid: 61_999 });
      });
      await withUserDatabase({ providers: { [MANAGER]: () => reply }, sources: OTHER }, async probe => {
        await assert.rejects(probe.account(NAME), /io\.systemd\.DynamicUser failed .*: .*\(EIO\); look at who serves/);
      });
    });
  }

  it('is asked for numbers only where it does not share our locks', async () => {
    const providers = { [MANAGER]: manager };
    await withUserDatabase({ providers, prepare: sharedLocks }, async (probe, connections) => {
      assert.equal(await probe.evidence(uid(64_420)), undefined);
      assert.equal(connections(MANAGER), 0);
      assert.deepEqual((await probe.account(NAME)).user, { uid: 61_999, gid: 61_999 });
      assert.equal(await probe.evidence(uid(64_420)), undefined);
      assert.equal(connections(MANAGER), 1);
    });
    await withUserDatabase({ providers }, async (probe, connections) => {
      assert.equal(await probe.evidence(uid(64_421)), undefined);
      assert.ok(connections(MANAGER) >= 2, 'asked for the user and the group');
    });
  });
});
