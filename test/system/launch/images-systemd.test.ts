/** The same image under systemd and under dynuser-run: what a service sees of it, and what it may write. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { IMAGES, LOOP_DEVICES, makeRoots } from '../../support/images/make.ts';
import { DYNUSER_NSSWITCH } from '../../support/installed.ts';
import { Machine } from '../../support/machine.ts';

/** Flags and types of the mounts that are of images, and what can be written. */
const WITNESS = `while read -r id parent device root path flags rest; do
    case "$path $rest" in
    *' - squashfs '* | *' - ext4 '* | *' - overlay '*) echo "$path \${flags%,relatime} \${rest##* - }" | { read -r a b c d; echo "$a $b $c"; } ;;
    esac
  done </proc/self/mountinfo
  for path in / /etc /usr /mnt; do [ ! -d "$path" ] || { touch "$path/new" 2>/dev/null && echo "$path is writable"; }; done
  cat /usr/share/who 2>/dev/null; echo /opt/*`;

const ROOT = `RootImage=${IMAGES}/glibc`;
const CASES: Readonly<Record<string, readonly string[]>> = {
  'a root that is read': ['DynamicUser=yes', `${ROOT}.squashfs`],
  'a root that is read, though it could be written to': ['DynamicUser=yes', `${ROOT}.ext4`],
  'a root that is written to': ['DynamicUser=no', `${ROOT}.ext4`],
  'an image that is mounted': ['DynamicUser=no', `${ROOT}.ext4`, `MountImages=${IMAGES}/glibc.squashfs:/mnt`],
  'an image whose name has to be quoted': [
    'DynamicUser=no',
    `${ROOT}.ext4`,
    `MountImages="${IMAGES}/a b\\:c.raw:/mnt"`,
  ],
  'options of the root, and of a part that is not there': [
    ...['DynamicUser=no', `${ROOT}.ext4`, 'RootImageOptions=root:ro,nosuid home:rw'],
  ],
  'a policy that allows the root': ['DynamicUser=no', `${ROOT}.ext4`, 'RootImagePolicy=root=unprotected'],
  'options and a policy of an image that is mounted': [
    ...['DynamicUser=no', `${ROOT}.ext4`, `MountImages=${IMAGES}/glibc.squashfs:/mnt:nosuid`],
    'MountImagePolicy=root=unprotected',
  ],
  extensions: [
    ...['DynamicUser=no', `${ROOT}.squashfs`, `ExtensionImages=${IMAGES}/two.raw ${IMAGES}/one.raw`],
    `ExtensionDirectories=${IMAGES}/three`,
  ],
};

/** By options of the root: when a file and a directory were read last, after they were read. */
const ACCESS_TIMES: Readonly<Record<string, readonly string[]>> = {
  '': ['now', 'later', 'now'],
  noatime: ['before', 'later', 'before'],
  'noatime,atime,nodiratime': ['now', 'later', 'before'],
  strictatime: ['now', 'now', 'now'],
};

/** What neither of them starts. */
const REFUSED: Readonly<Record<string, readonly string[]>> = {
  'a root that has to be verified': [`${ROOT}.ext4`, 'RootImagePolicy=root=verity'],
  'a root that must not be there': [`${ROOT}.squashfs`, 'RootImagePolicy=root=absent'],
  'an image that has to be encrypted': [
    ...[`${ROOT}.ext4`, `MountImages=${IMAGES}/glibc.squashfs:/mnt`, 'MountImagePolicy=root=encrypted'],
  ],
  'an extension that has to be signed': [
    ...[`${ROOT}.squashfs`, `ExtensionImages=${IMAGES}/one.raw`, 'ExtensionImagePolicy=root=signed'],
  ],
};

describe('an image under systemd and under dynuser-run', () => {
  let machine: Machine;
  before(async () => {
    machine = await Machine.boot({ init: 'systemd', stage: true, nsswitch: DYNUSER_NSSWITCH });
    await machine.sh(`${LOOP_DEVICES}\n${makeRoots()}
      for name in one two three; do
        mkdir -p "$name/usr/lib/extension-release.d" "$name/usr/share" "$name/opt/$name"
        echo ID=_any >"$name/usr/lib/extension-release.d/extension-release.$name"
        echo "$name" >"$name/usr/share/who"
        mksquashfs "$name" "$name.raw" -quiet -no-progress >/dev/null
      done
      cp glibc.squashfs 'a b:c.raw'
      systemctl start dynuserd.service`);
  });
  after(() => machine.stop());

  for (const [name, properties] of Object.entries(CASES)) {
    it(`is the same: ${name}`, async () => {
      const given = properties.flatMap(property => ['-p', property]);
      const lines = async (script: string, ...starter: string[]): Promise<string[]> =>
        (await machine.output([...starter, ...given, '/bin/sh', '-c', script])).split('\n').sort();
      // systemd-run has the service manager replace variables.
      const escaped = WITNESS.replaceAll('$', () => '$$');
      const theirs = await lines(escaped, 'systemd-run', '-q', '--wait', '--pipe');
      assert.ok(
        theirs.some(line => line.startsWith('/ r')),
        theirs.join('\n'),
      );
      // An overlay has no devices here; the layers of systemd's have none either.
      const ours = (await lines(WITNESS, 'dynuser-run', '-u', 'web')).map(line =>
        line.replace('ro,nodev overlay', 'ro overlay'),
      );
      assert.deepEqual(ours, theirs);
    });
  }

  for (const [options, expected] of Object.entries(ACCESS_TIMES)) {
    it(`keeps access times in the same way: ${options === '' ? 'no option' : options}`, async () => {
      const year = new Date().getFullYear();
      const times = new Map([
        [year - 5, 'before'],
        [year + 5, 'later'],
      ]);
      const read = [year - 5, year + 5].map(
        at => `touch -a -d ${at}-06-01 /opt/file; cat /opt/file; ls -lu /opt/file;`,
      );
      const script = `touch /opt/file; ${read.join(' ')} touch -a -d ${year - 5}-06-01 /opt; ls /opt >/dev/null; ls -ldu /opt`;
      const properties = ['DynamicUser=no', `${ROOT}.ext4`, 'Environment=TIME_STYLE=long-iso'];
      // Of the root, and of an image that is mounted in another one.
      const places = [
        [...properties, `RootImageOptions=${options === '' ? 'rw' : options}`],
        [...properties.slice(0, 1), `RootImage=${IMAGES}/glibc.squashfs`, 'Environment=TIME_STYLE=long-iso'].concat(
          `MountImages=${IMAGES}/glibc.ext4:/opt:${options === '' ? 'rw' : options}`,
        ),
      ];
      for (const given of places) {
        for (const starter of [
          ['systemd-run', '-q', '--wait', '--pipe'],
          ['dynuser-run', '-u', 'web'],
        ]) {
          const output = await machine.output([
            ...starter,
            ...given.flatMap(property => ['-p', property]),
            ...['/bin/sh', '-c', script],
          ]);
          const found = output
            .split('\n')
            .map(line => times.get(Number(/ (\d{4})-\d\d-\d\d \S+ \S+$/.exec(line)?.[1])) ?? 'now');
          assert.deepEqual(found, expected, `${starter[0]} ${given.join(' ')}: ${output}`);
        }
      }
    });
  }

  for (const [name, properties] of Object.entries(REFUSED)) {
    it(`is refused: ${name}`, async () => {
      const given = ['DynamicUser=no', ...properties].flatMap(property => ['-p', property]);
      for (const starter of [
        ['systemd-run', '-q', '--wait', '--pipe'],
        ['dynuser-run', '-u', 'web'],
      ]) {
        const { status, stdout } = await machine.run([...starter, ...given, '/bin/sh', '-c', 'echo started']);
        assert.notEqual(status, 0, starter[0]);
        assert.equal(stdout, '', starter[0]);
      }
    });
  }
});
