/** Disk images: as the root, mounted, laid over the root; and what is not an image, or hostile. The kernel mounts all of them. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { CHECKOUT } from '../../../src/tooling/checkout.ts';
import { ATTACHED, IMAGES, makeRoots } from '../../support/images/make.ts';
import { DYNUSER_NSSWITCH, Installed } from '../../support/installed.ts';
import { firstOutput, type RunResult } from '../../support/machine/process.ts';
import { Machine } from '../../support/machine.ts';
import { until } from '../../support/until.ts';

const X86_ROOT = '4f68bce3-e8cd-4db1-96e7-fbcaf984b709';
const X86_USR = '8484680c-9521-48c6-9c11-b0720656f69e';
const HOME = '933ac7e1-2eb4-4f13-b844-0e14e2aef915';
/** The first line says what the root is: its flags, and its file system. */
const ROOT_MOUNT =
  'while read -r a b c root path flags rest; do [ "$path" != / ] || echo "$flags $rest"; done </proc/self/mountinfo';

const programs = mkdtempSync('/var/tmp/dynuser-images-');

describe('disk images', { skip: process.arch !== 'x64' && 'the partitions of these images are of x86-64' }, () => {
  let machine: Machine;
  let mounts: string;

  before(async () => {
    const source = `${CHECKOUT}test/native/support/look_up.c`;
    for (const flags of [[], ['-static']]) {
      const name = `${programs}/look-up${flags.join('')}`;
      execFileSync('musl-gcc', [...flags, '-D_GNU_SOURCE', '-Wno-nonnull', '-o', name, source], { stdio: 'pipe' });
    }
    machine = await Machine.boot({ init: 'plain', stage: true, nsswitch: DYNUSER_NSSWITCH });
    await machine.sh(makeRoots({ musl: `${programs}/look-up`, static: `${programs}/look-up-static` }));
    await new Installed(machine).startDaemon();
    mounts = await machine.output(['cat', '/proc/1/mountinfo']);
  });
  after(async () => {
    await machine.stop();
    rmSync(programs, { recursive: true });
  });

  const launch = (properties: readonly string[], argv: readonly string[]): Promise<RunResult> =>
    machine.run(['dynuser-run', '-u', 'web', ...properties.map(property => `-p${property}`), '--', ...argv]);
  const output = async (properties: readonly string[], script: string): Promise<string> => {
    const { status, stdout, stderr } = await launch(properties, ['/bin/sh', '-c', script]);
    assert.equal(status, 0, stderr);
    return stdout.trim();
  };
  const complaint = async (properties: readonly string[]): Promise<string> => {
    const { status, stdout, stderr } = await launch(properties, ['/bin/sh', '-c', 'echo started']);
    assert.deepEqual([status, stdout], [125, ''], stderr);
    assert.match(stderr, /^dynuser-run: .*\n$/, 'one line');
    return stderr.trim();
  };
  /** Mounts and devices go with the last process; the kernel takes a moment for it. */
  const nothingIsLeft = async (what: string): Promise<void> => {
    await until(
      () => `${what}: a loop device is left`,
      async () => (await machine.sh(ATTACHED)) === '',
    );
    assert.equal(await machine.output(['cat', '/proc/1/mountinfo']), mounts, what);
    assert.equal((await machine.run(['pgrep', '-f', 'dynuser-helper images'])).status, 1, what);
  };

  it('are the root by the file systems that images have', async () => {
    for (const type of ['squashfs', 'erofs', 'ext4']) {
      if (type === 'erofs' && (await machine.run(['test', '-e', `${IMAGES}/glibc.erofs`])).status !== 0) {
        continue;
      }
      const root = [`RootImage=${IMAGES}/glibc.${type}`];
      const [flags, names, ...others] = (
        await output(
          root,
          `${ROOT_MOUNT}; echo /*; ls -A /run/dynuser 2>/dev/null; touch /x 2>&1; read -r id </etc/os-release; echo $id`,
        )
      ).split('\n');
      assert.match(flags ?? '', /^ro,nosuid,nodev/);
      assert.match(flags ?? '', new RegExp(` - ${type} `));
      assert.doesNotMatch(names ?? '', /srv|home/);
      assert.match(others.join('\n'), /^touch: .*Read-only file system\nID=tested$/);
      await nothingIsLeft(type);
    }
  });

  it('have programs of musl, dynamic and static, that find users', async () => {
    const uid = await machine.output(['dynuserctl', 'acquire', 'other']);
    for (const program of ['/bin/look-up', '/bin/look-up-static']) {
      const { stdout, stderr } = await launch(
        [`RootImage=${IMAGES}/musl.squashfs`],
        [program, 'web', 'other', uid, 'nobody-here', 'root'],
      );
      assert.match(stdout, /^getpwnam web: web:x:\d+:/m, stderr);
      assert.match(stdout, new RegExp(`^getpwuid ${uid}: other:x:${uid}:`, 'm'));
      assert.match(stdout, /^getpwnam nobody-here: none$/m);
      assert.match(stdout, /^getpwnam root: root:x:0:0:/m);
    }
    await machine.output(['dynuserctl', 'release', 'other']);
  });

  it('are looked into once, until they change', async () => {
    await machine.sh(
      `cd ${IMAGES} && cp glibc.squashfs known && cp musl.squashfs successor && touch -d '-1 min' known successor`,
    );
    /** @returns whether the helper was started */
    const looks = async (expected: RegExp, program: readonly string[]) => {
      const argv = ['dynuser-run', '-u', 'web', `-pRootImage=${IMAGES}/known`, '--', ...program];
      const { stdout, stderr } = await machine.run(['strace', '-qq', '-f', '-e', 'trace=execve', ...argv]);
      assert.match(stdout, expected, stderr);
      return /dynuser-helper/.test(stderr);
    };
    const first = () => looks(/^ID=tested$/m, ['/bin/sh', '-c', 'read -r id </etc/os-release; echo "$id"']);
    const second = () => looks(/^getpwnam web: web:/m, ['/bin/look-up', 'web']);
    // The last change may be too near for another one to be told from it.
    await until(
      () => 'an image that does not change is looked into again and again',
      async () => !(await first()),
    );
    // Its content changes, and becomes another's.
    await machine.sh(`cat ${IMAGES}/successor >${IMAGES}/known`);
    assert.equal(await second(), true);
    await until(
      () => 'another content is looked into again and again',
      async () => !(await second()),
    );
    // Another file takes its place, as old as it says it is.
    await machine.sh(`cd ${IMAGES} && cp glibc.squashfs next && touch -r known next && mv next known`);
    assert.equal(await first(), true);
    await nothingIsLeft('known images');
  });

  it('show static programs, which ask no NSS module, the accounts of the service', async () => {
    await machine.sh(
      `cd ${IMAGES} && mkdir -p static && cp -a musl/. static && rm static/lib/ld-musl-* && mksquashfs static static.squashfs -quiet -no-progress >/dev/null`,
    );
    for (let times = 0; times < 2; times++) {
      const { stdout, stderr } = await launch(
        [`RootImage=${IMAGES}/static.squashfs`],
        ['/bin/look-up-static', 'web', 'root'],
      );
      assert.match(stdout, /^getpwnam web: web:x:\d+:/m, stderr);
      assert.match(stdout, /^getpwnam root: root:x:0:0:/m);
    }
  });

  it('show accounts of the service with --passwd-overlay, and stay as they are', async () => {
    await machine.sh(`cd ${IMAGES} && cp -a glibc accounts && mksquashfs glibc accounts-none.squashfs -quiet -no-progress >/dev/null
      printf 'root:x:0:0::/root:/bin/sh' >accounts/etc/passwd && printf 'root:x:0:\\n' >accounts/etc/group
      mksquashfs accounts accounts.squashfs -quiet -no-progress >/dev/null`);
    const overlaid = (image: string, ...more: string[]) => [
      ...['dynuser-run', '-u', 'web', '--passwd-overlay', ...more, `-pRootImage=${IMAGES}/${image}`],
      ...['/bin/sh', '-c', 'cat /etc/passwd /etc/group'],
    ];
    const before = await machine.output(['sha256sum', `${IMAGES}/accounts.squashfs`]);
    const lines = (await machine.output(overlaid('accounts.squashfs'))).split('\n');
    assert.match(lines[1] ?? '', /^web:x:(6\d{4}):\1:Dynamic User:/);
    assert.deepEqual([lines[0], lines[2], lines.length], ['root:x:0:0::/root:/bin/sh', 'root:x:0:', 4]);
    assert.equal(await machine.output(['sha256sum', `${IMAGES}/accounts.squashfs`]), before);
    // A file that is missing can be made where the root can be written to.
    const { status, stderr } = await machine.run(overlaid('accounts-none.squashfs'));
    assert.equal(status, 125);
    assert.match(stderr, /^dynuser-run: cannot create \/etc\/(?:passwd|group): Read-only file system\n$/);
    const made = await machine.output(overlaid('accounts-none.squashfs', '-pRootEphemeral=yes'));
    assert.match(made, /^web:x:(6\d{4}):\1:Dynamic User:.*\nweb:x:\1:$/);
    await nothingIsLeft('accounts');
  });

  it('are written to by whoever may, one at a time', async () => {
    const argv = (script: string) => [
      ...['dynuser-run', '-pDynamicUser=no', `-pRootImage=${IMAGES}/glibc.ext4`, '--', '/bin/sh', '-c', script],
    ];
    const writer = await machine.spawn(argv(`echo kept >/kept; ${ROOT_MOUNT}; exec sleep 1000`));
    assert.match(await firstOutput(writer), /^rw,nodev/);
    assert.equal(await machine.sh(ATTACHED), `${IMAGES}/glibc.ext4`);
    const reader = await complaint([`RootImage=${IMAGES}/glibc.ext4`]);
    assert.match(reader, /cannot use the image .*glibc.ext4: another service writes to it; wait/);
    writer.kill('SIGKILL');
    await writer.ended;
    // Nobody writes to what cannot be written to, so many may have it.
    const readable = [
      'dynuser-run',
      '-pDynamicUser=no',
      `-pRootImage=${IMAGES}/glibc.squashfs`,
      '--',
      '/bin/sh',
      '-c',
      'echo up; exec sleep 1000',
    ];
    const reading = await machine.spawn(readable);
    await firstOutput(reading);
    assert.match(await output([`RootImage=${IMAGES}/glibc.squashfs`], 'echo too'), /too/);
    reading.kill('SIGKILL');
    await reading.ended;
    // Its lock ends with its device, which others wait for.
    assert.equal(await machine.output(argv('while read -r line; do echo $line; done </kept')), 'kept');
    await nothingIsLeft('after a writer that was killed');
  });

  it('are written to by each command of a unit in turn', async () => {
    const path = '/etc/systemd/system/written.service';
    const unit = `[Service]\nDynamicUser=yes\nProtectSystem=no\nRootImage=${IMAGES}/glibc.ext4\nStateDirectory=web
ExecStartPre=!/bin/sh -c 'echo first >/first'\nExecStartPre=+/bin/sh -c 'test -e ${IMAGES}/glibc.ext4'
ExecStart=/bin/sh -c 'cat /first; echo mine >/var/lib/web/own; cat /var/lib/web/own'\n`;
    await machine.write(path, unit);
    assert.equal(await machine.output(['dynuser-run', `--unit-file=${path}`]), 'first\nmine');
    await nothingIsLeft('a unit with several commands');
  });

  it('have partitions that are mounted by what they are', async () => {
    await machine.sh(`cd ${IMAGES}
      cp -a glibc bare && rm -rf bare/usr && mkdir -p bare/usr bare/home home/somebody
      mksquashfs bare bare.squashfs -quiet -no-progress >/dev/null
      mksquashfs glibc/usr usr.squashfs -quiet -no-progress >/dev/null
      mksquashfs home home.squashfs -quiet -no-progress >/dev/null
      truncate -s 32M parts.raw
      printf '%s\\n' 'label: gpt' 'start=2048, size=8192, type=${X86_USR}, name=usr_9' 'start=10240, size=16384, type=${X86_USR}, name=usr_10' \\
        'start=26624, size=8192, type=${X86_ROOT}' 'start=34816, size=8192, type=${HOME}' | sfdisk -q parts.raw
      dd if=usr.squashfs of=parts.raw bs=512 seek=10240 conv=notrunc status=none
      dd if=bare.squashfs of=parts.raw bs=512 seek=26624 conv=notrunc status=none
      dd if=home.squashfs of=parts.raw bs=512 seek=34816 conv=notrunc status=none`);
    const root = [`RootImage=${IMAGES}/parts.raw`, 'ProtectHome=no'];
    assert.equal(await output(root, 'echo /home/*; [ -x /usr/bin/sleep ] && echo usr'), '/home/somebody\nusr');
    const { stdout } = await machine.run([
      'dynuser-run',
      '-u',
      'web',
      '--explain',
      ...root.map(one => `-p${one}`),
      'x',
    ]);
    assert.match(stdout, new RegExp(`its root is ${IMAGES}/parts.raw`));
    assert.match(stdout, new RegExp(`partition 2 of ${IMAGES}/parts.raw: squashfs, the usr, read-only`));
    assert.match(
      await complaint([...root, 'RootImagePolicy=root=verity+signed:usr=verity']),
      /wants its root to be verity or signed/,
    );
    assert.equal(
      await output([...root, 'RootImagePolicy=root=unprotected:usr=unprotected:home=ignore'], 'echo /home/*'),
      '/home/*',
    );
    await nothingIsLeft('partitions');
  });

  it('are mounted where they are asked for', async () => {
    const bare = ['ProtectSystem=no', 'MountAPIVFS=no'];
    const image = `${IMAGES}/glibc.squashfs`;
    const script =
      'cat /mnt/etc/os-release; ls /run/dynuser/images 2>&1; while read -r a b c d path rest; do echo "$path"; done </proc/self/mountinfo';
    const said = await output([...bare, `MountImages=${image}:/mnt -/srv/none:/media`], script);
    assert.match(said, /^ID=tested\n/);
    assert.doesNotMatch(said, /images\/0/, 'nothing of the stage is left');
    assert.match(
      await complaint(['MountImages=/srv/none:/mnt']),
      /MountImages=: the image "\/srv\/none" does not exist; put "-"/,
    );
    const inRoot = [
      `RootImage=${image}`,
      `MountImages=${IMAGES}/glibc.ext4:/opt:ro,noexec`,
      'BindReadOnlyPaths=/srv:/opt/usr',
    ];
    assert.match(
      await output(
        inRoot,
        'while read -r a b c d path rest; do [ "$path" != /opt ] || echo "$rest"; done </proc/self/mountinfo; ls /opt/usr',
      ),
      /^ro,nosuid,nodev,noexec.*\n(?:.*\n)*images-\d+$/,
    );
    await nothingIsLeft('mounted images');
  });

  it('are laid over the root if they are for it', async () => {
    await machine.sh(`cd ${IMAGES}
      extension() {
        mkdir -p "$1/usr/lib/extension-release.d" "$1/usr/share" "$1/opt/$1"
        printf '%s\\n' "$2" >"$1/usr/lib/extension-release.d/extension-release.$1"
        echo "$1" >"$1/usr/share/who"
        mksquashfs "$1" "$1.raw" -quiet -no-progress >/dev/null
      }
      extension one "ID=tested
VERSION_ID=1"; extension two ID=_any; extension other ID=another
      mkdir -p conf/etc/extension-release.d; echo ID=_any >conf/etc/extension-release.d/extension-release.conf; echo set >conf/etc/set`);
    const root = `RootImage=${IMAGES}/glibc.squashfs`;
    const script = 'cat /usr/share/who /etc/set; cd /opt; echo *; [ -x /usr/bin/sleep ] && cat /etc/os-release';
    const layers = `ExtensionImages=${IMAGES}/one.raw ${IMAGES}/two.raw`;
    assert.equal(
      await output([root, layers, `ExtensionDirectories=${IMAGES}/conf`], script),
      'two\nset\none two\nID=tested\nVERSION_ID=1',
    );
    assert.match(
      await complaint([root, `ExtensionImages=${IMAGES}/other.raw`]),
      /is for the system "another", and the root is "tested"/,
    );
    assert.match(await complaint([root, `ExtensionImages=${IMAGES}/glibc.squashfs`]), /has no extension-release.glibc/);
    await nothingIsLeft('extensions');
  });

  it('keep nothing with RootEphemeral=, where they may be written to', async () => {
    await machine.sh(`cp -a ${IMAGES}/glibc ${IMAGES}/kept; rmdir ${IMAGES}/kept/var/lib/web`);
    const script = 'echo x >/var/lib/web/kept; echo y >/etc/lost 2>/dev/null; cat /etc/lost';
    const properties = ['RootEphemeral=yes', 'StateDirectory=web', 'ProtectSystem=no', 'User=root', 'DynamicUser=no'];
    for (const root of [`RootImage=${IMAGES}/glibc.squashfs`, `RootDirectory=${IMAGES}/kept`]) {
      const argv = [root, ...properties].map(property => `-p${property}`);
      assert.equal(await machine.output(['dynuser-run', ...argv, '--', '/bin/sh', '-c', script]), 'y');
    }
    assert.equal(await machine.sh(`ls ${IMAGES}/kept/etc; cat /var/lib/web/kept; rm -r /var/lib/web`), 'os-release\nx');
    await nothingIsLeft('an ephemeral root');
  });

  it('are refused in one line if they are not images, or a trap', async () => {
    await machine.sh(`cd ${IMAGES}
      : >empty; head -c 1M /dev/urandom >noise; truncate -s 1T sparse; mkfifo fifo; mkdir directory
      cp glibc.squashfs torn && truncate -s 300K torn
      cp glibc.squashfs both && dd if=glibc.ext4 of=both bs=1024 skip=1 seek=1 count=1 conv=notrunc status=none
      truncate -s 8M beyond && printf 'label: gpt\\nstart=2048, size=4096, type=${X86_ROOT}\\n' | sfdisk -q beyond && truncate -s 2M beyond
      truncate -s 8M verity && printf 'label: gpt\\nstart=2048, size=4096, type=2c7357ed-ebd2-46d9-aec1-23d437ec2bf5\\n' | sfdisk -q verity
      truncate -s 8M several && printf 'label: gpt\\nsize=1M, type=linux\\nsize=1M, type=linux\\n' | sfdisk -q several
      truncate -s 8M none && printf 'label: gpt\\nsize=1M, type=${X86_ROOT}\\n' | sfdisk -q none
      # An extended partition that is its own first logical one.
      truncate -s 8M circle && printf 'label: dos\\nstart=2048, size=8192, type=5\\n' | sfdisk -q circle
      printf '\\000\\000\\000\\000\\005\\000\\000\\000\\000\\000\\000\\000\\000\\020\\000\\000' | dd of=circle bs=1 seek=$((2048 * 512 + 462)) conv=notrunc status=none
      printf '\\125\\252' | dd of=circle bs=1 seek=$((2048 * 512 + 510)) conv=notrunc status=none
      # The inode of the root is turned into a symlink. In both it begins with its type.
      cp glibc.ext4 link.ext4 && debugfs -w -R 'set_inode_field <2> mode 0120777' link.ext4 2>/dev/null
      mksquashfs glibc link.squashfs -noI -quiet -no-progress >/dev/null
      number() { od -An -t u8 -j "$1" -N 8 link.squashfs | tr -d ' '; }
      root=$(number 32) && inode=$(($(number 64) + (root >> 16) + 2 + (root & 65535)))
      printf '\\003\\000' | dd of=link.squashfs bs=1 seek=$inode conv=notrunc status=none
      mkdir -p trap/usr/bin trap/proc trap/dev trap/sys trap/run && ln -s /srv trap/tmp && ln -s /srv trap/var && ln -s /etc trap/etc
      mksquashfs trap trap.squashfs -quiet -no-progress >/dev/null`);
    const refusals = {
      empty: /neither a file system nor a table|cannot be read/,
      noise: /neither a file system nor a table/,
      sparse: /neither a file system nor a table/,
      fifo: /fifo is not an image: it is neither a file nor a disk/,
      directory: /directory is not an image: .*use RootDirectory=/,
      missing: new RegExp(`the image "${IMAGES}/missing" does not exist`),
      torn: /cannot use the image .*torn: /,
      both: /the marks of several file systems/,
      beyond: /neither a file system|not within the image|cannot be read/,
      verity: /has no partition that is the root of a system for x86-64/,
      several: /more than one that may be it/,
      none: /its root is nothing that is known; use btrfs/,
      circle: /no partition that is the root|neither a file system/,
      'link.ext4': /its root is not a directory|cannot be mounted/,
      'link.squashfs': /its root is not a directory|cannot be mounted/,
    };
    for (const [name, expected] of Object.entries(refusals)) {
      assert.match(await complaint([`RootImage=${IMAGES}/${name}`]), expected);
      await nothingIsLeft(name);
    }
    // Links of an image lead to paths in it, where nothing is: never to the host's.
    const host = await machine.sh(`ls -lAR ${IMAGES}/trap /etc/hostname; ls -A /srv`);
    await complaint([`RootImage=${IMAGES}/trap.squashfs`, 'StateDirectory=web', 'InaccessiblePaths=+/etc/hostname']);
    assert.equal(await machine.sh(`ls -lAR ${IMAGES}/trap /etc/hostname; ls -A /srv`), host);
    await nothingIsLeft('trap');
  });

  it('that change while they are attached harm nobody else', async () => {
    await machine.sh(`cp ${IMAGES}/glibc.squashfs ${IMAGES}/changing`);
    const argv = [
      'dynuser-run',
      '-u',
      'web',
      `-pRootImage=${IMAGES}/changing`,
      '--',
      '/bin/sh',
      '-c',
      'echo up; exec sleep 1000',
    ];
    const service = await machine.spawn(argv);
    assert.equal((await firstOutput(service)).trim(), 'up');
    await machine.sh(`: >${IMAGES}/changing`);
    service.kill('SIGKILL');
    await service.ended;
    await complaint([`RootImage=${IMAGES}/changing`]);
    await nothingIsLeft('an image that was emptied');
  });
});
