/**
 * A helper's questions never come back to the daemon, by nss-systemd or our own module, and never end at nscd; nor do they go
 * where the answer is known otherwise.
 */
// runs alone: the helper looks at every process of the host, and a machine of another test has users of the same range
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { HelperProbe } from '../../../src/host/helper/probe.ts';
import { HELPER, uid, userName, whileOpen, withDirectory, withSources } from './helpers.ts';
import { knowsNobody, sharedLocks, withUserDatabase } from './user-database.ts';

const DEADLINE_MS = 10_000;
const MANAGER = 'io.systemd.DynamicUser';
const FILES_FIRST = 'passwd: files systemd\ngroup: files [SUCCESS=merge] systemd\n';

describe('the helper', () => {
  it('is answered by nss-systemd without our own socket', () => {
    const providers = { 'io.dynuser.DynamicUser': knowsNobody, 'io.example.Other': knowsNobody };
    return withUserDatabase({ providers }, async (probe, connections) => {
      assert.deepEqual(await probe.account(userName('nosuchuser')), {});
      assert.equal(await probe.evidence(uid(64_400)), undefined);
      assert.ok(connections('io.example.Other') >= 4, 'nss-systemd asks the other provider');
      assert.equal(connections('io.dynuser.DynamicUser'), 0);
    });
  });

  it('knows the records in files without systemd-userdbd', () => {
    const providers = { 'io.systemd.DropIn': knowsNobody, 'io.example.Other': knowsNobody };
    const prepare = (directory: string): string => {
      writeFileSync(`${directory}/dropped.user`, '{"userName":"dropped","uid":64410,"gid":64411}');
      writeFileSync(`${directory}/dropped.group`, '{"groupName":"dropped","gid":64411}');
      const links = 'ln -s dropped.user 64410.user && ln -s dropped.group 64411.group';
      return `cp ${directory}/dropped.* /run/userdb && (cd /run/userdb && ${links})`;
    };
    return withUserDatabase({ providers, prepare }, async (probe, connections) => {
      const account = { user: { uid: 64_410, gid: 64_411 }, group: { gid: 64_411 } };
      assert.deepEqual(await probe.account(userName('dropped')), account);
      assert.deepEqual(await probe.evidence(uid(64_410)), { kind: 'user', name: 'dropped' });
      assert.deepEqual(await probe.evidence(uid(64_411)), { kind: 'group', name: 'dropped' });
      assert.equal(await probe.evidence(uid(64_412)), undefined);
      assert.ok(connections('io.example.Other') > 0, 'nss-systemd asks the other provider');
      assert.equal(connections('io.systemd.DropIn'), 0);
    });
  });

  it('leaves nss-systemd out where nobody but the service manager knows users, and asks it as soon as somebody does', () =>
    withDirectory(async traces => {
      const [trace, records] = [`${traces}/trace`, `${traces}/records`];
      mkdirSync(records);
      const options = {
        providers: { [MANAGER]: knowsNobody, 'io.systemd.Multiplexer': knowsNobody },
        prepare: (directory: string) => `${sharedLocks(directory)} && mount --bind ${records} /run/userdb`,
        sources: FILES_FIRST,
        before: ['strace', '-A', '-f', '-qq', '-e', 'trace=openat', '-o', trace],
      };
      await withUserDatabase(options, async (asks, connections) => {
        const isRead = () => /"\/run\/userdb\/[^"]+\.(?:user|group)"/.test(readFileSync(trace, 'utf8'));
        assert.deepEqual(await asks.account(userName('dropped')), {});
        assert.equal(await asks.evidence(uid(64_410)), undefined);
        assert.equal(connections(MANAGER), 1, 'for the name, by the helper itself');
        assert.equal(isRead(), false);
        // Of its own making, for hosts whose files have neither.
        assert.equal((await asks.account(userName('nobody'))).user?.uid, 65_534);
        assert.equal(isRead(), true);
        writeFileSync(trace, '');
        writeFileSync(`${records}/dropped.user`, '{"userName":"dropped","uid":64410,"gid":64411}');
        writeFileSync(`${records}/64410.user`, '{"userName":"dropped","uid":64410,"gid":64411}');
        assert.deepEqual((await asks.account(userName('dropped'))).user, { uid: 64_410, gid: 64_411 });
        assert.deepEqual(await asks.evidence(uid(64_410)), { kind: 'user', name: 'dropped' });
        assert.equal(isRead(), true);
        assert.deepEqual((await asks.check(userName('dropped'), uid(64_410))).account.user?.uid, 64_410);
      });
    }));

  it('loads no module of ours, and asks no nscd', () =>
    withDirectory(async directory => {
      writeFileSync(`${directory}/nsswitch.conf`, 'passwd: files dynuser\ngroup: files dynuser\n');
      const [program, ...rest] = withSources(`${directory}/nsswitch.conf`);
      const trace = ['-f', '-qq', '-e', 'trace=openat,connect,execve', '-o', `${directory}/trace`];
      await whileOpen(new HelperProbe(['strace', '-A', ...trace, program, ...rest], () => DEADLINE_MS), async probe => {
        assert.deepEqual(await probe.account(userName('nosuchuser')), {});
        assert.equal(await probe.evidence(uid(64_401)), undefined);
      });
      const calls = readFileSync(`${directory}/trace`, 'utf8');
      const helper = calls.slice(calls.indexOf(`execve("${HELPER}"`));
      assert.match(helper, /openat\(.*"\/etc\/passwd"/, 'files is asked');
      assert.doesNotMatch(helper, /nscd|libnss_dynuser/);
    }));
});
