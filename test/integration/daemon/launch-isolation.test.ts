/** Launchers without the right to mount: refused by default, and with the best that there is where that is asked for. */
import assert from 'node:assert/strict';
import { release } from 'node:os';
import { after, before, describe, it } from 'node:test';
import { DYNUSER_NSSWITCH, Installed } from '../../support/installed.ts';
import { firstOutput } from '../../support/machine/process.ts';
import { Machine } from '../../support/machine.ts';

const WITHOUT_CAPABILITY = ['setpriv', '--bounding-set', '-sys_admin', '--inh-caps', '-sys_admin'];
/** Its own user namespace, in which every user of the host is itself: with all capabilities, but over nothing of the host's. */
const MAPPED = [
  'unshare',
  '--user',
  '--map-users=0:0:65536',
  '--map-groups=0:0:65536',
  '--setuid',
  '0',
  '--setgid',
  '0',
];
const CONTAINERS: readonly (readonly [name: string, prefix: readonly string[]])[] = [
  ['without CAP_SYS_ADMIN', WITHOUT_CAPABILITY],
  ['in a user namespace of its own', MAPPED],
  ['in a user and a mount namespace of its own', [...MAPPED, '--mount']],
];

/** Linux 6.2 is the first whose Landlock keeps files from being cut. */
const [major = 0, minor = 0] = release().split('.').map(Number);
const NO_LANDLOCK = (major < 6 || (major === 6 && minor < 2)) && 'the kernel has no Landlock of version 3';

describe('a launcher', () => {
  let host: Installed;
  before(async () => {
    const machine = await Machine.boot({ init: 'plain', stage: true, nsswitch: DYNUSER_NSSWITCH, varLib: 'disk' });
    host = new Installed(machine);
    // Root of another user namespace acquires users, and names directories, by these lines alone.
    await machine.write('/etc/dynuser/dynuserd.conf', 'AllowUsers=root\nDirectoryUsers=root\n');
    await host.startDaemon();
  });
  after(() => host.machine.stop());

  for (const [name, prefix] of CONTAINERS) {
    const run = (...argv: readonly string[]) => host.machine.run([...prefix, 'dynuser-run', '-u', 'best', ...argv]);

    it(`${name} is refused, and told which right it lacks`, async () => {
      for (const property of ['ProtectSystem=strict', 'StateDirectory=best', 'PrivateUsers=yes']) {
        const { status, stdout, stderr } = await run('-p', property, 'echo', 'no');
        assert.deepEqual([status, stdout], [125, '']);
        assert.match(stderr, /^dynuser-run: cannot mount: .*CAP_SYS_ADMIN.*--isolation=best-effort/);
      }
      for (const property of ['BindPaths=/etc:/mnt', 'RootDirectory=/srv', 'TemporaryFileSystem=/opt']) {
        const { status, stdout, stderr } = await run('--isolation=best-effort', '-p', property, 'echo', 'no');
        assert.deepEqual([status, stdout], [125, ''], property);
        assert.match(stderr, new RegExp(`^dynuser-run: ${property.replace(/=.*/, '')}=: cannot mount: `));
      }
      await host.untilNothingIsKept();
    });

    it(`${name} does with its best effort what needs no mounts, and says what is missing`, async () => {
      await host.machine.sh('grep -q ^stage: /etc/group || echo stage:x:777:best >>/etc/group');
      const script = `id -un; id -Gn; grep -E '^(NoNewPrivs|Seccomp|CapPrm|CapEff):' /proc/self/status | tr '\\t' ' '
        stat -Lc '%U %a' $STATE_DIRECTORY; echo kept >>$STATE_DIRECTORY/file; cat $STATE_DIRECTORY/file
        chmod 4755 $STATE_DIRECTORY/file || echo refused; dynuserctl show best`;
      const { status, stdout, stderr } = await run(
        ...['--isolation=best-effort', '-p', 'StateDirectory=best', '-p', 'SupplementaryGroups=games'],
        ...['sh', '-c', script],
      );
      assert.equal(status, 0, stderr);
      const lines = stdout.split('\n');
      const zero = '0000000000000000';
      assert.deepEqual(lines.slice(0, 2), ['best', 'best games stage']);
      assert.deepEqual(lines.slice(2, 6), [`CapPrm: ${zero}`, `CapEff: ${zero}`, 'NoNewPrivs: 1', 'Seccomp: 2']);
      assert.equal(lines[6], 'best 700');
      assert.ok(lines.includes('kept') && lines.includes('refused'), stdout);
      const said = [...stderr.matchAll(/^dynuser-run: (.* not applied \(cannot mount\): .*)$/gm)];
      const shown = [...stdout.matchAll(/^ *Missing: (.*)$/gm)];
      // With Landlock it is one that has PrivateTmp= and what hides directories of others.
      assert.ok(said.length >= 2);
      assert.deepEqual(
        said.map(match => match[1]?.replace(' not applied (cannot mount)', '')),
        shown.map(match => match[1]),
      );
    });

    it(`${name} is held by Landlock to what mounts would leave it`, { skip: NO_LANDLOCK }, async () => {
      await host.machine.sh(`
        rm -rf /srv/open /srv/rw /home/landlock
        mkdir -p -m 1777 /srv/open/below /srv/rw /srv/secret
        mkdir -p /home/landlock
        chmod 777 /home/landlock
        echo seen >/srv/open/below/file
        echo hidden >/srv/secret/file
        chmod 666 /srv/open/below/file
        ln -sfn /srv/secret /srv/link`);
      const tried = async (properties: readonly string[], script: string): Promise<string> => {
        const argv = ['--isolation=best-effort', ...properties.flatMap(property => ['-p', property])];
        const { status, stdout, stderr } = await run(...argv, 'sh', '-c', `exec 2>/dev/null\n${script}`);
        assert.equal(status, 0, stderr);
        return stdout.trim().split('\n').join(' ');
      };
      const writes = (...paths: readonly string[]): string =>
        paths.map(path => `(: >>${path}) && echo ${path}\n`).join('');
      const all = writes('/srv/open/new', '/srv/open/below/file', '/srv/rw/new', '/home/landlock/new', '/tmp/new-$$');
      assert.match(await tried(['StateDirectory=best'], all), /^\/tmp\/new-\d+$/);
      assert.match(await tried(['ReadWritePaths=/srv/rw'], all), /^\/srv\/rw\/new \/tmp\/new-\d+$/);
      const inState =
        'cd $STATE_DIRECTORY && mkdir -p a b && echo x >a/f && mv a/f b/g && cat b/g && rm -r a b && echo gone';
      assert.equal(await tried(['StateDirectory=best'], inState), 'x gone');
      const read =
        'cat /srv/open/below/file /srv/secret/file /srv/link/file; truncate -s 0 /srv/open/below/file || echo no';
      assert.equal(await tried([], read), 'seen hidden hidden no');
      assert.equal(await tried(['InaccessiblePaths=/srv/link'], read), 'seen no', 'what a link leads to');
      const weak = ['ProtectSystem=no', 'ReadOnlyPaths=/srv/open'];
      assert.match(
        await tried([...weak, 'ProtectHome=no'], all),
        /^\/srv\/rw\/new \/home\/landlock\/new \/tmp\/new-\d+$/,
      );
      assert.match(
        await tried([...weak, 'ProtectHome=yes'], `${all}ls /home || echo no`),
        /^\/srv\/rw\/new \/tmp\/new-\d+ no$/,
      );
      const missing = await run('--isolation=best-effort', '-p', 'ReadOnlyPaths=/srv/none', 'true');
      assert.equal(missing.stderr, 'dynuser-run: ReadOnlyPaths=: "/srv/none" does not exist\n');
    });

    it(`${name} has directories that nobody else can enter, and what is in them stays`, async () => {
      const argv = ['--isolation=best-effort', '-p', 'StateDirectory=best', 'sh', '-c'];
      const script = 'echo mine >$STATE_DIRECTORY/secret; echo ready; read -r line; exit 0';
      const process = await host.machine.spawn([...prefix, 'dynuser-run', '-u', 'best', ...argv, script]);
      assert.equal(await firstOutput(process), 'ready\n');
      for (const path of ['/var/lib/best/secret', '/var/lib/private/best/secret']) {
        assert.notEqual((await host.machine.run(['cat', path], { uid: 1000 })).status, 0, path);
      }
      process.stdin.end('\n');
      assert.equal(await process.ended, 0);
      const whole = ['dynuser-run', '-u', 'best', '-p', 'StateDirectory=best', 'cat', '/var/lib/best/secret'];
      assert.equal(await host.machine.output(whole), 'mine', 'with mounts again');
    });
  }

  it('in a user namespace that does not have the user says so', async () => {
    const argv = [
      'unshare',
      '--user',
      '--map-users=0:0:1000',
      '--map-groups=0:0:1000',
      '--setuid',
      '0',
      '--setgid',
      '0',
    ];
    const { status, stderr } = await host.machine.run([...argv, 'dynuser-run', '--isolation=best-effort', 'true']);
    assert.equal(status, 125);
    assert.match(stderr, /cannot set the supplementary groups \(this user namespace has to map it\): Invalid argument/);
  });
});
