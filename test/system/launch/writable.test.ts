/** What a dynamic user can write to, and what it sees of other services: every directory that it gets to is tried. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { CHECKOUT } from '../../../src/tooling/checkout.ts';
import { DYNUSER_NSSWITCH, Installed } from '../../support/installed.ts';
import { firstOutput } from '../../support/machine/process.ts';
import { Machine } from '../../support/machine.ts';

/** Where the program lies in the machine: the checkout may be below /tmp, which is another one for a service. */
const PROGRAM = '/usr/local/lib/tree-walk.mjs';
const WALK = [process.execPath, PROGRAM];
const WALK_DEADLINE_MS = 300_000;

interface Walk {
  readonly tried: number;
  readonly made: readonly string[];
  readonly mounts: readonly string[];
}

/** Directories in which a host without protection lets everybody write. */
const OPEN_TO_ALL = ['/srv/open', '/etc/open', '/usr/open', '/var/open', '/var/lib/open', '/home/open', '/run/open'];

const DIRECTORIES = [
  'StateDirectory=walker',
  'CacheDirectory=walker',
  'LogsDirectory=walker',
  'RuntimeDirectory=walker',
];

describe('a dynamic user', () => {
  let machine: Machine;
  /** of a service that runs beside it, in the machine's numbers */
  let pid: number;

  before(async () => {
    machine = await Machine.boot({ init: 'plain', stage: true, varLib: 'disk', nsswitch: DYNUSER_NSSWITCH });
    await new Installed(machine).startDaemon();
    await machine.write(PROGRAM, readFileSync(`${CHECKOUT}dist/test/support/programs/tree-walk.js`, 'utf8'));
    await machine.output([
      'sh',
      '-ec',
      `for d in ${OPEN_TO_ALL.join(' ')}; do mkdir -m 1777 $d; done; touch /tmp/of-the-host`,
    ]);
    const script = 'echo secret >$STATE_DIRECTORY/file; echo secret >/tmp/file; echo $$; exec sleep 1000';
    const other = await machine.spawn(['dynuser-run', '-u', 'other', '-p', 'StateDirectory=other', 'sh', '-c', script]);
    pid = Number(await firstOutput(other));
    assert.ok(pid > 1);
  });
  after(() => machine.stop());

  const launch = (argv: readonly string[], properties: readonly string[] = []): Promise<string> =>
    machine.output(['dynuser-run', '-u', 'walker', ...properties.map(property => `-p${property}`), '--', ...argv], {
      timeoutMs: WALK_DEADLINE_MS,
    });
  const shell = (script: string, properties: readonly string[] = []): Promise<string> =>
    launch(['sh', '-c', script], properties);

  it('does not start without a path that was asked for, unless that changes nothing', async () => {
    for (const properties of [['ReadWritePaths=/srv/missing'], ['ReadOnlyPaths=/srv/missing', 'NoExecPaths=/srv']]) {
      const { status, stderr } = await machine.run(['dynuser-run', ...properties.map(text => `-p${text}`), 'true']);
      assert.deepEqual([status, stderr], [125, 'dynuser-run: cannot open /srv/missing: No such file or directory\n']);
    }
    assert.equal(await launch(['echo', 'started'], ['ReadOnlyPaths=/srv/missing']), 'started');
  });

  it('can write to its directories, /tmp, /var/tmp, /dev/shm and /dev/mqueue, and to no others', async () => {
    const walk: Walk = JSON.parse(await launch(WALK, DIRECTORIES));
    assert.ok(walk.tried > 1_000, `${walk.tried} directories are too few to be all`);
    const own = ['/run/walker', '/var/cache/private/walker', '/var/lib/private/walker', '/var/log/private/walker'];
    const all = ['/dev/mqueue', '/dev/shm', ...own, '/tmp', '/var/tmp'].sort();
    assert.deepEqual(walk.made, all);
    const kernel = /^\/(?:dev|proc|sys)(?:\/|$)/;
    assert.deepEqual(
      walk.mounts.filter(mount => !kernel.test(mount)),
      all.filter(mount => !kernel.test(mount)),
      'what is mounted read-only can be written by nobody, whoever owns it',
    );
  });

  it('could write to more without that', async () => {
    const walk: Walk = JSON.parse(await launch(WALK, ['ProtectSystem=no', 'ProtectHome=no', 'PrivateTmp=no']));
    for (const directory of [...OPEN_TO_ALL, '/tmp']) {
      assert.ok(walk.made.includes(directory), directory);
    }
  });

  it('sees no state of another service, below /var/lib/private or by its process', async () => {
    const script = `ls -A /var/lib/private; cat /var/lib/other/file
      for name in root cwd exe fd/1 environ mem; do cat /proc/${pid}/$name /proc/1/$name >/dev/null && echo "$name can be read"; done
      ls /proc/${pid}/root/var/lib/private/other /proc/${pid}/cwd/ /proc/1/root/var/lib/private; kill -0 ${pid}`;
    const { stdout, stderr } = await machine.run([
      'dynuser-run',
      '-u',
      'walker',
      '-pStateDirectory=walker',
      'sh',
      '-c',
      script,
    ]);
    assert.equal(stdout, 'walker\n');
    assert.match(stderr, /\/var\/lib\/other\/file: No such file or directory/);
    assert.equal(stderr.match(/Permission denied/g)?.length, 15, stderr);
    assert.match(stderr, /kill: No such process|Operation not permitted/);
    assert.equal(await machine.output(['cat', `/proc/${pid}/root/var/lib/other/file`]), 'secret', 'root sees it');
    const outside = await machine.run([
      'setpriv',
      '--reuid=1000',
      '--regid=1000',
      '--clear-groups',
      'ls',
      '/var/lib/other',
    ]);
    assert.match(outside.stderr, /Permission denied/);
  });

  it('has a /tmp and a /var/tmp of its own, which are gone with it', async () => {
    const mounts = await machine.output(['cat', '/proc/1/mountinfo']);
    const script = 'ls -A /tmp /var/tmp; echo x >/tmp/mine; echo y >/var/tmp/mine; stat -c "%a %U" /tmp /var/tmp';
    const seen = '/tmp:\n\n/var/tmp:\n1777 root\n1777 root';
    assert.equal(await shell(script), seen);
    assert.equal(await shell(script), seen, 'nothing is left of the first');
    assert.equal(
      await machine.sh('cd /; ls /tmp/of-the-host; ls -d /tmp/mine /var/tmp/mine; true'),
      '/tmp/of-the-host',
    );
    assert.equal(await machine.output(['cat', '/proc/1/mountinfo']), mounts, 'nor a mount');
  });

  it('cannot make what gives others its rights, nor devices', async () => {
    const script = `cd "$STATE_DIRECTORY" && touch file && mkdir directory
      for mode in 4755 2755 6777 u+s g+s; do chmod $mode file && echo "file $mode"; done
      chmod 2755 directory && echo directory; mkdir -m 2755 more && echo more
      mknod device c 1 3 && echo device; mknod -m 4755 pipe p && echo pipe
      perl -e 'umask 0; sysopen(my $f, "made", 65, 04755) and print "made\\n"'; perl -e 'umask 0; mkdir("dir", 02755) and print "dir\\n"'
      stat -c '%a %n' file directory; chmod 1777 directory && stat -c %a directory`;
    assert.equal(await shell(script, ['StateDirectory=walker']), '644 file\n755 directory\n1777');
    const allowed = await shell(script, ['StateDirectory=walker', 'RestrictSUIDSGID=no']);
    for (const line of ['file 4755', 'directory', 'more', 'made', 'dir']) {
      assert.ok(allowed.split('\n').includes(line), `${line}: without the filter it could`);
    }
    assert.doesNotMatch(allowed, /^device$/m);
  });
});
