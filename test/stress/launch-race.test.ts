/** What a service's directory is may change at any moment of its start: nothing outside of it is ever touched. */
// runs alone: its attacker needs a processor
// time limit: 300 s
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DYNUSER_NSSWITCH, Installed } from '../support/installed.ts';
import { Machine } from '../support/machine.ts';

const ROUNDS = 200;
const LOOP_MS = 60_000;
const LOOPS_AGAIN = 2;
/** The exit status of what SIGKILL ended. */
const KILLED = 137;
const REFUSED = /^status 125$/gm;
/** Exchanges two paths without end, by renameat2(2); ends if the file system exchanges none. */
const EXCHANGE = `
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
one, other = sys.argv[1].encode(), sys.argv[2].encode()
for _ in range(2):
    if libc.renameat2(-100, one, -100, other, 2) != 0:
        sys.exit(f'renameat2: {os.strerror(ctypes.get_errno())}')
print('ready', flush=True)
while True:
    libc.renameat2(-100, one, -100, other, 2)`;
/** What is exchanged with what. The second is made by its script, in the directory of the first. */
const SWAPS: readonly (readonly [name: string, path: string, make: string])[] = [
  ['the directory and a symlink', '/var/lib/private/web', 'ln -s /srv/victim /var/lib/private/other'],
  ['the directory and another one', '/var/lib/private/web', 'mkdir -m 700 /var/lib/private/other'],
  ['the boundary and a symlink', '/var/lib/private', 'ln -s /srv/boundary /var/lib/other'],
  ['the public name and a directory', '/var/lib/web', 'mkdir /var/lib/other; touch /var/lib/other/file'],
];
const VICTIMS = `cd /srv && find . -printf '%p %y %U %G %m %T@ %s\\n' | sort`;

describe('a start in which something is exchanged', () => {
  for (const varLib of ['disk', undefined] as const) {
    for (const [name, path, make] of SWAPS) {
      it(`${name}, ${varLib === 'disk' ? 'handed over by mounts' : 'handed over by chown'}`, async () => {
        const options = varLib === undefined ? {} : { varLib };
        const machine = await Machine.boot({ init: 'plain', stage: true, nsswitch: DYNUSER_NSSWITCH, ...options });
        try {
          const host = new Installed(machine);
          await host.startDaemon();
          // Another user each time, so that each hands the directory over.
          const launch = `dynuser-run -u web$((i % 3)) -p StateDirectory=web sh -c 'echo mark >>$STATE_DIRECTORY/mark && echo ran'`;
          await machine.output([
            ...['sh', '-c'],
            // The machine's own boundary: overlayfs renames no directory that is the system's below it.
            `set -e; rm -rf /var/lib/private; mkdir -m 700 /var/lib/private
             mkdir -p /srv/victim/deep /srv/boundary/web; chmod 700 /srv/boundary; echo text >/srv/victim/deep/file
             ${launch}; ${make}`,
          ]);
          const before = await machine.sh(VICTIMS);
          const other = path.replace(/[^/]*$/, 'other');
          const attacker = await machine.spawn(['/usr/bin/python3', '-c', EXCHANGE, path, other]);
          await Promise.race([
            new Promise(resolve => attacker.stdout.once('data', resolve)),
            attacker.ended.then(status => assert.fail(`nothing can be exchanged here: status ${status}`)),
          ]);
          const loop = `i=0; while [ $i -lt ${ROUNDS} ]; do ${launch}; echo "status $?"; i=$((i + 1)); done`;
          let { stdout, stderr } = await machine.run(['sh', '-c', loop], { timeoutMs: LOOP_MS });
          const count = (pattern: RegExp): number => stdout.match(pattern)?.length ?? 0;
          for (let again = 0; again < LOOPS_AGAIN && count(REFUSED) === 0; again++) {
            // The exchanges may have had no processor meanwhile.
            ({ stdout, stderr } = await machine.run(['sh', '-c', loop], { timeoutMs: LOOP_MS }));
          }
          const present = await machine.sh('ls -la /var/lib/private/ /var/lib | grep -E "private|other|web"; true');
          attacker.kill('SIGKILL');
          assert.equal(await attacker.ended, KILLED, 'the exchanges ended by themselves');
          assert.equal(await machine.sh(VICTIMS), before);
          assert.equal(count(/^status (?:0|1|2|125)$/gm), ROUNDS, stdout.slice(0, 500));
          assert.ok(count(/^ran$/gm) <= count(/^status 0$/gm));
          assert.ok(count(REFUSED) > 0, `nothing was exchanged in time:\n${present}\n${stderr.slice(0, 500)}`);
          // Those that were refused were told so by name.
          assert.ok(
            stderr.split('\n').every(line => line === '' || /^dynuser-run: .|^sh: /.test(line)),
            stderr.slice(0, 500),
          );
          await host.untilNothingIsKept();
        } finally {
          await machine.stop();
        }
      });
    }
  }
});
