import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { planLaunch } from '../../../../src/launch/launch.ts';
import type { LaunchRequest } from '../../../../src/launch/plan/request.ts';
import { acquiredOf, privateDirectory, refuses, resolvedOf, type World } from '../launches.ts';

const CONTAINED = { mayMount: false, isolation: 'bestEffort', landlock: 7 } as const;
const OPEN = ['ProtectSystem=no', 'ProtectHome=no', 'PrivateTmp=no'];

/** The rules as lines: what is allowed, and where. Undefined: without rules. */
function rules(
  properties: readonly string[],
  world: World = {},
  more: Partial<LaunchRequest> = {},
  acquired: Parameters<typeof acquiredOf>[0] = {},
): readonly string[] | undefined {
  const resolved = resolvedOf(properties, { ...CONTAINED, ...more }, world);
  return planLaunch(resolved, acquiredOf(acquired)).accessRules?.map(
    ({ path, rights, inode }) => `${rights.join('+')} ${path}${inode === undefined ? '' : ` #${inode}`}`,
  );
}

describe('rules of Landlock, where mounts cannot be made', () => {
  it('leave a dynamic user its directories, temporary ones, and what the kernel has', () => {
    const found = ['read /', ...['/dev', '/proc', '/sys', '/tmp', '/var/tmp'].map(path => `read+write ${path}`)];
    assert.deepEqual(rules([]), found);
    assert.deepEqual(rules(['PrivateTmp=no']), found.slice(0, 4));
    const state = privateDirectory('web', { realPath: '/var/lib/web', inode: '12' });
    const cache = privateDirectory('cache', { readOnly: true });
    assert.deepEqual(rules(['PrivateTmp=no'], {}, {}, { directories: [state, cache] }), [
      ...found.slice(0, 4),
      'read+write /var/lib/web #12',
    ]);
  });

  it('take what is named, without symlinks, and the strongest of several', () => {
    const links = { '/var/run/x': '/run/x' };
    assert.deepEqual(
      rules(['PrivateTmp=no', 'ReadWritePaths=/var/run/x /srv /dev/shm', 'ReadOnlyPaths=/srv'], { links }),
      [...['read /', 'read+write /dev', 'read+write /proc', 'read+write /run/x', 'read+write /sys']],
    );
    assert.deepEqual(rules(['PrivateTmp=no', 'ReadWritePaths=-/gone'], { absent: ['/gone'] })?.length, 4);
    refuses(() => rules(['ReadOnlyPaths=/gone'], { absent: ['/gone'] }), 'ReadOnlyPaths', /"\/gone" does not exist/);
  });

  it('allow all around what is protected further than its surroundings, one by one', () => {
    const globs = { '/*': ['/a', '/etc', '/usr'], '/.*': ['/.', '/..', '/.b'] };
    const absent = ['/boot', '/efi'];
    const weak = ['DynamicUser=no', 'NoNewPrivileges=yes', 'ProtectSystem=yes'];
    assert.deepEqual(rules(weak, { globs, absent }), ['read /', 'read+write /a', 'read+write /etc', 'read+write /.b']);
  });

  it('allow nothing of what nobody gets into, nor to list what it is in', () => {
    const globs = { '/*': ['/a', '/etc'], '/etc/*': ['/etc/hosts', '/etc/shadow'] };
    assert.deepEqual(rules([...OPEN, 'InaccessiblePaths=/etc/shadow'], { globs }), [
      'read+write /a',
      'read+write /etc/hosts',
    ]);
    const strict = ['PrivateTmp=no', 'InaccessiblePaths=/etc', 'ReadWritePaths=/etc/hosts'];
    const found = ['/a', '/home', '/root', '/run'].map(path => `read ${path}`);
    found.push(...['/dev', '/proc', '/sys'].map(path => `read+write ${path}`));
    assert.deepEqual([...(rules(strict, { globs }) ?? [])].sort(), found.sort());
  });

  it('make an end of homes, as of a name with special characters, by the names of what is around them', () => {
    const globs = {
      '/*': ['/home', '/root', '/run', '/x'],
      '/run/*': ['/run/lock', '/run/user'],
      '/\\*\\[/*': ['/*[/a'],
    };
    const absent = ['/boot', '/efi', '/usr'];
    const homes = [...OPEN.filter(text => text !== 'ProtectHome=no'), 'ProtectHome=yes'];
    assert.deepEqual(rules(homes, { globs, absent }), ['read+write /run/lock', 'read+write /x']);
    assert.deepEqual(rules([...OPEN, 'InaccessiblePaths=/*[/b'], { globs }), [
      ...['read+write /home', 'read+write /root', 'read+write /run', 'read+write /x', 'read+write /*[/a'],
    ]);
  });

  it('are left out if nothing is protected, and if the kernel cannot hold them', () => {
    assert.equal(rules(OPEN), undefined);
    for (const more of [{ landlock: 2 }, { landlock: 0 }, { mayMount: true }]) {
      assert.equal(rules([], {}, more), undefined);
    }
    assert.equal(rules(['NoNewPrivileges=no']), undefined);
    refuses(
      () => rules(['InaccessiblePaths=/x'], {}, { landlock: 2 }),
      'InaccessiblePaths',
      /CAP_SYS_ADMIN/,
      'NotPermitted',
    );
    refuses(() => rules([], {}, { isolation: 'full' }), 'isolation', /CAP_SYS_ADMIN/, 'NotPermitted');
  });

  it('are no longer among what is missing', () => {
    const { missing, leftOut } = resolvedOf(['ProtectHome=yes', 'StateDirectory=x', 'PrivateDevices=yes'], CONTAINED);
    assert.deepEqual(
      missing.map(text => text.replace(/: .*/, '')),
      ['PrivateTmp=yes', 'PrivateDevices=yes', 'hiding the directories of other services'],
    );
    assert.deepEqual(leftOut, ['PrivateTmp', 'PrivateDevices']);
  });
});
