/** A unit file under each supervisor that can run its commands, with the files of docs/supervisors.md. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { exampleFiles } from '../../support/examples.ts';
import { DYNUSER_NSSWITCH, Installed } from '../../support/installed.ts';
import { Machine } from '../../support/machine.ts';
import { unpackSupervisor } from '../../support/supervisors/packages.ts';
import { runSupervisor } from '../../support/supervisors/service.ts';
import { until } from '../../support/until.ts';
import { BOOTED } from './openrc-boot.ts';

const LOG = '/var/lib/mail/log';
const PROGRAM = `#!/bin/sh
cd "$STATE_DIRECTORY" || exit
trap 'echo reloaded >>log' HUP
trap 'echo asked >>log; exit 0' TERM
echo "started as $(id -un)" >>log
while :; do sleep 0.05; done
`;

/** A supervisor by its own commands. */
interface Supervisor {
  readonly heading: string;
  readonly packages: readonly string[];
  /** where relative paths of the document begin */
  readonly directory?: string;
  open(machine: Machine): Promise<unknown>;
  readonly start?: readonly string[];
  /** absent: it has no command for that */
  readonly reload?: readonly string[];
  readonly stop: readonly string[];
}

const SUPERVISORS: readonly Supervisor[] = [
  {
    heading: 'runit',
    packages: ['runit'],
    async open(machine) {
      await machine.sh('cd /etc/runit/runsvdir && mkdir -p current && ln -s /etc/sv/dynuserd /etc/sv/mail current');
      await runSupervisor(machine, ['runsvdir', '-P', '/etc/service']);
    },
    reload: ['sv', 'hup', 'mail'],
    stop: ['sv', 'stop', 'mail'],
  },
  {
    heading: 's6',
    packages: ['s6', 'execline'],
    directory: '/run/service/',
    open: machine => runSupervisor(machine, ['s6-svscan', '/run/service']),
    stop: ['/run/service/mail/data/stop'],
  },
  {
    heading: 'OpenRC',
    packages: ['openrc'],
    open: machine => machine.sh(BOOTED),
    start: ['rc-service', 'mail', 'start'],
    reload: ['rc-service', 'mail', 'reload'],
    stop: ['rc-service', 'mail', 'stop'],
  },
];

describe('a unit file', () => {
  for (const { heading, packages, directory = '', open, start, reload, stop } of SUPERVISORS) {
    it(`under ${heading} is reloaded and stopped by its own commands`, async () => {
      const machine = await Machine.boot({ init: 'plain', stage: true, nsswitch: DYNUSER_NSSWITCH });
      try {
        await machine.write('/usr/local/bin/mail-server', PROGRAM, 0o755);
        for (const each of packages) {
          await unpackSupervisor(machine, each);
        }
        for (const section of [heading, 'Unit files', `Unit files under ${heading}`]) {
          for (const { path, text } of exampleFiles('docs/supervisors.md', section)) {
            // The other service of the document has its own tests.
            if (!/(?:^|\/)web(?:\/|$)/.test(path)) {
              await machine.write(path.startsWith('/') ? path : directory + path, text, 0o755);
            }
          }
        }
        const logged = async (count: number): Promise<readonly string[]> => {
          let lines: readonly string[] = [];
          await until(
            () => `${count} lines of ${lines}`,
            async () => {
              lines = (await machine.run(['cat', LOG])).stdout.split('\n').slice(0, -1);
              return lines.length >= count;
            },
          );
          return lines;
        };
        await open(machine);
        if (start !== undefined) {
          await machine.output(start);
        }
        assert.deepEqual(await logged(1), ['started as mail']);
        const reloaded = reload === undefined ? [] : ['reloaded'];
        if (reload !== undefined) {
          await machine.output(reload);
        }
        await logged(1 + reloaded.length);
        await machine.output(stop);
        assert.deepEqual(await logged(4 + reloaded.length), [
          'started as mail',
          ...reloaded,
          'stop',
          'asked',
          'ended exited 0',
        ]);
        await new Installed(machine).untilNothingIsKept();
      } finally {
        await machine.stop();
      }
    });
  }
});
