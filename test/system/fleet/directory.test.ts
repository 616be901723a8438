/** A directory of the shared storage as the store, which the companions of all hosts reach by a group, set up as docs/fleet.md says. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exampleFiles } from '../../support/examples.ts';
import { Fleet } from '../../support/fleet/hosts.ts';

const HEADINGS = ['Set-up with a directory', 'A registry shared by a group'] as const;

test('a registry shared by a group: companions are dynamic users, and a name has one UID', async () => {
  const fleet = await Fleet.boot({ hosts: 2, store: 'directory' });
  try {
    for (const { machine } of fleet.hosts) {
      for (const { path, text } of HEADINGS.flatMap(heading => exampleFiles('docs/fleet.md', heading))) {
        await machine.write(path, text);
      }
      // Hosts of tests have the account of the other way.
      await machine.sh('userdel dynuser-fleetd && groupadd --system --gid 970 dynuser-registry');
    }
    await fleet.host(0).machine.sh('install -d -m 2770 -g dynuser-registry /srv/shared/.dynuser');
    await fleet.start();
    const web = await fleet.host(0).acquire('web');
    assert.equal(await fleet.host(1).acquire('web'), web);
    const { stdout } = await fleet.host(1).fleet(['names', '--no-legend', 'web']);
    assert.match(stdout, new RegExp(`^web +${web} +bound +host1 host2$`, 'm'));
    assert.equal((await fleet.host(0).fleet(['check'])).status, 0);
    const owners = await fleet.host(0).machine.output(['find', '/srv/shared/.dynuser/main', '-printf', '%u:%g\\n']);
    assert.deepEqual([...new Set(owners.split('\n'))], ['dynuser-fleetd:dynuser-registry']);
  } finally {
    await fleet.stop();
  }
});
