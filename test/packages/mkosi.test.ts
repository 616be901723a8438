/**
 * An image that mkosi has built, a directory or a disk image, boots with an empty /etc and /var, and a /usr that nobody can write to: dynuser
 * works, and so it does after a factory reset, which is the next boot with both empty.
 */
// time limit: 1200 s
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { CHECKOUT } from '../../src/tooling/checkout.ts';
import { buildPackages, FRESH_DEBIAN, packageIn } from '../support/built-packages.ts';
import { Machine } from '../support/machine.ts';
import { until } from '../support/until.ts';

const MKOSI_DEADLINE_MS = 400_000;
const LOG = '/var/lib/private/visits/log';

/** @returns why mkosi cannot build here: its sandbox needs namespaces */
function whyNoMkosi(): string | false {
  const { status, stderr, error } = spawnSync('mkosi', ['--version'], { encoding: 'utf8' });
  const sandboxed = spawnSync('mkosi', ['sandbox', '--', 'true'], { encoding: 'utf8', cwd: '/', timeout: 60_000 });
  if (status !== 0) {
    return `this host has no mkosi: ${error?.message ?? stderr}`;
  }
  return sandboxed.status === 0 ? false : `the sandbox of mkosi does not run here: ${sandboxed.stderr.trim()}`;
}

/** @returns why mkosi cannot make a disk image here, which systemd-repart does for it */
function whyNoDisk(): string | false {
  const { status, stderr, error } = spawnSync('systemd-repart', ['--version'], { encoding: 'utf8' });
  return status === 0 ? false : `systemd-repart does not run here: ${error?.message ?? stderr.trim()}`;
}

/** The format, why it cannot be tried, and a shell script that shows the file system of the image $1 at the directory $2. */
const FORMATS = [
  { format: 'directory', reason: false, show: 'mount --bind "$1" "$2"' },
  {
    format: 'disk',
    reason: whyNoDisk(),
    // Where no udev makes the devices, as in a fresh root, they are made here.
    show: `[ -e /dev/loop-control ] || mknod /dev/loop-control c 10 237
      for number in $(seq 0 63); do [ -e "/dev/loop$number" ] || mknod "/dev/loop$number" b 7 "$number"; done
      set -- "$2" "$1.raw" $(sfdisk --json "$1.raw" | tr -d ' ",' | sed -n 's/^start://p; s/^size://p')
      [ $# -eq 4 ] || { echo "not one partition: $*" >&2; exit 1; }
      mount -o "loop,ro,offset=$(($3 * 512)),sizelimit=$(($4 * 512))" "$2" "$1"`,
  },
] as const;

for (const { format, reason, show } of FORMATS) {
  describe(`an image of mkosi, ${format}`, { skip: whyNoMkosi() || reason }, () => {
    let folder = '';
    let image = '';
    before(() => {
      const built = buildPackages('0.1.0~1');
      // On a disk: a file tree of a system is built in it.
      folder = mkdtempSync('/var/tmp/dynuser-mkosi-');
      const within = (name: string): string => {
        mkdirSync(join(folder, name), { recursive: true });
        return join(folder, name);
      };
      try {
        const architecture = execFileSync('dpkg', ['--print-architecture'], { encoding: 'utf8' }).trim();
        const packages = within('packages');
        for (const name of ['dynuser_', 'libnss-dynuser_']) {
          const path = packageIn(built, name, `_${architecture}.deb`);
          copyFileSync(path, join(packages, basename(path)));
        }
        // The Debian that is here already, so that nothing is downloaded: apt knows no other source than the packages.
        const base = join(folder, 'base');
        execFileSync('cp', ['-a', '--reflink=auto', FRESH_DEBIAN, base]);
        execFileSync('find', [join(base, 'dev'), '-mindepth', '1', '-delete']);
        writeFileSync(join(within('sandbox/etc/apt/sources.list.d'), 'mkosi.sources'), '');
        const argv = [
          `--directory=${CHECKOUT}packaging/mkosi`,
          `--format=${format}`,
          `--base-tree=${base}`,
          `--package-directory=${packages}`,
          `--sandbox-tree=${join(folder, 'sandbox')}:/`,
          `--output-directory=${within('output')}`,
          `--workspace-directory=${within('work')}`,
          `--package-cache-dir=${within('cache')}`,
        ];
        const { status, stdout, stderr } = spawnSync('mkosi', argv, { encoding: 'utf8', timeout: MKOSI_DEADLINE_MS });
        assert.equal(status, 0, `${stdout}${stderr}`.slice(-4_000));
        image = within('shown');
        execFileSync('sh', ['-euc', show, 'sh', join(folder, 'output/dynuser'), image], {
          stdio: ['ignore', 'pipe', 'inherit'],
        });
      } finally {
        rmSync(built, { recursive: true, force: true });
      }
    });
    after(() => {
      if (image !== '') {
        spawnSync('umount', [image]);
      }
      rmSync(folder, { recursive: true, force: true });
    });

    it('has nothing of dynuser in /etc and /var but what can go', () => {
      const factory = readFileSync(join(image, 'usr/share/factory/etc/nsswitch.conf'), 'utf8');
      assert.match(factory, /^passwd: +files dynuser systemd$/m);
      const left = execFileSync(
        'find',
        [join(image, 'etc'), join(image, 'var'), '-name', '*dynuser*', '-printf', '%P\n'],
        {
          encoding: 'utf8',
        },
      );
      const needed = left
        .split('\n')
        .filter(
          path => path !== '' && !/^(?:systemd\/system\/.*\.wants|lib\/(?:dpkg|systemd)|cache)\/|^dynuser$/.test(path),
        );
      assert.deepEqual(needed, []);
    });

    for (const boot of ['the first boot', 'a factory reset']) {
      it(`works after ${boot}, with a read-only /usr`, async () => {
        const machine = await Machine.boot({ init: 'systemd', system: image, stateless: true });
        try {
          assert.notEqual((await machine.run(['touch', '/usr/file'])).status, 0);
          // Nobody has enabled them but the presets of the first boot.
          assert.equal(await machine.output(['systemctl', 'is-active', 'dynuserd.socket']), 'active');
          await machine.output(['systemctl', 'start', 'visits.service']);
          const lines = async (count: number): Promise<void> => {
            let log = '';
            await until(
              () => `${count} lines of the log: ${log}`,
              async () => {
                log = (await machine.run(['cat', LOG])).stdout;
                return log === 'visits\n'.repeat(count);
              },
            );
          };
          await lines(1);
          const uid = await machine.output(['id', '-u', 'visits']);
          assert.match(await machine.output(['getent', 'passwd', uid]), /^visits:/);
          await machine.output(['systemctl', 'restart', 'visits.service']);
          await lines(2);
          assert.equal(await machine.output(['id', '-u', 'visits']), uid);
          await machine.output(['systemctl', 'start', 'dbus.service']);
          await until(
            'the daemon has its name on the bus',
            async () => (await machine.run(['busctl', 'status', 'io.dynuser.Allocator1'])).status === 0,
          );
          const { stdout } = await machine.run(['dynuserctl', 'doctor', '--json=short']);
          const problems = JSON.parse(stdout).filter(({ level }: { level: string }) => level !== 'ok');
          assert.deepEqual(problems, []);
        } finally {
          await machine.stop();
        }
      });
    }
  });
}
