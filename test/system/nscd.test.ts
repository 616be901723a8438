/**
 * Programs that ask no NSS module: those of musl, and static ones. They read /etc/passwd, and then ask a socket of nscd's protocol. The
 * real C libraries are asked, on the host, in another root, and in a container.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { DYNUSER_NSSWITCH, Installed } from '../support/installed.ts';
import type { MachineProcess } from '../support/machine/process.ts';
import { Machine } from '../support/machine.ts';
import { buildLookUp, LIBRARIES, type Library } from '../support/programs/look-up.ts';

const programs = mkdtempSync('/var/tmp/dynuser-nscd-');
const programOf = (library: Library): string => `${programs}/${library.replace(' ', '-')}`;

const RECORD = 'Dynamic User:/:/usr/sbin/nologin';

/** What a program is to say of a live user. */
function live(name: string, uid: string): string[] {
  const [user, group] = [`${name}:x:${uid}:${uid}:${RECORD}`, `${name}:x:${uid}:`];
  return [
    `getpwnam ${name}: ${user}`,
    `getgrnam ${name}: ${group}`,
    `getgrouplist ${name}: 7`,
    `getpwuid ${uid}: ${user}`,
    `getgrgid ${uid}: ${group}`,
  ];
}

/** Of one that has ended, or never was. @param word what stands for the error */
function gone(name: string, uid: string, word = 'none'): string[] {
  return [
    `getpwnam ${name}: ${word}`,
    `getgrnam ${name}: ${word}`,
    `getgrouplist ${name}: 7`,
    `getpwuid ${uid}: ${word}`,
    `getgrgid ${uid}: ${word}`,
  ];
}

const ROOT = [
  'getpwnam root: root:x:0:0:root:/root:/bin/bash',
  'getgrnam root: root:x:0:',
  'getgrouplist root: 7',
  'getpwuid 0: root:x:0:0:root:/root:/bin/bash',
  'getgrgid 0: root:x:0:',
];

describe('programs that ask no NSS module', () => {
  let host: Installed;
  let daemon: MachineProcess;
  /** the UIDs of a user that lives, and of one that has ended */
  let web: string;
  let ended: string;

  before(async () => {
    for (const library of LIBRARIES) {
      buildLookUp(library, programOf(library));
    }
    host = new Installed(await Machine.boot({ init: 'plain', stage: true, nsswitch: DYNUSER_NSSWITCH }));
    const { machine } = host;
    daemon = await host.startDaemon();
    web = await machine.output(['dynuserctl', 'acquire', 'web']);
    ended = await machine.output(['dynuserctl', 'acquire', 'ended']);
    await machine.output(['dynuserctl', 'release', 'ended']);
    await machine.sh(`
      mkdir -p /srv/musl/bin /srv/musl/lib /srv/musl/etc /srv/musl/var /srv/both/lib64
      ln -s /run /srv/musl/var/run
      cp /etc/passwd /etc/group /srv/musl/etc/
      cp ${programOf('musl')} /srv/musl/bin/look-up
      cp ${programOf('static musl')} /srv/musl/bin/look-up-static
      cp "$(readlink -f /lib/ld-musl-*.so.1)" /srv/musl/lib/"$(basename /lib/ld-musl-*.so.1)"
      cp -a /srv/musl/. /srv/both/
      touch /srv/both/lib64/ld-linux-x86-64.so.2`);
  });
  after(async () => {
    await host.machine.stop();
    rmSync(programs, { recursive: true });
  });

  const asked = async (argv: readonly string[]): Promise<string[]> =>
    (await host.machine.output([...argv, 'web', web, 'ended', ended, 'root', '0'])).split('\n');

  it('find live users in a root of musl, where dynuser-run shows them the socket', async () => {
    for (const program of ['/bin/look-up', '/bin/look-up-static']) {
      const inRoot = ['dynuser-run', '-u', 'inside', '-p', 'RootDirectory=/srv/musl', program];
      const expected = [...live('web', web), ...gone('ended', ended), ...ROOT];
      assert.deepEqual(await asked(inRoot), expected, program);
      const inside = await host.machine.output([...inRoot, 'inside']);
      assert.match(inside, /^getpwnam inside: inside:x:\d+:/m);
    }
    // It is mounted in the service's own /run.
    assert.equal(await host.machine.sh('ls -A /srv/musl/run'), '');
  });

  it('are shown no socket in a root that has glibc as well, nor if they may be hostile', async () => {
    for (const [root, ...options] of [['/srv/both'], ['/srv/musl', '--untrusted']] as const) {
      const argv = ['dynuser-run', '-p', `RootDirectory=${root}`, ...options, '/bin/look-up', 'web', 'root'];
      const [first, ...others] = (await host.machine.output(argv)).split('\n');
      assert.equal(first, 'getpwnam web: none');
      assert.ok(others.includes('getpwnam root: root:x:0:0:root:/root:/bin/bash'));
    }
  });

  it('find them in a container that has the socket by one mount', async () => {
    const container = ['bwrap', '--bind', '/srv/musl', '/', '--ro-bind', '/run/dynuser/nscd', '/run/nscd'];
    for (const program of ['/bin/look-up', '/bin/look-up-static']) {
      const expected = [...live('web', web), ...gone('ended', ended), ...ROOT];
      assert.deepEqual(await asked([...container, program]), expected, program);
    }
  });

  it('find nothing, and lose nothing, while no daemon answers', async () => {
    const expected = [...gone('web', web), ...gone('ended', ended), ...ROOT];
    assert.deepEqual(await asked([programOf('static musl')]), expected);
  });

  it('find them on the host with NscdSocket=yes, and glibc still finds root', async () => {
    const { machine } = host;
    daemon.kill('SIGTERM');
    await daemon.ended;
    await machine.write('/etc/dynuser/dynuserd.conf', 'NscdSocket=yes\n');
    daemon = await host.startDaemon();
    for (const library of LIBRARIES) {
      // musl takes the answer that leaves glibc's own files in force for an error.
      const word = library.endsWith('musl') ? 'I/O error' : 'none';
      assert.deepEqual(await asked([programOf(library)]), [
        ...live('web', web),
        ...gone('ended', ended, word),
        ...ROOT,
      ]);
    }
    // What answers there is no cache, and nobody waits for it.
    assert.match(await machine.output(['dynuserctl', 'acquire', 'later']), /^\d+$/);
    assert.match(await machine.output([programOf('static musl'), 'later']), /^getpwnam later: later:x:/);
    await machine.output(['dynuserctl', 'release', 'later']);
    assert.equal(
      await machine.output([programOf('static glibc'), 'later']).then(text => text.split('\n')[0]),
      'getpwnam later: none',
    );
  });
});
