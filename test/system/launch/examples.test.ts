/** The README's examples of dynuser-run: what it says to type is typed at a terminal, and what it shows is what comes. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { DYNUSER_NSSWITCH, Installed } from '../../support/installed.ts';
import { Machine } from '../../support/machine.ts';
import { readmeSteps } from '../../support/readme.ts';
import { playSession } from '../../support/terminal.ts';

/** A machine has a network of its own, with nothing up: SIOCSIFFLAGS, IFF_UP and IFF_RUNNING (netdevice(7)). */
const LOOPBACK_UP = `import fcntl, socket, struct
fcntl.ioctl(socket.socket(), 0x8914, struct.pack("16sh", b"lo", 0x1 | 0x40))`;

describe('the examples of dynuser-run in the README', () => {
  let machine: Machine;
  let host: Installed;
  before(async () => {
    // On a file system that can be mapped, as that of nearly every host can.
    machine = await Machine.boot({ init: 'plain', stage: true, nsswitch: DYNUSER_NSSWITCH, varLib: 'disk' });
    host = new Installed(machine);
    await host.startDaemon();
    await machine.output(['/usr/bin/python3', '-c', LOOPBACK_UP]);
  });
  after(() => machine.stop());

  /** What listens for connections does so until the machine ends. */
  const runsOn = (session: string): boolean => session.startsWith('# systemd-socket-activate ');

  for (const step of readmeSteps('dynuser-run')) {
    if ('path' in step) {
      it(`write ${step.path}`, () => machine.write(step.path, step.text));
    } else {
      it(step.session.split('\n', 1)[0] ?? '', async () => {
        const options = { normalise, settle: () => host.untilNothingIsKept(), runsOn: runsOn(step.session) };
        const shown = await playSession(machine, step.session, options);
        assert.equal(normalise(shown), normalise(step.session));
      });
    }
  }
});

/** What differs from one day, one file system and one run to the other: dates, sizes, names that nobody else has, and their UIDs. */
function normalise(transcript: string): string {
  const names: string[] = [];
  const numbered = (name: string): string => {
    const known = names.indexOf(name);
    return `run-${known < 0 ? names.push(name) - 1 : known}`;
  };
  return transcript
    .replace(/\d+\((run-r[0-9a-f]{16})\)/g, (_, name: string) => `UID(${numbered(name)})`)
    .replace(/^total \d+$/gm, 'total SIZE')
    .replace(
      /^([-dl][-a-z]{9}) +(\d+) (\S+) +(\S+) +\d+ [A-Z][a-z]{2} [ \d]\d [ \d]\d:\d\d /gm,
      (_, mode: string, links: string, user: string, group: string) => `${mode} ${links} ${user} ${group} SIZE DATE `,
    );
}
