/** dynuser-fleetd under supervisors other than systemd, by the files of docs/supervisors.md: it is there, is started again, and reaches its store. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exampleFiles } from '../support/examples.ts';
import { DYNUSER_NSSWITCH, Installed } from '../support/installed.ts';
import { Machine } from '../support/machine.ts';
import { unpackSupervisor } from '../support/supervisors/packages.ts';
import { runSupervisor } from '../support/supervisors/service.ts';
import { until } from '../support/until.ts';
import { BOOTED } from '../system/supervisors/openrc-boot.ts';

const SCANNED = '/run/service';
const SUPERVISORS = [
  {
    ...{ heading: 'runit', packages: ['runit'], prefix: '' },
    async start(machine: Machine) {
      const links = 'mkdir -p current && ln -s /etc/sv/dynuserd /etc/sv/dynuser-fleetd current';
      await machine.sh(`cd /etc/runit/runsvdir && ${links}`);
      await runSupervisor(machine, ['runsvdir', '-P', '/etc/service']);
    },
  },
  {
    ...{ heading: 's6', packages: ['s6', 'execline'], prefix: `${SCANNED}/` },
    start: (machine: Machine) => runSupervisor(machine, ['s6-svscan', SCANNED]),
  },
  {
    ...{ heading: 'OpenRC', packages: ['openrc'], prefix: '' },
    async start(machine: Machine) {
      await machine.sh(BOOTED);
      await machine.output(['rc-service', 'dynuser-fleetd', 'start']);
    },
  },
];

for (const { heading, packages, prefix, start } of SUPERVISORS) {
  test(`the companion under ${heading}`, async () => {
    const machine = await Machine.boot({ init: 'plain', stage: true, nsswitch: DYNUSER_NSSWITCH });
    try {
      const ctl = (argv: readonly string[]) => new Installed(machine).ctl(argv);
      for (const each of packages) {
        await unpackSupervisor(machine, each);
      }
      for (const each of [heading, `The companion under ${heading}`]) {
        for (const { path, text } of exampleFiles('docs/supervisors.md', each)) {
          if (!/\bweb\b/.test(path)) {
            await machine.write(`${prefix}${path}`, text, 0o755);
          }
        }
      }
      await machine.sh(
        'useradd --system --uid 970 dynuser-fleetd && install -d -m 0700 -o dynuser-fleetd /srv/registry',
      );
      await machine.write('/etc/dynuser/fleetd.conf', 'Fleet=main\nStore=/srv/registry\n');
      await machine.write('/etc/dynuser/dynuserd.conf', 'Fleet=required\nFleetNames=web\n');
      const dropIn = '/etc/systemd/system/dynuser-companion.service.d/store.conf';
      await machine.write(dropIn, '[Service]\nReadWritePaths=/srv/registry\n');
      await start(machine);
      let said = '';
      const succeeds = (argv: readonly string[]) =>
        until(
          () => `dynuserctl ${argv.join(' ')}: ${said}`,
          async () => {
            const { status, stdout, stderr } = await ctl(argv);
            said = stdout + stderr;
            return status === 0;
          },
          60_000,
        );
      await succeeds(['fleet', 'create']);
      await succeeds(['fleet', 'check']);
      const [process = ''] = (await machine.output(['pgrep', '-f', 'dynuser-fleetd\\.js'])).split('\n');
      await machine.output(['kill', '-KILL', process]);
      await until('it is started again', async () => {
        const { stdout } = await machine.run(['pgrep', '-f', 'dynuser-fleetd\\.js']);
        return stdout !== '' && !stdout.split('\n').includes(process);
      });
      await succeeds(['fleet', 'hosts']);
      assert.match(said, / alive +\d+ /);
    } finally {
      await machine.stop();
    }
  });
}
