/** A user of a fleet that lives elsewhere: its name and its number are looked up on every host, with the nodes down too. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Fleet } from '../support/fleet/hosts.ts';
import { until } from '../support/until.ts';

describe('hosts of a fleet', () => {
  let fleet: Fleet;
  before(async () => {
    fleet = await Fleet.boot({ hosts: 2 });
    await fleet.start();
  });
  after(() => fleet?.stop());

  it('look up the users of each other', async () => {
    const uid = await fleet.host(0).acquire('f-elsewhere');
    const { machine } = fleet.host(1);
    await until('the other host knows the name', async () => {
      const { status } = await machine.run(['getent', 'passwd', 'f-elsewhere']);
      return status === 0;
    });
    assert.match(
      await machine.output(['getent', 'passwd', String(uid)]),
      new RegExp(`^f-elsewhere:x?!?\\*?:${uid}:${uid}:`),
    );
    assert.match(await machine.output(['getent', 'group', String(uid)]), new RegExp(`^f-elsewhere:.*:${uid}:`));
  });

  it('still do when the nodes are away, and after a boot before anything has been asked', async () => {
    const uid = await fleet.host(0).acquire('f-elsewhere');
    for (const node of fleet.cluster?.nodes ?? []) {
      await node.kill();
    }
    const other = fleet.host(1);
    assert.match(await other.machine.output(['getent', 'passwd', 'f-elsewhere']), /^f-elsewhere:/);
    // The copy on the disk follows within ten seconds.
    await until('the disk has the name', async () => {
      const { status } = await other.machine.run(['grep', '-rqsw', 'f-elsewhere', '/var/lib/dynuser/fleet']);
      return status === 0;
    });
    await other.reboot();
    await other.startDaemon();
    const show = ['stat', '-c', '%U %G', '/srv/shared/of-elsewhere'];
    await fleet
      .host(0)
      .machine.output(['install', '-o', String(uid), '-g', String(uid), '/dev/null', '/srv/shared/of-elsewhere']);
    assert.equal(await other.machine.output(show), 'f-elsewhere f-elsewhere');
  });
});
