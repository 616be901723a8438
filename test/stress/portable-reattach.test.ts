/** An image of portable services in the place of another one, with the managers that the main tier does not try. */
import { after, before, describe, it } from 'node:test';
import { DYNUSER_NSSWITCH, Installed } from '../support/installed.ts';
import { Machine } from '../support/machine.ts';
import { makeImage } from '../support/portable-image.ts';
import { makeNextImage, reattach } from '../support/portable-reattach.ts';
import { unpackSupervisor } from '../support/supervisors/packages.ts';
import { runSupervisor } from '../support/supervisors/service.ts';
import { BOOTED } from '../system/supervisors/openrc-boot.ts';

describe('an image in the place of another one', () => {
  let machine: Machine;
  before(async () => {
    machine = await Machine.boot({ init: 'plain', stage: true, varLib: 'disk', nsswitch: DYNUSER_NSSWITCH });
    await new Installed(machine).startDaemon();
    for (const name of ['openrc', 's6', 'execline']) {
      await unpackSupervisor(machine, name);
    }
    await machine.sh(`${BOOTED}; mkdir -p /run/service`);
    await runSupervisor(machine, ['s6-svscan', '/run/service']);
    await makeImage(machine);
    await makeNextImage(machine);
  });
  after(() => machine?.stop());

  for (const manager of ['openrc', 's6']) {
    it(`is there with ${manager}`, () => reattach(machine, manager));
  }
});
