/** The sessions of a document as tests: what it says to type is typed at a terminal, and what it shows is what comes. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Lease } from '../../src/client/connect.ts';
import { exampleSteps } from './examples.ts';
import { DYNUSER_NSSWITCH, Installed } from './installed.ts';
import { Machine } from './machine.ts';
import { playSession } from './terminal.ts';
import { until } from './until.ts';

/** A machine has a network of its own, with nothing up: SIOCSIFFLAGS, IFF_UP and IFF_RUNNING (netdevice(7)). */
const LOOPBACK_UP = `import fcntl, socket, struct
fcntl.ioctl(socket.socket(), 0x8914, struct.pack("16sh", b"lo", 0x1 | 0x40))`;

/** How dynuserctl makes a word bold, and how that ends. */
const BOLD = new RegExp(`${String.fromCharCode(27)}\\[\\d+m`, 'g');

/** What listens for connections does so until the machine ends. */
const runsOn = (session: string): boolean => session.startsWith('# systemd-socket-activate ');

/** @param document such as README.md; they are typed in one machine */
export function describeSessions(document: string): void {
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
  let leases: readonly Lease[] = [];
  await until(
    () => `users end; there are ${JSON.stringify(leases)}`,
    async () => {
      leases = await host.leases();
      return leases.every(lease => lease.lifetime === 'explicit' && lease.ending !== true);
    },
  );
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
