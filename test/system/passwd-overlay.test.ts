/**
 * dynuser-run shows programs that ask no NSS module their user in the /etc/passwd and /etc/group that they see: static ones, those of musl,
 * and those of Go without cgo.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { after, before, describe, it } from 'node:test';
import { CHECKOUT } from '../../src/tooling/checkout.ts';
import { DYNUSER_NSSWITCH, Installed } from '../support/installed.ts';
import { Machine } from '../support/machine.ts';
import { buildLookUp, GO, LIBRARIES, type Library } from '../support/programs/look-up.ts';

const programs = mkdtempSync('/var/tmp/dynuser-overlay-');
/** Where the machine has it: a service has another /var/tmp. */
const programOf = (library: Library): string => `/srv/bin/${library.replace(' ', '-')}`;

describe('a service whose program asks no NSS module', () => {
  let host: Installed;

  before(async () => {
    for (const library of LIBRARIES) {
      buildLookUp(library, `${programs}/${library.replace(' ', '-')}`);
    }
    host = new Installed(await Machine.boot({ init: 'plain', stage: true, nsswitch: DYNUSER_NSSWITCH }));
    await host.startDaemon();
    await host.machine.sh(`
      cp -r ${programs} /srv/bin
      chmod 755 /srv/bin
      mkdir -p /srv/root/bin /srv/root/etc /srv/root/lib64 /srv/empty/bin
      cp ${programOf('static glibc')} /srv/root/bin/glibc
      cp ${programOf('static musl')} /srv/root/bin/musl
      cp ${programOf('static musl')} /srv/empty/bin/musl
      touch /srv/root/lib64/ld-linux-x86-64.so.2
      printf 'root:x:0:0:here:/root:/bin/sh\\nlast:x:7:7::/:/bin/sh' >/srv/root/etc/passwd
      echo root:x:0: >/srv/root/etc/group`);
  });
  after(async () => {
    await host.machine.stop();
    rmSync(programs, { recursive: true });
  });

  /** What a program says of its user, itself called "own". */
  const own = async (options: readonly string[], argv: readonly string[]): Promise<string[]> =>
    (await host.machine.output(['dynuser-run', '-u', 'own', ...options, ...argv])).split('\n');

  const assertOwn = (lines: readonly string[], hint: string): void => {
    const [, uid = ''] = /^getpwnam own: own:x:(\d+):/.exec(lines[0] ?? '') ?? [];
    assert.deepEqual(
      lines.slice(0, 3),
      [
        `getpwnam own: own:x:${uid}:${uid}:Dynamic User:/:/usr/sbin/nologin`,
        `getgrnam own: own:x:${uid}:`,
        'getgrouplist own: 7',
      ],
      hint,
    );
    assert.match(uid, /^6\d{4}$/, hint);
  };

  it('finds its user and group on the host, all that the host has, and nobody who is not there', async () => {
    for (const library of LIBRARIES) {
      const lines = await own([], [programOf(library), 'own', 'root', 'nobody-of-that-name']);
      assertOwn(lines, library);
      assert.equal(lines[3], 'getpwnam root: root:x:0:0:root:/root:/bin/bash', library);
      assert.equal(lines[6], 'getpwnam nobody-of-that-name: none', library);
    }
    // By number, too, which the service does not know before.
    const script = `exec ${programOf('static musl')} "$(id -u)"`;
    assert.match((await own(['--passwd-overlay'], ['sh', '-c', script]))[0] ?? '', /^getpwuid (6\d{4}): own:x:\1:\1:/);
    assert.equal(await host.machine.sh('grep -c ^own: /etc/passwd /etc/group || true'), '/etc/passwd:0\n/etc/group:0');
  });

  it('finds them in another root, after a last line without an end', async () => {
    for (const program of ['/bin/glibc', '/bin/musl']) {
      const lines = await own(['-p', 'RootDirectory=/srv/root'], [program, 'own', 'root', 'last']);
      assertOwn(lines, program);
      assert.equal(lines[3], 'getpwnam root: root:x:0:0:here:/root:/bin/sh');
      assert.equal(lines[6], 'getpwnam last: last:x:7:7::/:/bin/sh');
    }
    assert.equal(await host.machine.sh('tail -c 9 /srv/root/etc/passwd'), '::/:/bin/sh'.slice(-9));
  });

  it('finds them if it may be hostile, and if it is named by a unit file', async () => {
    assertOwn(await own(['--untrusted'], [programOf('static musl'), 'own']), 'untrusted');
    await host.machine.write('/srv/own.service', '[Service]\nExecStart=/bin/musl own\nDynamicUser=yes\n');
    const unit = ['--unit-file=/srv/own.service', '-p', 'RootDirectory=/srv/root'];
    assertOwn((await host.machine.output(['dynuser-run', ...unit])).split('\n'), 'unit file');
  });

  it('sees files that nobody can change, also with /etc of another root read-only', async () => {
    const cat = ['cat', '/proc/self/mountinfo'];
    const mounts = (await own(['--passwd-overlay'], cat)).filter(line => / \/etc\/(passwd|group) /.test(line));
    assert.equal(mounts.length, 2);
    for (const line of mounts) {
      assert.match(line, / ro,nosuid,nodev,noexec/);
    }
    const options = ['-p', 'ProtectSystem=full', '-p', 'RootDirectory=/srv/root'];
    assertOwn(await own([...options, '--passwd-overlay'], ['/bin/musl', 'own']), 'ProtectSystem=full');
  });

  it('is given files that a root lacks if that is asked for, as a bind would make them', async () => {
    const inEmpty = ['-p', 'RootDirectory=/srv/empty'];
    assert.equal((await own(inEmpty, ['/bin/musl', 'own']))[0], 'getpwnam own: No such file or directory');
    assert.equal(await host.machine.sh('ls /srv/empty/etc 2>/dev/null | wc -l'), '0');
    assertOwn(await own([...inEmpty, '--passwd-overlay'], ['/bin/musl', 'own']), 'made');
    assert.equal(
      await host.machine.sh('stat -c "%n %s" /srv/empty/etc/*'),
      '/srv/empty/etc/group 0\n/srv/empty/etc/passwd 0',
    );
    assertOwn(await own([...inEmpty, '--passwd-overlay'], ['/bin/musl', 'own']), 'there, and empty');
  });

  it('is shown a link as what it leads to in its root, and no file of the host', async () => {
    await host.machine.sh(`
      cp -a /srv/root /srv/linked
      mkdir /srv/linked/real
      mv /srv/linked/etc/passwd /srv/linked/real/passwd
      ln -s /../../real/passwd /srv/linked/etc/passwd`);
    const lines = await own(['-p', 'RootDirectory=/srv/linked'], ['/bin/musl', 'own', 'root']);
    assertOwn(lines, 'linked');
    assert.equal(lines[3], 'getpwnam root: root:x:0:0:here:/root:/bin/sh');
    await host.machine.sh('rm /srv/linked/etc/passwd && mkfifo /srv/linked/etc/passwd');
    const { status, stderr } = await host.machine.run([
      ...['dynuser-run', '-p', 'RootDirectory=/srv/linked', '/bin/musl', 'root'],
    ]);
    assert.equal(status, 125);
    assert.equal(
      stderr,
      'dynuser-run: cannot add lines to /etc/passwd: it is not a regular file; use --passwd-overlay=no\n',
    );
  });

  it('is not shown them with --passwd-overlay=no, nor is a program that asks NSS modules', async () => {
    assert.equal((await own(['--passwd-overlay=no'], [programOf('static musl'), 'own']))[0], 'getpwnam own: none');
    assert.deepEqual(
      (await own([], ['cat', '/proc/self/mountinfo'])).filter(line => / \/etc\/passwd /.test(line)),
      [],
    );
  });

  it('finds them if it is of Go without cgo', { skip: GO === undefined && 'no Go (golang-go)' }, async () => {
    const program = `${programs}/go`;
    execFileSync(
      GO ?? '',
      ['build', '-tags', 'osusergo', '-o', program, `${CHECKOUT}test/support/programs/look_up.go`],
      {
        env: {
          PATH: process.env['PATH'],
          GOCACHE: `${homedir()}/.cache/go-build`,
          CGO_ENABLED: '0',
          GOFLAGS: '-p=2',
          GO111MODULE: 'off',
        },
        stdio: 'pipe',
      },
    );
    await host.machine.sh(`cp ${program} /srv/bin/`);
    const [user = '', group, unknown, noGroup, self] = await own([], ['/srv/bin/go', 'own', 'nobody-of-that-name']);
    assert.match(user, /^own (\d+) \1 \/$/);
    assert.equal(group, `own ${user.split(' ')[2]}`);
    assert.equal(unknown, 'user: unknown user nobody-of-that-name');
    assert.equal(noGroup, 'group: unknown group nobody-of-that-name');
    assert.equal(self, 'own <nil>');
  });
});
