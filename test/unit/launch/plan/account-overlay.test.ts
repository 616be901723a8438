import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { planLaunch } from '../../../../src/launch/launch.ts';
import type { Acquired, LaunchRequest } from '../../../../src/launch/plan/request.ts';
import { acquiredOf, resolvedOf, resolvedOfUnit, type World } from '../launches.ts';
import { lines } from '../namespace/op-lines.ts';

const FLAGS = 'readOnly noSuid noDevices noExec';
const GLIBC = '/lib64/ld-linux-x86-64.so.2';
const MUSL = '/lib/ld-musl-x86_64.so.1';

/** The steps that add lines to files. */
function appended(
  more: Partial<LaunchRequest>,
  world: World,
  properties: readonly string[] = [],
  acquired: Partial<Acquired> = {},
): string[] {
  const resolved = resolvedOf(properties, more, world);
  return lines(planLaunch(resolved, acquiredOf(acquired))).filter(line => line.startsWith('append'));
}

const LINES = [
  `append /etc/passwd ${FLAGS} "wuff:x:61200:61200:Dynamic User:/:/usr/sbin/nologin\\n" ?`,
  `append /etc/group ${FLAGS} "wuff:x:61200:\\n" ?`,
];
const FILES = { '/etc/passwd': ['exists', 'file'], '/etc/group': ['exists', 'file'] };
const OWN = { uid: 61_200, gid: 61_200, userName: 'wuff' };

describe('account files with the lines of the service', () => {
  it('are shown to programs that ask no NSS module: those without a dynamic linker, and those of musl', () => {
    for (const [interpreter, expected] of [
      ['', LINES],
      [MUSL, LINES],
      [GLIBC, []],
      [undefined, []],
    ] as const) {
      const world = interpreter === undefined ? {} : { programs: { '/bin/tool': interpreter } };
      assert.deepEqual(appended({ program: '/bin/tool' }, world, [], OWN).sort(), [...expected].sort(), interpreter);
    }
  });

  it('are shown if a command of a unit file needs them, which is looked for in its root', () => {
    const world = { programs: { '/srv/root/bin/tool': '', '/bin/other': '' } };
    const unit = ['ExecStartPre=+/bin/other', 'ExecStart=/bin/tool', 'DynamicUser=yes'];
    const has = (more: readonly string[]) =>
      resolvedOfUnit([...unit, ...more], {}, world).host.accountOverlay !== undefined;
    assert.equal(has(['RootDirectory=/srv/root']), true);
    // A command outside of the service's world sees that of the host.
    assert.equal(has([]), false);
  });

  it('are shown, or not, if that is asked for; what is missing is made while it can be', () => {
    const isStatic = { programs: { '/bin/tool': '' } };
    assert.deepEqual(appended({ program: '/bin/tool', passwdOverlay: false }, isStatic), []);
    const named = LINES.map(line => line.replace(/ "/, ' file "').replace(' ?', ''));
    const there = { paths: FILES };
    assert.deepEqual(appended({ passwdOverlay: true }, there, [], OWN).sort(), [...named].sort());
    const [passwd = '', group = ''] = named;
    const missing = { paths: { '/etc/passwd': ['exists', 'file'] } };
    assert.deepEqual(appended({ passwdOverlay: true }, missing, [], OWN), [group, `${group} unlessMounted`, passwd]);
  });

  it('have the dynamic groups that are named, and no line of a static user', () => {
    const dynamicGroups = [{ name: 'shared', gid: 61_300 }];
    const isStatic = { programs: { '/bin/tool': '' } };
    const found = appended({ program: '/bin/tool' }, isStatic, [], { ...OWN, dynamicGroups });
    assert.ok(found.includes(`append /etc/group ${FLAGS} "wuff:x:61200:\\nshared:x:61300:\\n" ?`), found.join('\n'));
    assert.deepEqual(appended({ program: '/bin/tool' }, isStatic, [], { ...OWN, dynamic: false }), []);
    assert.deepEqual(appended({ passwdOverlay: true }, { paths: FILES }, ['DynamicUser=no']), []);
  });

  it('give way to what the service was given at their paths', () => {
    const isStatic = { programs: { '/bin/tool': '' } };
    const bound = ['BindReadOnlyPaths=/srv/passwd:/etc/passwd'];
    assert.deepEqual(
      appended({ program: '/bin/tool' }, isStatic, bound, OWN).map(line => line.split(' ')[1]),
      ['/etc/group'],
    );
    assert.deepEqual(appended({ program: '/bin/tool' }, isStatic, ['InaccessiblePaths=/etc'], OWN), []);
  });

  it('are among what is missing if they were asked for, and mounts cannot be made', () => {
    const more = { mayMount: false, isolation: 'bestEffort', passwdOverlay: true } as const;
    const { missing, makesMounts } = resolvedOf([], more, { paths: FILES });
    assert.equal(makesMounts, false);
    assert.ok(missing.some(text => text.startsWith('--passwd-overlay: ')));
    const off = ['ProtectSystem=no', 'ProtectHome=no', 'PrivateTmp=no'];
    assert.equal(resolvedOf(off, { passwdOverlay: true }, { paths: FILES }).makesMounts, true);
  });
});
