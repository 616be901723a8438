/**
 * A helper's questions never come back to the daemon, by nss-systemd or our own module, and never end at nscd; nor do they go
 * where the answer is known otherwise.
 */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { describe, it } from 'node:test';
import { HelperProbe } from '../../../src/host/probe.ts';
import { type Build, buildHelpers, uid, userName, whileOpen, withDirectory, withSources } from './helpers.ts';

const [build] = buildHelpers();
assert.ok(build !== undefined);
const DEADLINE_MS = 10_000;
const NO_RECORD = '{"error":"io.systemd.UserDatabase.NoRecordFound","parameters":{}}\0';

/** A provider of the user database that counts who comes, and knows nobody. */
function provider(path: string): Promise<{ server: Server; connections(): number }> {
  let count = 0;
  const server = createServer(socket => {
    count++;
    socket.on('error', () => {});
    socket.on('data', () => socket.write(NO_RECORD));
  });
  return new Promise(resolve => server.listen(path, () => resolve({ server, connections: () => count })));
}

/** Shell that makes an empty /run, with a directory of sockets as the user database. */
const withUserDatabase = (sockets: string): string =>
  `mount -t tmpfs tmpfs /run && mkdir -p /run/systemd/userdb /run/systemd/dynamic-uid /run/userdb && mount --bind ${sockets} /run/systemd/userdb`;

/** A user database with these providers, and a probe that asks it by way of nss-systemd. */
function withProviders<Name extends string>(
  names: readonly Name[],
  prepare: (directory: string) => string,
  use: (probe: HelperProbe, connections: (name: Name) => number) => Promise<void>,
): Promise<void> {
  return withDirectory(async directory => {
    const sockets = `${directory}/userdb`;
    mkdirSync(sockets);
    const providers = new Map<Name, Awaited<ReturnType<typeof provider>>>();
    writeFileSync(`${directory}/nsswitch.conf`, 'passwd: systemd\ngroup: systemd\n');
    try {
      for (const name of names) {
        providers.set(name, await provider(`${sockets}/${name}`));
      }
      const script = `${withUserDatabase(sockets)} && ${prepare(directory)}`;
      const command = withSources(build as Build, `${directory}/nsswitch.conf`, script);
      await whileOpen(new HelperProbe(command, DEADLINE_MS), probe =>
        use(probe, name => providers.get(name)?.connections() ?? Number.NaN),
      );
    } finally {
      for (const { server } of providers.values()) {
        server.close();
      }
    }
  });
}

describe('the helper', () => {
  it('is answered by nss-systemd without our own socket', () =>
    withProviders(
      ['io.dynuser.DynamicUser', 'io.example.Other'],
      () => 'true',
      async (probe, connections) => {
        assert.deepEqual(await probe.account(userName('nosuchuser')), {});
        assert.equal(await probe.evidence(uid(64_400)), undefined);
        assert.ok(connections('io.example.Other') >= 4, 'nss-systemd asks the other provider');
        assert.equal(connections('io.dynuser.DynamicUser'), 0);
      },
    ));

  it('knows the records in files without systemd-userdbd', () =>
    withProviders(
      ['io.systemd.DropIn', 'io.example.Other'],
      directory => {
        writeFileSync(`${directory}/dropped.user`, '{"userName":"dropped","uid":64410,"gid":64411}');
        writeFileSync(`${directory}/dropped.group`, '{"groupName":"dropped","gid":64411}');
        const links = 'ln -s dropped.user 64410.user && ln -s dropped.group 64411.group';
        return `cp ${directory}/dropped.* /run/userdb && (cd /run/userdb && ${links})`;
      },
      async (probe, connections) => {
        const account = { user: { uid: 64_410, gid: 64_411 }, group: { gid: 64_411 } };
        assert.deepEqual(await probe.account(userName('dropped')), account);
        assert.deepEqual(await probe.evidence(uid(64_410)), { kind: 'user', name: 'dropped' });
        assert.deepEqual(await probe.evidence(uid(64_411)), { kind: 'group', name: 'dropped' });
        assert.equal(await probe.evidence(uid(64_412)), undefined);
        assert.ok(connections('io.example.Other') > 0, 'nss-systemd asks the other provider');
        assert.equal(connections('io.systemd.DropIn'), 0);
      },
    ));

  it('asks the service manager for names, and for numbers only where it does not share our locks', async () => {
    const manager = 'io.systemd.DynamicUser';
    const lockedTogether = (directory: string): string => {
      mkdirSync(`${directory}/locks`);
      return `mount --bind ${directory}/locks /run/systemd/dynamic-uid`;
    };
    await withProviders([manager], lockedTogether, async (probe, connections) => {
      assert.deepEqual(await probe.account(userName('nosuchuser')), {});
      const forNames = connections(manager);
      assert.ok(forNames >= 2, 'asked for the user and the group');
      assert.equal(await probe.evidence(uid(64_420)), undefined);
      assert.equal(connections(manager), forNames);
      assert.deepEqual(await probe.account(userName('nosuchuser')), {});
      assert.equal(connections(manager), forNames * 2, 'asked again for the next name');
    });
    await withProviders(
      [manager],
      () => 'true',
      async (probe, connections) => {
        assert.equal(await probe.evidence(uid(64_421)), undefined);
        assert.ok(connections(manager) >= 2, 'asked for the user and the group');
      },
    );
  });

  it('loads no module of ours, and asks no nscd', () =>
    withDirectory(async directory => {
      writeFileSync(`${directory}/nsswitch.conf`, 'passwd: files dynuser\ngroup: files dynuser\n');
      const [program, ...rest] = withSources(build, `${directory}/nsswitch.conf`);
      const trace = ['-f', '-qq', '-e', 'trace=openat,connect,execve', '-o', `${directory}/trace`];
      await whileOpen(new HelperProbe(['strace', ...trace, program, ...rest], DEADLINE_MS), async probe => {
        assert.deepEqual(await probe.account(userName('nosuchuser')), {});
        assert.equal(await probe.evidence(uid(64_401)), undefined);
      });
      const calls = readFileSync(`${directory}/trace`, 'utf8');
      const helper = calls.slice(calls.indexOf(`execve("${build.helper}"`));
      assert.match(helper, /openat\(.*"\/etc\/passwd"/, 'files is asked');
      assert.doesNotMatch(helper, /nscd|libnss_dynuser/);
    }));
});
