/** The world that a plan's steps make: what is seen in it, who owns it, what can be written, and that nothing shows outside. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { LaunchPlan, MountOp } from '../../../src/api/generated/io-dynuser-allocator.ts';
import { LauncherHost, UID } from './fake-daemon.ts';

const NOBODY = 65_534;
const ID_MAP = { diskUid: NOBODY, diskGid: NOBODY, uid: UID, gid: UID };

/** What systemd implies for a dynamic user with a state directory. */
const STRICT: readonly MountOp[] = [
  { kind: 'clone', path: '/var/lib/private/app', slot: 0, idMap: ID_MAP, set: ['noSuid', 'noDevices', 'noExec'] },
  { kind: 'clone', path: '/dev', slot: 1, detach: true },
  { kind: 'clone', path: '/proc', slot: 2, detach: true },
  { kind: 'remount', path: '/', set: ['readOnly', 'noSuid'] },
  { kind: 'attach', path: '/dev', slot: 1 },
  { kind: 'attach', path: '/proc', slot: 2 },
  { kind: 'mask', path: '/home' },
  { kind: 'tmpfs', path: '/tmp', mode: 0o1777, options: ['size=10%', 'nr_inodes=1k'], set: ['noSuid', 'noDevices'] },
  { kind: 'tmpfs', path: '/var/lib/private', mode: 0o755, options: ['size=4m', 'nr_inodes=1k'] },
  { kind: 'attach', path: '/var/lib/private/app', slot: 0, create: 'directory' },
  { kind: 'remount', path: '/var/lib/private', nonRecursive: true, set: ['readOnly'] },
];

const world = (...mountOps: readonly MountOp[]): Partial<LaunchPlan> => ({ mountNamespace: true, mountOps });

describe('the world of dynuser-run', () => {
  let host: LauncherHost;
  before(async () => {
    host = await LauncherHost.boot({ varLib: 'disk' });
    await host.machine.output([
      'sh',
      '-c',
      `umask 022; cd /var/lib; mkdir -m 700 private; mkdir private/app private/other
       echo own >private/app/file; chown -R ${NOBODY}:${NOBODY} private/app; touch private/app/of-root
       mkdir -p /srv/data/sub /srv/map; echo text >/srv/data/file; chown -R ${NOBODY}:${NOBODY} /srv/map`,
    ]);
  });
  after(() => host.stop());

  const output = (steps: readonly MountOp[], script: string): Promise<string> =>
    host.output(world(...steps), ['sh', '-c', script]);
  const refused = async (steps: readonly MountOp[], words: RegExp): Promise<void> => {
    const { status, stderr } = await host.run(world(...steps), ['true']);
    assert.equal(status, 125, stderr);
    assert.match(stderr, words);
  };

  it('is read-only but for what is declared, and shows nobody else', async () => {
    const before = await host.machine.output(['cat', '/proc/1/mountinfo']);
    const script = `for d in / /usr /etc /var/lib /var/lib/private /tmp /var/lib/private/app /dev/shm; do
        touch $d/probe 2>/dev/null && echo "$d" && rm $d/probe; done
      ls /var/lib/private; ls -A /tmp; stat -c '%a %u' /home; echo x >/dev/null; cat /proc/self/comm`;
    const lines = '/tmp\n/var/lib/private/app\n/dev/shm\napp\n0 0\ncat';
    assert.equal(await output(STRICT, script), lines);
    assert.equal(await host.machine.output(['cat', '/proc/1/mountinfo']), before, 'nothing of it shows outside');
  });

  it('shows the owner on disk as the user, root as root, and stores what is made as it is on disk', async () => {
    const script = `cd /var/lib/private/app; stat -c '%n %u:%g' . file of-root; echo more >made
      cp /bin/true . && ./true; echo $?; grep -c ' /var/lib/private/app rw,nosuid,nodev,noexec.*idmapped' /proc/self/mountinfo`;
    const own = `${UID}:${UID}`;
    const text = await host.run(world(...STRICT), ['sh', '-c', script]);
    assert.equal(text.stdout, `. ${own}\nfile ${own}\nof-root 0:0\n126\n1\n`, text.stderr);
    const onDisk = await host.machine.output(['stat', '-c', '%u:%g', '/var/lib/private/app/made']);
    assert.equal(onDisk, `${NOBODY}:${NOBODY}`);
  });

  it('maps on tmpfs too', async () => {
    const steps: MountOp[] = [
      { kind: 'clone', path: '/srv/map', slot: 0, idMap: ID_MAP },
      { kind: 'clone', path: '/var/lib/private/app', slot: 1, idMap: ID_MAP },
      { kind: 'attach', path: '/srv/map', slot: 0 },
      { kind: 'tmpfs', path: '/opt' },
      { kind: 'attach', path: '/opt/app', slot: 1, create: 'directory' },
    ];
    const script = 'touch /srv/map/made && stat -c %u /srv/map/made /opt/app';
    await host.machine.output(['mount', '-t', 'tmpfs', '-o', `uid=${NOBODY},gid=${NOBODY}`, 'x', '/srv/map']);
    assert.equal(await output(steps, script), `${UID}\n${UID}`);
    await host.machine.output(['umount', '/srv/map']);
  });

  it('refuses a directory that was exchanged, and a way to it with a symlink in it', async () => {
    const status = await host.machine.output(['stat', '-c', '%d %i', '/var/lib/private/app']);
    const [device = '', inode = ''] = status.split(' ');
    const pin = { kind: 'clone', path: '/var/lib/private/app', slot: 0, noSymlinks: true, device, inode } as const;
    const place = { kind: 'attach', path: '/srv/data', slot: 0 } as const;
    assert.equal(await output([pin, place], 'cat /srv/data/file'), 'own');
    await refused(
      [{ ...pin, inode: `${inode}0` }, place],
      /private\/app is not the directory that was prepared.*replaced/,
    );
    await refused([{ ...pin, device: '1' }, place], /is not the directory that was prepared/);
    await host.machine.output(['ln', '-s', 'lib', '/var/elsewhere']);
    await refused([{ ...pin, path: '/var/elsewhere/private/app' }, place], /is a symlink, and must not be one/);
    await host.machine.output(['ln', '-s', 'app', '/var/lib/private/link']);
    await refused([{ ...pin, path: '/var/lib/private/link' }, place], /is a symlink, and must not be one/);
  });

  it('hides files, directories and devices, each as an empty one of its kind', async () => {
    const steps = ['/etc/passwd', '/etc/group', '/usr/share', '/srv', '/dev/zero'].map(
      (path): MountOp => ({ kind: 'mask', path }),
    );
    const script = "stat -c '%n %F %a %s' /etc/passwd /etc/group /dev/zero; stat -c '%n %F %a' /usr/share /srv";
    const file = 'regular empty file 0 0';
    assert.equal(
      await output([...steps, { kind: 'mask', path: '/none', optional: true }], script),
      `/etc/passwd ${file}\n/etc/group ${file}\n/dev/zero character special file 0 0\n/usr/share directory 0\n/srv directory 0`,
    );
    const root = { ...world(...steps), uid: 0, gid: 0 };
    const byRoot = await host.run(root, ['sh', '-c', 'echo x >>/etc/passwd; touch /srv/x']);
    assert.match(byRoot.stderr, /passwd: Read-only.*srv\/x': Read-only/s, 'not even root can put something there');
    await refused([{ kind: 'mask', path: '/none' }], /cannot open \/none: No such file/);
  });

  it('places clones where it is told to, with what has to be made for them', async () => {
    const steps: MountOp[] = [
      { kind: 'clone', path: '/srv/data', slot: 0, set: ['readOnly'] },
      { kind: 'clone', path: '/srv/data/file', slot: 1 },
      { kind: 'clone', path: '/none', slot: 2, optional: true },
      { kind: 'tmpfs', path: '/opt', mode: 0o755 },
      { kind: 'attach', path: '/opt/deep/dir', slot: 0, create: 'directory' },
      { kind: 'attach', path: '/opt/again', slot: 0, create: 'directory' },
      { kind: 'attach', path: '/opt/f/file', slot: 1, create: 'file' },
      { kind: 'attach', path: '/opt/absent', slot: 2, create: 'directory' },
      { kind: 'attach', path: '/nowhere', slot: 0, optional: true },
      { kind: 'symlink', path: '/opt/link', target: 'deep/dir' },
    ];
    const script =
      'cat /opt/link/file /opt/again/file /opt/f/file; ls /opt; touch /opt/link/x 2>&1 | grep -o Read-only';
    assert.equal(await output(steps, script), 'text\ntext\ntext\nagain\ndeep\nf\nlink\nRead-only');
    const twice: MountOp = { kind: 'clone', path: '/srv', slot: 0 };
    await refused([twice, twice], /fills slot 0 twice/);
    await refused([{ kind: 'attach', path: '/srv', slot: 0 }], /attaches slot 0, which is empty/);
    await refused([twice, { kind: 'attach', path: '/etc/passwd', slot: 0 }], /cannot mount over \/etc\/passwd/);
  });

  it('has parts of one file system, which know nothing of each other, and go with the world', async () => {
    const [options, set] = [['size=256k', 'nr_inodes=32'], ['noSuid', 'noDevices'] as const];
    const part = (name: string, path: string, mode: number, more: Partial<MountOp> = {}): MountOp => {
      return { kind: 'tmpfs', path, mode, options, scratch: name, set: [...set], ...more };
    };
    const [one, other] = [part('one', '/opt', 0o1777), part('other', '/srv', 0o750, { set: [...set, 'noExec'] })];
    const script = `stat -c '%n %a %u' /opt /srv; [ "$(stat -c %d /opt)" = "$(stat -c %d /srv)" ] && echo shared
      ls -A /opt/.. | grep -c taken; echo x >/opt/file; ls -A /srv; head -c 400k /dev/zero >/opt/large 2>/dev/null || echo full; rm /opt/large
      grep -c ' /opt rw,nosuid,nodev,relatime.*size=256k' /proc/self/mountinfo
      cp /bin/true /opt/true; /opt/true && echo runs; ls /home`;
    const taken: MountOp = { kind: 'clone', path: '/dev', slot: 0, detach: true };
    const same = part('other', '/srv', 0o755);
    const steps = [
      taken,
      { kind: 'attach', path: '/dev', slot: 0 } as const,
      one,
      same,
      { kind: 'mask', path: '/home' } as const,
    ];
    const root = { ...world(...steps), uid: 0, gid: 0 };
    const { stdout, stderr } = await host.run(root, ['sh', '-c', script]);
    assert.equal(stdout, '/opt 1777 0\n/srv 755 0\nshared\n0\nfull\n1\nruns\n', stderr);
    await refused([one, other], /has \/srv in one tmpfs with \/opt, but with other options/);
    await refused([one, { ...same, options: ['size=1m'] }], /but with other options/);
    await refused([one, { ...one, path: '/srv' }], /cannot create a directory for \/srv: File exists/);
    await refused(
      Array.from({ length: 17 }, (_, at) => part(`p${at}`, '/srv', 0o755)),
      /more than 16 directories/,
    );
    const late: MountOp[] = [{ kind: 'mask', path: '/home' }, taken, { kind: 'attach', path: '/dev', slot: 0 }];
    assert.equal(await output(late, 'echo x >/dev/null; stat -c %a /home'), '0');
  });

  it('makes links once, and never over something else', async () => {
    const link: MountOp = { kind: 'symlink', path: '/opt/link', target: '/srv' };
    assert.equal(await output([{ kind: 'tmpfs', path: '/opt' }, link, link], 'readlink /opt/link'), '/srv');
    const other: MountOp = { ...link, target: '/etc' };
    await refused([{ kind: 'tmpfs', path: '/opt' }, link, other], /one already, with another target/);
    await refused([{ kind: 'symlink', path: '/etc/passwd', target: 'x' }], /something else is there/);
  });

  it('gives flags to what is not a mount, and takes them from one mount alone', async () => {
    const steps: MountOp[] = [
      { kind: 'remount', path: '/srv/data', set: ['readOnly'] },
      { kind: 'remount', path: '/opt', set: ['readOnly'] },
      { kind: 'remount', path: '/opt', clear: ['readOnly'] },
      { kind: 'remount', path: '/none', set: ['readOnly'], optional: true },
    ];
    const root = { ...world(...steps), uid: 0, gid: 0 };
    const script =
      'touch /srv/data/x 2>&1 | grep -o Read-only; touch /opt/x /srv/x && rm /opt/x /srv/x; cat /srv/data/file';
    assert.equal(await host.output(root, ['sh', '-c', script]), 'Read-only\ntext');
  });

  it('makes another directory the root, and reaches nothing above it', async () => {
    const copy =
      'mkdir -p /srv/root/etc && ln -sfn /etc /srv/root/abs && ln -sfn ../../../../etc /srv/root/up && echo in >/srv/root/etc/mark';
    await host.machine.sh(copy);
    const trees = ['/usr', '/proc'].flatMap((path, slot): MountOp[] => [
      { kind: 'clone', path, slot },
      { kind: 'attach', path, slot, create: 'directory' },
    ]);
    const links = ['bin', 'lib', 'lib64'].map(
      (name): MountOp => ({ kind: 'symlink', path: `/${name}`, target: `usr/${name}` }),
    );
    const steps: MountOp[] = [
      ...trees,
      ...links,
      { kind: 'mask', path: '/abs/mark' },
      { kind: 'tmpfs', path: '/up/new', create: 'directory', mode: 0o755 },
      { kind: 'remount', path: '/', set: ['readOnly'] },
    ];
    const script = 'ls /; cd ..; pwd; ls /etc; stat -c %a /etc/mark; grep -c " / / " /proc/self/mountinfo; touch /x';
    const { stdout, stderr } = await host.run({ ...world(...steps), root: '/srv/root' }, ['sh', '-c', script]);
    assert.equal(stdout, 'abs\nbin\netc\nlib\nlib64\nproc\nup\nusr\n/\nmark\nnew\n0\n0\n', stderr);
    assert.match(stderr, /Read-only/);
    assert.equal(
      await host.machine.output(['ls', '/etc/new']).catch(() => 'none'),
      'none',
      "the host's /etc is as it was",
    );
    const without = await host.run({ root: '/srv/root' }, ['ls', '/']);
    assert.equal(without.status, 127, 'a root of its own, without mounts: there is no ls in it');
  });

  it('can have an empty root', async () => {
    const trees = ['/usr', '/lib64', '/proc'].flatMap((path, slot): MountOp[] => [{ kind: 'clone', path, slot }]);
    const places = ['/usr', '/lib64', '/proc'].map(
      (path, slot): MountOp => ({ kind: 'attach', path, slot, create: 'directory' }),
    );
    const steps: MountOp[] = [
      ...trees,
      { kind: 'mask', path: '/etc/passwd' },
      { kind: 'tmpfs', path: '/', mode: 0o755, options: ['size=1m'] },
      ...places,
      { kind: 'symlink', path: '/lib', target: 'usr/lib' },
      { kind: 'remount', path: '/', nonRecursive: true, set: ['readOnly'] },
    ];
    const script = 'ls /; wc -l </proc/self/mountinfo; touch /x 2>&1 | grep -o Read-only';
    const lines = (await host.output(world(...steps), ['/usr/bin/sh', '-c', script])).split('\n');
    assert.deepEqual([...lines.slice(0, 4), lines.at(-1)], ['lib', 'lib64', 'proc', 'usr', 'Read-only']);
    assert.ok(Number(lines.at(-2)) < 12, `nothing of the old tree is mounted: ${lines.at(-2)}`);
  });

  it('says that a program is on a mount without execution', async () => {
    await host.machine.write('/srv/tool', '#!/bin/sh\n', 0o755);
    const { status, stderr } = await host.run(world({ kind: 'remount', path: '/srv', set: ['noExec'] }), ['/srv/tool']);
    assert.deepEqual(
      [status, stderr],
      [126, 'dynuser-run: cannot execute /srv/tool: its file system is mounted without execution (noexec)\n'],
    );
  });

  it('has more mounts than descriptors are allowed, and puts the bound back', async () => {
    const steps = Array.from({ length: 300 }, (_, slot): MountOp[] => [
      { kind: 'clone', path: '/srv/data', slot },
      { kind: 'attach', path: `/opt/${slot}`, slot, create: 'directory' },
    ]).flat();
    host.answer = host.planned(world({ kind: 'tmpfs', path: '/opt' }, ...steps));
    const script =
      'ulimit -Sn 100; ulimit -Hn 400; exec dynuser-run -- sh -c "ls /opt | wc -l; ulimit -Sn; ulimit -Hn"';
    assert.equal(await host.machine.sh(script), '300\n100\n400');
  });

  it('is not available without CAP_SYS_ADMIN, and says so', async () => {
    host.answer = host.planned(world());
    const argv = ['setpriv', '--bounding-set', '-sys_admin', '--inh-caps', '-sys_admin', 'dynuser-run', 'true'];
    const { status, stderr } = await host.machine.run(argv);
    assert.equal(status, 125);
    assert.match(stderr, /cannot create a mount namespace: .*CAP_SYS_ADMIN.*--isolation=best-effort/);
  });
});
