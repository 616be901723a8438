/**
 * How long it takes to start a small static program out of a squashfs image: dynuser-run next to systemd's RootImage= with a dynamic user.
 * One machine with systemd, one run, in turns. Both without an image show what the image costs. An image that changes again and again has to be
 * looked into each time, as if the daemon kept nothing of images.
 */
import { CHECKOUT } from '../src/tooling/checkout.ts';
import { IMAGES, LOOP_DEVICES } from '../test/support/images/make.ts';
import { DYNUSER_NSSWITCH } from '../test/support/installed.ts';
import { Machine } from '../test/support/machine.ts';
import { printTable, printTargets } from './support/report.ts';
import { median } from './support/statistics.ts';

const DEADLINE_MS = 10 * 60_000;
const ROUNDS = 60;
/** A root with nothing but the program, and the directories that both mount something at. */
const IMAGE = `mkdir -p ${IMAGES} && cd ${IMAGES} && mkdir -p root/etc root/usr root/proc root/sys root/dev root/run root/tmp root/var/tmp
  echo 'int main(void) { return 0; }' | cc -static -x c -o root/true - && touch root/etc/os-release
  install -m 755 root/true /usr/local/bin/static-true
  mksquashfs root root.squashfs -quiet -no-progress >/dev/null && cp root.squashfs changing.squashfs`;
const OURS = 'dynuser-run -p RootImage=…';
const THEIRS = 'systemd-run --wait -p DynamicUser=yes -p RootImage=…';
/** Next to the installed launcher, whose helper it uses. */
const WITHOUT_EARLY = '/usr/bin/dynuser-run-late';
const COMMANDS = {
  [OURS]: ['dynuser-run', '-u', 'web', `-pRootImage=${IMAGES}/root.squashfs`, '--', '/true'],
  'the same, but nothing is mounted and read while the daemon searches a user': [
    ...[WITHOUT_EARLY, '-u', 'web', `-pRootImage=${IMAGES}/root.squashfs`, '--', '/true'],
  ],
  // In the turn before its start: one that changes meanwhile is refused.
  'touch of an image, which changes it': ['touch', `${IMAGES}/changing.squashfs`],
  'dynuser-run of that image, which has to be looked into': [
    ...['dynuser-run', '-u', 'web', `-pRootImage=${IMAGES}/changing.squashfs`, '--', '/true'],
  ],
  [THEIRS]: [
    ...['systemd-run', '-q', '--wait', '-p', 'DynamicUser=yes', '-p', `RootImage=${IMAGES}/root.squashfs`, '/true'],
  ],
  'dynuser-run': ['dynuser-run', '-u', 'web', '--', '/usr/local/bin/static-true'],
  'systemd-run --wait -p DynamicUser=yes': [
    ...['systemd-run', '-q', '--wait', '-p', 'DynamicUser=yes', '/usr/local/bin/static-true'],
  ],
} as const;

const milliseconds = (value: number): string => `${Number(value.toPrecision(3))} ms`;

const machine = await Machine.boot({ init: 'systemd', stage: true, nsswitch: DYNUSER_NSSWITCH, varLib: 'disk' });
try {
  await machine.sh(`${LOOP_DEVICES}\n${IMAGE}\ncp ${CHECKOUT}dist/native/without/early_images ${WITHOUT_EARLY}`);
  await machine.write('/etc/dynuser/dynuserd.conf', 'LogLevel=warn\n');
  await machine.output(['systemctl', 'start', 'dynuserd.service']);
  const names = Object.keys(COMMANDS) as (keyof typeof COMMANDS)[];
  const words = names.flatMap((name, index) => [...(index === 0 ? [] : [',']), ...COMMANDS[name]]);
  const argv = [`${CHECKOUT}dist/native/spawn-times`, 'turns', String(ROUNDS), ...words];
  const taken = (await machine.output(argv, { timeoutMs: DEADLINE_MS }))
    .split('\n')
    .map(line => line.split(' ').map(Number));
  const medians = names.map((_, index) =>
    median(taken.flatMap(([command, microseconds = 0]) => (command === index ? [microseconds / 1_000] : []))),
  );
  printTable([['one at a time, median', ''], ...names.map((name, index) => [name, milliseconds(medians[index] ?? 0)])]);
  const medianOf = (name: keyof typeof COMMANDS): number => medians[names.indexOf(name)] ?? Number.NaN;
  const factor = medianOf(THEIRS) / medianOf(OURS);
  printTargets([
    {
      what: 'a start out of a squashfs image',
      wanted: '≥ 5× faster than systemd',
      measured: `${factor.toFixed(1)}×`,
      reached: factor >= 5,
    },
  ]);
} finally {
  await machine.stop();
}
