/** A helper's questions never come back to the daemon, by nss-systemd or our own module, and never end at nscd. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { describe, it } from 'node:test';
import { HelperProbe } from '../../../src/host/probe.ts';
import { buildHelpers, uid, userName, whileOpen, withDirectory, withSources } from './helpers.ts';

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

describe('the helper', () => {
  it('is answered by nss-systemd without our own socket', () =>
    withDirectory(async directory => {
      const sockets = `${directory}/userdb`;
      mkdirSync(sockets);
      const ours = await provider(`${sockets}/io.dynuser.DynamicUser`);
      const other = await provider(`${sockets}/io.example.Other`);
      writeFileSync(`${directory}/nsswitch.conf`, 'passwd: systemd\ngroup: systemd\n');
      const script = `mount -t tmpfs tmpfs /run && mkdir -p /run/systemd/userdb && mount --bind ${sockets} /run/systemd/userdb`;
      try {
        const command = withSources(build, `${directory}/nsswitch.conf`, script);
        await whileOpen(new HelperProbe(command, DEADLINE_MS), async probe => {
          assert.deepEqual(await probe.account(userName('nosuchuser')), {});
          assert.equal(await probe.evidence(uid(64_400)), undefined);
        });
        assert.ok(other.connections() >= 4, 'nss-systemd asks the other provider');
        assert.equal(ours.connections(), 0);
      } finally {
        ours.server.close();
        other.server.close();
      }
    }));

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
