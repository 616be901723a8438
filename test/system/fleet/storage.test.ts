/**
 * Two hosts that have a file system in common, imitated by bind mounts: a tree that one of them makes is the same user's on the other, by name
 * and by number, and nobody changes its owner. With etcd, and with a directory of that file system as the store.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Fleet, type FleetHost } from '../../support/fleet/hosts.ts';
import { skipUnless } from '../../support/host.ts';
import { until } from '../../support/until.ts';

const SITE = '/var/lib/private/site';
const OTHER = '/var/lib/private/other';
const STORAGE = 'nas1:/export';
/** Both are the same file system: what becomes of a tree there is not for what that can do. */
const MOUNTS = [
  'install -d -m 0700 /var/lib/private',
  ...[SITE, OTHER].map(path => {
    const source = `/srv/shared/${path.split('/').at(-1)}`;
    return `mkdir -p ${source} ${path} && mount --bind ${source} ${path}`;
  }),
].join(' && ');
/** The owner of everything, and when it was changed last: chown(2) would change that. */
const LIST = `cd ${SITE} && find app -exec stat -c '%n %u %g %i %z' {} +`;

/** Runs a shell script as a user, with a state directory. */
function asUser({ machine }: FleetHost, name: string, directory: string, script: string): Promise<string> {
  const argv = ['dynuser-run', '-u', name, '-p', `StateDirectory=${directory}`, 'sh', '-c', script];
  return machine.output(argv);
}

for (const store of ['etcd', 'directory'] as const) {
  describe(`two hosts that share files, and whose store is of the kind ${store}`, () => {
    let fleet: Fleet;
    before(async () => {
      fleet = await Fleet.boot({ hosts: 2, store, prepare: MOUNTS, config: `SharedStorage=${SITE}=${STORAGE}` });
      await fleet.start();
    });
    after(() => fleet?.stop());

    it('read and write a tree that one of them has made, which stays its user’s by number', async () => {
      const [one, other] = [fleet.host(0), fleet.host(1)];
      const made = await asUser(
        one,
        'f-app',
        'site/app',
        'cd "$STATE_DIRECTORY" && mkdir sub && echo one >sub/read && echo one >sub/written && id -u',
      );
      assert.match(made, /^(6[5-9]|7\d|9\d)\d{3}$/);
      const before = await one.machine.sh(LIST);
      const lines = before.split('\n');
      assert.equal(lines.length, 4, before);
      for (const line of lines) {
        assert.match(line, new RegExp(`^app\\S* ${made} ${made} `));
      }
      assert.equal(
        await asUser(
          other,
          'f-app',
          'site/app',
          'cd "$STATE_DIRECTORY" && cat sub/read && stat -c %U:%G:%u sub . && id -u',
        ),
        `one\nf-app:f-app:${made}\nf-app:f-app:${made}\n${made}`,
      );
      assert.equal(await other.machine.sh(LIST), before, 'nothing was changed');
      await asUser(other, 'f-app', 'site/app', 'echo other >>"$STATE_DIRECTORY/sub/written"');
      assert.equal(await asUser(one, 'f-app', 'site/app', 'cat "$STATE_DIRECTORY/sub/written"'), 'one\nother');
      const unchanged = (text: string) => text.split('\n').filter(line => !line.includes('written'));
      assert.deepEqual(unchanged(await one.machine.sh(LIST)), unchanged(before));
    });

    it('give it to no other name, on whichever of them', async () => {
      const launch = ['dynuser-run', '-u', 'f-thief', '-p', 'StateDirectory=site/app', 'true'];
      for (const { machine } of fleet.hosts) {
        const { status, stderr } = await machine.run(launch);
        assert.equal(status, 125);
        assert.match(stderr, /nas1:\/export:\/app is f-app's on all hosts/);
      }
    });

    it('have a user of one host alone nowhere on it', async () => {
      const launch = ['dynuser-run', '-u', 'own', '-p', 'StateDirectory=site/own', 'true'];
      const { status, stderr } = await fleet.host(0).machine.run(launch);
      assert.equal(status, 125);
      assert.match(stderr, /is on shared storage/);
    });

    it('map what is not said to be shared', { skip: skipUnless('id-mapped mounts') }, async () => {
      const [one, other] = [fleet.host(0), fleet.host(1)];
      const uid = await asUser(one, 'f-mapped', 'other/app', 'cd "$STATE_DIRECTORY" && >file && stat -c %u file');
      assert.equal(await one.machine.sh(`stat -c %u ${OTHER}/app/file`), '65534');
      assert.equal(await asUser(other, 'f-mapped', 'other/app', 'stat -c %u "$STATE_DIRECTORY/file"'), uid);
    });

    it('show each other’s users by name', async () => {
      const uid = await asUser(fleet.host(0), 'f-seen', 'site/seen', 'cd "$STATE_DIRECTORY" && >file && id -u');
      await until('the other host knows the name', async () => {
        const { stdout } = await fleet.host(1).machine.run(['stat', '-c', '%U %G %u', `${SITE}/seen/file`]);
        return stdout.trim() === `f-seen f-seen ${uid}`;
      });
    });
  });
}
