/** The sessions of README.md and docs/: what they say to type is typed at a terminal, and what they show is what comes. */
// starts early: a machine for each document
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { documentsWithSessions, exampleSteps } from '../support/examples.ts';
import { DYNUSER_NSSWITCH, Installed } from '../support/installed.ts';
import { Machine } from '../support/machine.ts';
import { playSession } from '../support/terminal.ts';

/** How long the end of users may take, with the processes that they leave. */
const END_DEADLINE_MS = 20_000;

/** A machine has a network of its own, with nothing up: SIOCSIFFLAGS, IFF_UP and IFF_RUNNING (netdevice(7)). */
const LOOPBACK_UP = `import fcntl, socket, struct
fcntl.ioctl(socket.socket(), 0x8914, struct.pack("16sh", b"lo", 0x1 | 0x40))`;

/** How dynuserctl makes a word bold, and how that ends. */
const BOLD = new RegExp(`${String.fromCharCode(27)}\\[\\d+m`, 'g');

/** What listens for connections does so until the machine ends. */
const runsOn = (session: string): boolean => session.startsWith('# systemd-socket-activate ');

for (const document of documentsWithSessions()) {
  describe(`the examples of ${document}`, () => {
    let machine: Machine;
    let host: Installed;
    before(async () => {
      // On a file system that can be mapped, as that of nearly every host can.
      machine = await Machine.boot({ init: 'plain', stage: true, nsswitch: DYNUSER_NSSWITCH, varLib: 'disk' });
      host = new Installed(machine);
      await host.startDaemon();
      await machine.output(['/usr/bin/python3', '-c', LOOPBACK_UP]);
    });
    after(() => machine?.stop());

    for (const step of exampleSteps(document)) {
      if ('path' in step) {
        it(`write ${step.path}`, () => machine.write(step.path, step.text));
      } else {
        it(step.session.split('\n', 1)[0] ?? '', async () => {
          const options = { normalise, settle: () => untilEnded(host), runsOn: runsOn(step.session) };
          const shown = await playSession(machine, step.session, options);
          assert.equal(normalise(shown), normalise(step.session));
        });
      }
    }
  });
}

/** Waits until no lease is left but those that last until they are released: a person types no faster. */
async function untilEnded(host: Installed): Promise<void> {
  const deadline = Date.now() + END_DEADLINE_MS;
  for (;;) {
    const leases = await host.leases();
    if (leases.every(lease => lease.lifetime === 'explicit' && lease.ending !== true)) {
      return;
    }
    assert.ok(Date.now() < deadline, `users do not end: ${JSON.stringify(leases)}`);
    await sleep(20);
  }
}

/** Leaves out what differs from run to run: dates, sizes, the ids of leases, and names that nobody else has, with their UIDs. */
function normalise(transcript: string): string {
  const names: string[] = [];
  const numbered = (name: string): string => {
    const known = names.indexOf(name);
    return `run-${known < 0 ? names.push(name) - 1 : known}`;
  };
  return transcript
    .replace(BOLD, '')
    .replace(/^(.* explicit +)(?:\d+|-) +(?:now|\S+ ago) +/gm, '$1PID SINCE ')
    .replace(/^(.* LIFETIME +)PID +SINCE +/gm, '$1PID SINCE ')
    .replace(/\b[0-9a-f]{32}\b/g, 'LEASE')
    .replace(/\d+\((run-r[0-9a-f]{16})\)/g, (_, name: string) => `UID(${numbered(name)})`)
    .replace(/^total \d+$/gm, 'total SIZE')
    .replace(
      /^([-dl][-a-z]{9}) +(\d+) (\S+) +(\S+) +\d+ [A-Z][a-z]{2} [ \d]\d [ \d]\d:\d\d /gm,
      (_, mode: string, links: string, user: string, group: string) => `${mode} ${links} ${user} ${group} SIZE DATE `,
    );
}
