/** An image of portable services in the place of another one, with the managers that the main tier does not try. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { DYNUSER_NSSWITCH, Installed } from '../support/installed.ts';
import { Machine } from '../support/machine.ts';
import { IMAGE, makeImage, PLACES } from '../support/portable-image.ts';
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

  it('is the one with the same extensions, of several that an image is attached with', async () => {
    for (const name of ['addon_1', 'addon_2', 'plus_1']) {
      const [unit = ''] = name.split('_');
      const directory = `/srv/${name}/usr/lib`;
      await machine.sh(`mkdir -p ${directory}/extension-release.d ${directory}/systemd/system
        printf 'ID=test\\nVERSION_ID=1\\nPORTABLE_PREFIXES=${unit}\\n' >${directory}/extension-release.d/extension-release.${name}
        printf '[Service]\\nExecStart=/bin/sleep 1000\\n' >${directory}/systemd/system/${unit}.service`);
    }
    const image = (...argv: string[]) => machine.run(['dynuserctl', 'image', ...argv]);
    const said = async (...argv: string[]) => {
      const { status, stdout, stderr } = await image(...argv);
      assert.equal(status, 0, stderr);
      return stdout;
    };
    await said('attach', '--manager=openrc', '--extension=/srv/addon_1', IMAGE, 'addon');
    await said('attach', '--manager=openrc', '--extension=/srv/plus_1', IMAGE, 'plus');
    assert.match((await image('reattach', IMAGE)).stderr, /minimal_1: no image of this name, .* is attached/);
    assert.equal(
      await said('reattach', '--extension=/srv/addon_2', IMAGE, 'addon'),
      'Attached minimal_1:addon_2 in the place of minimal_1:addon_1 to OpenRC: addon.\n',
    );
    const listed: readonly { readonly name: string; readonly extensions: readonly string[] }[] = JSON.parse(
      await said('list', '--json=short'),
    );
    assert.deepEqual(
      listed.map(({ name, extensions }) => ({ name, extensions })),
      [
        { name: 'minimal_1:addon_2', extensions: ['/srv/addon_2'] },
        { name: 'minimal_1:plus_1', extensions: ['/srv/plus_1'] },
      ],
    );
    await said('detach', 'minimal_1:addon_2');
    assert.equal((await image('is-attached', '--extension=plus_1', IMAGE)).stdout, 'attached\n');
    await said('detach', '--extension=/srv/plus_1', IMAGE);
    assert.equal(
      await machine.sh(`find ${PLACES} -name '*_1*' -o -name '*_2*' -o -name addon -o -name plus; true`),
      '',
    );
  });
});
