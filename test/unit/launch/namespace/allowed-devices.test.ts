import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HostDevices } from '../../../../src/launch/namespace/allowed-devices.ts';
import { planDevices } from '../../../../src/launch/namespace/devices.ts';
import { refuses, resolvedOf, type World } from '../launches.ts';

const LISTING = [
  'b 254:0 /dev/vda',
  'b 7:0 /dev/loop0',
  'c 10:229 /dev/fuse',
  'c 226:0 /dev/dri/card0',
  'c 254:0 /dev/rtc0',
  'c 5:0 /dev/tty',
  'l /dev/rtc\trtc0',
  'l /dev/by/name\t../rtc',
  'l /dev/loop\tloop',
  'l /dev/abs\t/dev/./dri//card0',
  'nonsense',
];
const GROUPS = `Character devices:
  5 /dev/tty
 10 misc
136 pts
226 drm
254 rtc

Block devices:
  7 loop
254 virtblk
`;
const devices = new HostDevices({ listing: LISTING, groups: GROUPS });

function allowed(...specifiers: string[]): string[] {
  const found = devices.allowed(specifiers.map(specifier => ({ specifier, read: true, write: true })));
  return [...found.nodes.keys(), ...(found.terminals ? ['terminals'] : []), ...found.missing.map(name => `no ${name}`)];
}

test('devices are named by their paths, links, numbers and groups', () => {
  for (const [specifier, ...paths] of [
    ['/dev/fuse', '/dev/fuse'],
    ['/dev/rtc', '/dev/rtc0'],
    ['/dev/by/name', '/dev/rtc0'],
    ['/dev/abs', '/dev/dri/card0'],
    ['/dev/char/254:0', '/dev/rtc0'],
    ['/dev/block/254:0', '/dev/vda'],
    ['char-rtc', '/dev/rtc0'],
    ['block-virtblk', '/dev/vda'],
    ['char-d?m', '/dev/dri/card0'],
    ['char-*r*', '/dev/dri/card0', '/dev/rtc0'],
    ['block-*', '/dev/vda', '/dev/loop0'],
    ['char-/dev/*', '/dev/tty'],
    ['char-p*', 'terminals'],
    ['/dev/ptmx', 'terminals'],
    ['/dev/pts/3', 'terminals'],
    ['/dev/loop', 'no /dev/loop'],
    ['/dev/dri', 'no /dev/dri'],
    ['char-rt', 'no char-rt'],
    ['char-virtblk', 'no char-virtblk'],
    ['block-', 'no block-'],
  ] as const) {
    assert.deepEqual(allowed(specifier), paths, specifier);
  }
});

test('what several entries allow adds up, and what allows neither reading nor writing allows nothing', () => {
  const rule = (specifier: string, read: boolean, write: boolean) => ({ specifier, read, write });
  const found = devices.allowed([
    rule('/dev/fuse', true, false),
    rule('char-misc', false, true),
    rule('char-rtc', true, false),
    rule('/dev/vda', false, false),
  ]);
  assert.deepEqual(Object.fromEntries(found.nodes), {
    '/dev/fuse': { read: true, write: true },
    '/dev/rtc0': { read: true, write: false },
  });
});

test('links that lead to a device are found, over other links too', () => {
  assert.deepEqual(devices.linksTo(new Set(['/dev/rtc0'])), [
    ['/dev/by/name', '../rtc'],
    ['/dev/rtc', 'rtc0'],
  ]);
  assert.deepEqual(devices.linksTo(new Set(['/dev/vda'])), []);
});

test('a pattern of many stars takes no more time than others', () => {
  const groups = `Character devices:\n  1 ${'a'.repeat(60)}\n`;
  const many = new HostDevices({ listing: ['c 1:1 /dev/x'], groups });
  const specifier = `char-${'*a'.repeat(500)}b`;
  assert.deepEqual(many.allowed([{ specifier, read: true, write: true }]).missing, [specifier]);
});

const WORLD: World = { devices: { '/dev': LISTING }, files: { '/proc/devices': GROUPS } };

test('entries have a device and rights, and what there is not is a warning', () => {
  const resolved = resolvedOf(
    ['DeviceAllow=/dev//fuse', 'DeviceAllow=char-rtc r', 'DeviceAllow=/dev/a%%b m'],
    {},
    WORLD,
  );
  assert.deepEqual(resolved.settings.DeviceAllow, [
    { specifier: '/dev/fuse', read: true, write: true },
    { specifier: 'char-rtc', read: true, write: false },
    { specifier: '/dev/a%b', read: false, write: false },
  ]);
  assert.deepEqual(resolved.warnings, []);
  const missing = resolvedOf(['DeviceAllow=/dev/nowhere', 'DeviceAllow=', 'DeviceAllow=char-x'], {}, WORLD);
  assert.deepEqual(missing.warnings, ['DeviceAllow=: "char-x" is ignored: this host has no such device']);
  const { warnings } = resolvedOf(['DynamicUser=no', 'DevicePolicy=strict']);
  assert.deepEqual(warnings, [
    'DevicePolicy=: a service that has CAP_SYS_ADMIN can mount all devices; CapabilityBoundingSet= takes it away',
  ]);
  const bounded = ['DynamicUser=no', 'DevicePolicy=strict', 'CapabilityBoundingSet=CAP_CHOWN'];
  assert.deepEqual(resolvedOf(bounded).warnings, []);
  for (const value of ['fuse', '/etc/passwd', '/dev/fuse x', '/dev/fuse r w', '/dev/../x', 'char-']) {
    refuses(() => resolvedOf([`DeviceAllow=${value}`]), 'DeviceAllow');
  }
});

test('ProtectClock= has clocks read where devices are a list, as systemd 257 has it', () => {
  const clocks = (...properties: readonly string[]) => {
    const { settings, host } = resolvedOf(['ProtectClock=yes', ...properties], {}, WORLD);
    const planned = planDevices(settings, host);
    return planned && [planned.sources.has('/dev/rtc0'), [...planned.unreadable, ...planned.unwritable]];
  };
  assert.equal(clocks('PrivateDevices=no'), undefined, 'all are there');
  assert.deepEqual(clocks('DevicePolicy=closed'), [true, []]);
  assert.deepEqual(clocks('DevicePolicy=strict'), [true, []]);
  assert.deepEqual(clocks('DeviceAllow=/dev/fuse r'), [true, ['/dev/fuse']]);
  assert.deepEqual(clocks('DeviceAllow=char-rtc'), [true, []]);
  assert.deepEqual(clocks('PrivateDevices=yes'), [false, []]);
  assert.deepEqual(clocks('ProtectClock=no', 'DevicePolicy=closed'), [false, []]);
});
