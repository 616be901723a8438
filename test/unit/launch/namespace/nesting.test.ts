/** Mounts below mounts, and several things at one path: all the steps of each, in a world that has nothing else. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Acquired } from '../../../../src/launch/plan/request.ts';
import { planOf, privateDirectory, refuses, type World } from '../launches.ts';
import { lines } from './op-lines.ts';

const BARE = ['ProtectSystem=no', 'ProtectHome=no', 'PrivateTmp=no', 'NoNewPrivileges=no'];

/** All steps but that which hides what systemd gave others, and is in every world but an empty one. */
function steps(properties: readonly string[], acquired: Partial<Acquired> = {}, world: World = {}): string[] {
  const all = lines(planOf([...BARE, ...properties], acquired, {}, world));
  const others = all.filter(text => text !== 'mask /run/credentials ?');
  assert.equal(others.length, all.length - 1);
  return others;
}

describe('below a bind', () => {
  it('what is changed is taken from its source, and in its place', () => {
    const properties = [
      'BindPaths=-/x:/b',
      'InaccessiblePaths=/b/c',
      'ReadOnlyPaths=/b/d',
      'ReadWritePaths=/b/e /b/d/f',
    ];
    assert.deepEqual(steps(properties), [
      'clone /x #0 ?',
      'clone /x/d #1 readOnly',
      'clone /x/d/f #2',
      'attach /b #0 file',
      'mask /b/c',
      'attach /b/d #1',
      'attach /b/d/f #2',
    ]);
  });

  it('what is empty or the kernel’s is made to mount on', () => {
    const properties = [
      'BindPaths=/x:/var /y:/dev',
      'PrivateTmp=yes',
      'PrivateIPC=yes',
      'TemporaryFileSystem=/var/t:ro',
    ];
    assert.deepEqual(steps(properties), [
      'clone /y #0',
      'mount /dev/mqueue #2 type:mqueue noSuid noDevices noExec ?',
      'clone /x #3',
      'clone /var/t #4 detach ?',
      'clone /dev/mqueue #1 detach ?',
      'attach /dev #0 file',
      'attach /dev/mqueue #2 directory',
      'tmpfs /tmp 1777 size=10% nr_inodes=400k scratch:tmp noDevices ?',
      'attach /var #3 file',
      'tmpfs /var/t 755 size=10% nr_inodes=400k noDevices directory',
      'tmpfs /var/tmp 1777 size=10% nr_inodes=400k scratch:var-tmp noDevices directory ?',
      'remount /var/t nonRecursive readOnly',
    ]);
  });

  it('that is read-only something can be written', () => {
    const properties = ['BindReadOnlyPaths=/x:/srv', 'ReadWritePaths=/srv/y', 'ReadOnlyPaths=/srv/z'];
    assert.deepEqual(steps(properties, {}, { directories: { '/x': [] } }), [
      'mkdir /srv 755',
      'clone /x #0 readOnly',
      'clone /x/y #1',
      'clone /x/z #2 readOnly',
      'attach /srv #0 directory',
      'attach /srv/y #1',
      'attach /srv/z #2',
    ]);
  });
});

describe('below a file system of the kernel', () => {
  it('what is there is changed in place, since the host has another one at that path', () => {
    const properties = ['PrivateNetwork=yes', 'InaccessiblePaths=/sys/a', 'ReadOnlyPaths=-/sys/b /sys/c'];
    assert.deepEqual(steps(properties), [
      'mount /sys #1 type:sysfs noSuid noDevices noExec ?',
      'clone /sys #0 detach ?',
      'attach /sys #1',
      'mask /sys/a',
      'remount /sys/b readOnly ?',
      'remount /sys/c readOnly',
    ]);
    const writable = ['PrivateNetwork=yes', 'ReadOnlyPaths=/sys', 'ReadWritePaths=/sys/fs -/sys/x'];
    assert.deepEqual(steps(writable), [
      'mount /sys #1 type:sysfs readOnly noSuid noDevices noExec ?',
      'clone /sys #0 detach ?',
      'attach /sys #1',
      'remount /sys/fs not:readOnly',
      'remount /sys/x not:readOnly ?',
    ]);
  });

  it('a bind is what was asked for', () => {
    assert.deepEqual(steps(['PrivateNetwork=yes', 'BindPaths=/y:/sys/z']), [
      'mount /sys #1 type:sysfs noSuid noDevices noExec ?',
      'clone /y #2',
      'clone /sys #0 detach ?',
      'attach /sys #1',
      'attach /sys/z #2 file',
    ]);
  });
});

describe('several things at a path', () => {
  it('the stronger one holds: hidden, bound, empty, the kernel’s, read-only, writable, temporary', () => {
    const worlds: readonly (readonly [string[], string[]])[] = [
      [
        ['InaccessiblePaths=/p', 'BindPaths=/q:/p', 'TemporaryFileSystem=/p', 'ReadOnlyPaths=/p'],
        ['clone /p #0 detach ?', 'mask /p'],
      ],
      [
        ['BindPaths=/q:/p', 'TemporaryFileSystem=/p', 'ReadOnlyPaths=/p', 'ReadWritePaths=/p'],
        ['clone /q #0 readOnly', 'attach /p #0 file'],
      ],
      [
        ['BindPaths=/q:/p', 'TemporaryFileSystem=/p:ro'],
        ['clone /q #0 readOnly', 'attach /p #0 file'],
      ],
      [
        ['BindPaths=/q:/p', 'TemporaryFileSystem=/p', 'ReadWritePaths=/p'],
        ['clone /q #0', 'attach /p #0 file'],
      ],
      [
        ['ReadWritePaths=/p', 'TemporaryFileSystem=/p:ro'],
        ['clone /p #0 detach readOnly', 'attach /p #0'],
      ],
      [
        ['BindPaths=/q:/proc', 'ProcSubset=pid'],
        ['clone /q #0', 'attach /proc #0 file'],
      ],
      [
        ['PrivateDevices=no', 'ReadOnlyPaths=/p', 'ReadWritePaths=/p', 'TemporaryFileSystem=/p'],
        ['clone /p #0 detach readOnly', 'attach /p #0'],
      ],
      [
        ['ProtectHome=tmpfs', 'BindPaths=/q:/home', 'ReadOnlyPaths=/root', 'TemporaryFileSystem=/run/user'],
        [
          'clone /q #0 readOnly',
          'clone /run/user #2 detach ?',
          'clone /root #1 detach ?',
          'attach /home #0 file',
          'tmpfs /root 700 size=4m nr_inodes=1k noSuid noDevices ?',
          'tmpfs /run/user 755 size=4m nr_inodes=1k noSuid noDevices ?',
          'remount /root nonRecursive readOnly ?',
          'remount /run/user nonRecursive readOnly ?',
        ],
      ],
    ];
    for (const [properties, expected] of worlds) {
      assert.deepEqual(steps(properties), expected, properties.join(' '));
    }
  });

  it('what changes nothing is left out, and names that only begin alike are not below each other', () => {
    const properties = ['ReadOnlyPaths=/a /a/b', 'ReadWritePaths=/a/b/c /a/b/c/d /z', 'ReadOnlyPaths=/a-b /a.b'];
    assert.deepEqual(steps(properties), [
      'clone /z #4 detach',
      'clone /a.b #3 detach readOnly',
      'clone /a-b #2 detach readOnly',
      'clone /a/b/c #1 detach',
      'clone /a #0 detach readOnly',
      'attach /a #0',
      'attach /a/b/c #1',
      'attach /a-b #2',
      'attach /a.b #3',
      'attach /z #4',
    ]);
  });

  it('below a path of NoExecPaths= or ExecPaths=, what changes nothing is a mount all the same', () => {
    const attached = (...properties: string[]) => steps(properties).filter(text => /^attach \/(?:a|srv)/.test(text));
    const strict = 'ProtectSystem=strict';
    assert.deepEqual(attached(strict, 'NoExecPaths=/srv', 'ReadOnlyPaths=/srv/a /srvb'), ['attach /srv/a #5']);
    assert.deepEqual(attached(strict, 'ExecPaths=/', 'ReadOnlyPaths=/srv/a'), []);
    assert.deepEqual(
      attached('NoExecPaths=/a/b', 'ReadOnlyPaths=/a /a/b/c /a/d').map(text => text.replace(/#.*/, '')),
      ['attach /a ', 'attach /a/b/c '],
    );
  });

  it('nothing below a hidden path is there, and of several hidden ones each is', () => {
    assert.deepEqual(steps(['InaccessiblePaths=/a /a/b -/c', 'ReadWritePaths=/a/x', 'BindPaths=/q:/a/y']), [
      'clone /c #1 detach ?',
      'clone /a #0 detach ?',
      'mask /a',
      'mask /c ?',
    ]);
  });

  it('homes are left alone, or are made read-only in part, where "/" is read-only', () => {
    const strict = ['ProtectSystem=strict', 'ReadOnlyPaths=/home/a /srv', 'ReadWritePaths=/srv/b'];
    assert.deepEqual(steps(strict), [
      'clone /sys #7 detach ?',
      'clone /srv/b #6 detach',
      'clone /run/user #5 detach ?',
      'clone /root #4 detach ?',
      'clone /proc #3 detach ?',
      'clone /home/a #2 detach readOnly',
      'clone /home #1 detach ?',
      'clone /dev #0 detach ?',
      'remount / readOnly',
      'attach /dev #0',
      'attach /home #1',
      'attach /home/a #2',
      'attach /proc #3',
      'attach /root #4',
      'attach /run/user #5',
      'attach /srv/b #6',
      'attach /sys #7',
    ]);
  });
});

describe('a temporary file system', () => {
  it('has options of tmpfs(5), of which the last one of a flag counts', () => {
    const mounts = (value: string) =>
      steps([`TemporaryFileSystem=${value}`]).filter(text => /^tmpfs|^remount/.test(text));
    for (const [options, mode, expected, isReadOnly] of [
      ['nr_blocks=3,uid=5,noatime', 755, 'nr_inodes=400k nr_blocks=3 uid=5 noDevices noAtime', false],
      ['nosuid,noexec,exec,ro,rw', 755, 'size=10% nr_inodes=400k noDevices noSuid', false],
      ['size=5%,nosuid,suid,ro,mode=12345', 2345, 'nr_inodes=400k size=5% noDevices', true],
      ['dev,noexec,nr_inodes=1k', 755, 'size=10% nr_inodes=1k noExec', false],
      [
        'nodev,relatime,noatime,strictatime,nodiratime',
        755,
        'size=10% nr_inodes=400k noDevices strictAtime noDiratime',
        false,
      ],
      ['noatime,atime,nodiratime,diratime', 755, 'size=10% nr_inodes=400k noDevices', false],
      [
        'huge=always,noswap,gid=7,mpol=local',
        755,
        'size=10% nr_inodes=400k huge=always noswap gid=7 mpol=local noDevices',
        false,
      ],
    ] as const) {
      assert.deepEqual(
        mounts(`/a:${options}`),
        [`tmpfs /a ${mode} ${expected}`, ...(isReadOnly ? ['remount /a nonRecursive readOnly'] : [])],
        options,
      );
    }
  });

  it('hides nobody’s secrets, since it has none', () => {
    const all = lines(planOf([...BARE, 'TemporaryFileSystem=/run']));
    assert.deepEqual(all, [
      'mkdir /run 755',
      'clone /run #0 detach ?',
      'tmpfs /run 755 size=10% nr_inodes=400k noDevices',
    ]);
  });

  it('has nothing that could be made writable, read-only or hidden, in whatever depth', () => {
    for (const name of ['ReadWritePaths', 'ReadOnlyPaths', 'InaccessiblePaths']) {
      const words = /^"\/t\/a\/b" is in the empty file system at \/t, so it is not there$/;
      refuses(() => steps(['TemporaryFileSystem=/t', `${name}=/t/a/b`]), name, words);
      assert.equal(steps(['TemporaryFileSystem=/t', `${name}=-/t/a/b`]).length, 3);
    }
  });
});

describe('directories of the service', () => {
  it('a path below one of its names is one below its tree; the longest name counts', () => {
    const directories = [
      privateDirectory('wuff', { aliases: ['c'] }),
      privateDirectory('x', { aliases: ['c/y'], otherNames: { inner: ['wuff/x'], covered: [] }, inode: '78' }),
    ];
    const paths = ['wuff/a', 'wuff/x/a', 'c/d', 'c/y/d', 'wuffy'].map(path => `/var/lib/${path}`);
    assert.deepEqual(
      steps([`ReadOnlyPaths=${paths.join(' ')}`], { directories }).filter(text => text.startsWith('clone')),
      [
        'clone /var/lib/private/wuff #0 noSymlinks:2049:77',
        'clone /var/lib/private/wuff/a #1 readOnly',
        'clone /var/lib/private/wuff/d #2 readOnly',
        'clone /var/lib/private/x #3 noSymlinks:2049:78',
        'clone /var/lib/private/x/a #4 readOnly',
        'clone /var/lib/private/x/d #5 readOnly',
        'clone /var/lib/wuffy #6 detach readOnly',
      ].map(text => text.replace(/(noSymlinks:\S+)$/, '$1 noSuid')),
    );
    // The name of a directory is the directory, which becomes read-only with all below it.
    const named = steps(['ReadOnlyPaths=/var/lib/c/y /var/lib/c/y/d'], { directories });
    assert.deepEqual(
      named.filter(text => text.startsWith('clone')),
      [
        'clone /var/lib/private/wuff #0 noSymlinks:2049:77 noSuid',
        'clone /var/lib/private/x #1 noSymlinks:2049:78 readOnly noSuid',
        'clone /var/lib/private/x/d #2 readOnly',
      ],
    );
  });

  it('of a static user keep their setuid bits, and a mapped one shows no devices', () => {
    const directory = privateDirectory('w', { realPath: '/var/lib/w' });
    const games = { uid: 5, gid: 60, userName: 'games', dynamic: false };
    const plan = (more: Partial<typeof directory>) =>
      steps(['PrivateMounts=yes'], { ...games, directories: [{ ...directory, ...more }] });
    assert.deepEqual(plan({}), ['clone /var/lib/w #0 noSymlinks:2049:77', 'attach /var/lib/w #0']);
    assert.deepEqual(plan({ handover: 'map', diskUid: 1, diskGid: 2, readOnly: true }), [
      'clone /var/lib/w #0 noSymlinks:2049:77 map:1:2:5:60 readOnly noDevices',
      'attach /var/lib/w #0',
    ]);
  });

  it('each kind has an empty boundary, if it has private ones', () => {
    const of = (kind: 'cache' | 'logs', base: string, name: string) =>
      privateDirectory(name, { kind, publicPath: `${base}/${name}`, realPath: `${base}/private/${name}` });
    const directories = [
      of('cache', '/var/cache', 'a'),
      of('cache', '/var/cache', 'b'),
      of('logs', '/var/log', 'a'),
      privateDirectory('c', { realPath: '/var/lib/c' }),
    ];
    assert.deepEqual(
      steps(['PrivateMounts=yes'], { directories }).filter(text => text.startsWith('tmpfs')),
      ['/var/cache/private', '/var/log/private'].map(
        path => `tmpfs ${path} 755 size=4m nr_inodes=1k noSuid noDevices noExec`,
      ),
    );
  });
});

describe('in another root', () => {
  const inRoot = (properties: readonly string[], directories: Acquired['directories'] = [], world: World = {}) =>
    steps(['RootDirectory=/r', 'MountAPIVFS=no', ...properties], { directories }, world);

  it('file systems of the kernel are made to mount on, unless what is above them is', () => {
    // Protections of /proc come with the other trees.
    const trees = lines(
      planOf(['DynamicUser=no', 'RootDirectory=/r', 'ProtectProc=ptraceable', 'PrivateNetwork=yes', 'PrivateIPC=yes']),
    );
    const ofTrees = trees.filter(text => / (?:\/r)?\/(?:proc|sys|dev\/mqueue) /.test(text));
    assert.deepEqual(
      ofTrees.map(text => text.replace(/#\d+ ?/, '')),
      [
        'mkdir /r/proc 755',
        'mkdir /r/sys 755',
        'mount /dev/mqueue type:mqueue noSuid noDevices noExec ?',
        'mount /proc hidepid=ptraceable type:proc noSuid noDevices noExec ?',
        'mount /sys type:sysfs noSuid noDevices noExec ?',
        'clone /r/sys detach ?',
        'clone /r/proc detach ?',
        'clone /r/dev/mqueue detach ?',
        'attach /dev/mqueue directory',
        'attach /proc ',
        'attach /sys ',
      ],
    );
    const devices = inRoot(['PrivateDevices=yes', 'PrivateIPC=yes']);
    assert.deepEqual(
      devices.filter(text => text.startsWith('mkdir')),
      ['mkdir /r/dev 755'],
    );
    assert.ok(devices.includes('attach /dev/mqueue #6 directory'), devices.join('\n'));
  });

  it('paths are those of the root, also those that are given as the host has them', () => {
    assert.deepEqual(
      inRoot([
        'PrivateIPC=yes',
        'PrivateNetwork=yes',
        'ReadOnlyPaths=/r/sys /dev/mqueue /r/a',
        'ReadWritePaths=+/b /c',
      ]),
      [
        'mkdir /r/dev/mqueue 755',
        'mkdir /r/sys 755',
        'mount /dev/mqueue #3 type:mqueue noSuid noDevices noExec ?',
        'mount /sys #5 type:sysfs readOnly noSuid noDevices noExec ?',
        'clone /r/sys #4 detach ?',
        'clone /r/dev/mqueue #2 detach ?',
        'clone /r/b #1 detach',
        'clone /r/a #0 detach readOnly',
        'attach /a #0',
        'attach /b #1',
        'attach /dev/mqueue #3',
        'attach /sys #5',
      ],
    );
    assert.ok(inRoot(['ReadOnlyPaths=/r']).includes('remount / readOnly'));
    assert.ok(!inRoot(['ReadOnlyPaths=/']).includes('remount / readOnly'));
  });

  it('binds, temporary file systems and directories of configuration are made to mount on', () => {
    const properties = ['TemporaryFileSystem=/t', 'BindPaths=/a:/t/b /c', 'ConfigurationDirectory=x'];
    assert.deepEqual(inRoot(properties, [], { directories: { '/c': [] } }), [
      'mkdir /etc/x 755',
      'mkdir /r/c 755',
      'mkdir /r/etc/x 755',
      'mkdir /r/t 755',
      'clone /c #0',
      'clone /etc/x #1 noSuid',
      'clone /a #3',
      'clone /r/t #2 detach ?',
      'attach /c #0 directory',
      'attach /etc/x #1 directory',
      'tmpfs /t 755 size=10% nr_inodes=400k noDevices',
      'attach /t/b #3 file',
    ]);
  });

  it('other names of directories that are not on the host are links to their public paths', () => {
    const directories = [
      privateDirectory('wuff', { aliases: ['elsewhere'], otherNames: { inner: ['wuff/d'], covered: ['a/b', 'c'] } }),
      privateDirectory('wuff/sub', { within: '/var/lib/wuff', otherNames: { inner: [], covered: ['e'] } }),
      privateDirectory('z', {
        kind: 'cache',
        publicPath: '/var/cache/z',
        realPath: '/var/cache/private/z',
        otherNames: { inner: [], covered: ['y'] },
      }),
    ];
    assert.deepEqual(
      inRoot([], directories).filter(text => text.startsWith('symlink')),
      [
        'symlink /var/lib/a/b →../wuff',
        'symlink /var/lib/c →wuff',
        'symlink /var/lib/e →wuff/sub',
        'symlink /var/cache/y →z',
      ],
    );
  });
});

describe('what can be executed', () => {
  it('is decided once all mounts are there, the inner path after the outer one', () => {
    const properties = ['NoExecPaths=/srv/a/b -/ /x', 'ExecPaths=/srv/a -+/srv /x /srv-a', 'TemporaryFileSystem=/t:ro'];
    const texts = steps(properties);
    assert.deepEqual(texts.slice(texts.indexOf('remount /t nonRecursive readOnly') + 1), [
      'remount / noExec ?',
      'remount /srv not:noExec ?',
      'remount /srv/a not:noExec',
      'remount /srv/a/b noExec',
      'remount /srv-a not:noExec',
      'remount /x noExec',
    ]);
  });

  it('changes nothing below what is hidden, and nothing in new file systems that never have programs', () => {
    const properties = [
      'InaccessiblePaths=/srv',
      'ExecPaths=/srv/a /srv /',
      'NoExecPaths=/proc/x',
      'ProtectProc=ptraceable',
    ];
    const texts = steps([...properties, 'PrivateDevices=yes']).filter(text => text.startsWith('remount'));
    assert.deepEqual(texts.slice(texts.indexOf('remount / not:noExec')), [
      'remount / not:noExec',
      'remount /proc/x noExec',
      'remount /srv not:noExec',
      'remount /dev nonRecursive noExec',
      'remount /proc nonRecursive noExec ?',
    ]);
    const chosen = steps(['PrivateDevices=yes', 'ExecPaths=/dev']).filter(text => text.includes('not:noExec'));
    assert.deepEqual(chosen, ['remount /dev not:noExec'], 'that is what was asked for');
  });

  it('of another root is what is in it', () => {
    const texts = steps(['RootDirectory=/r', 'MountAPIVFS=no', 'NoExecPaths=/ +/a', 'ExecPaths=/r/usr /elsewhere']);
    assert.deepEqual(
      texts.filter(text => text.includes('noExec')),
      ['remount /usr not:noExec', 'remount /a noExec'].sort(),
    );
  });
});

describe('the devices of PrivateDevices=', () => {
  it('are all there if the host has them, each what it is', () => {
    const trees = ['hugepages', 'mqueue', 'pts', 'shm'];
    const names = ['full', 'hugepages', 'log', 'mqueue', 'null', 'pts', 'random', 'shm', 'tty', 'urandom', 'zero'];
    assert.deepEqual(steps(['PrivateDevices=yes']), [
      'mount /dev #1 size=4m nr_inodes=64k mode=755 type:tmpfs noSuid noExec',
      ...names.map((name, index) => {
        const isNode = name !== 'log' && !trees.includes(name);
        return `clone /dev/${name} #${index + 2} ${isNode ? 'node:1 ' : ''}?`;
      }),
      'clone /dev #0 detach ?',
      'remount / noDevices',
      'attach /dev #1',
      ...names.map((name, index) => `attach /dev/${name} #${index + 2} ${trees.includes(name) ? 'directory' : 'file'}`),
      'symlink /dev/fd →/proc/self/fd',
      'symlink /dev/stdin →/proc/self/fd/0',
      'symlink /dev/stdout →/proc/self/fd/1',
      'symlink /dev/stderr →/proc/self/fd/2',
      'symlink /dev/ptmx →pts/ptmx',
      'remount /dev nonRecursive readOnly',
    ]);
  });
});

describe('the devices of DeviceAllow=', () => {
  const world: World = {
    devices: { '/dev': ['c 10:229 /dev/fuse', 'c 1:3 /dev/null', 'l /dev/alias\tfuse', 'c 1:5 /dev/zero'] },
  };
  const named = (properties: readonly string[]): string[] => {
    const plan = planOf([...BARE, ...properties], {}, {}, world);
    const ops = plan.mountOps.flatMap(({ kind, path, target, set }) =>
      kind === 'clone' && set?.includes('noDevices') !== true && path.startsWith('/dev/')
        ? [path.slice('/dev/'.length)]
        : kind === 'symlink' && !/^\/proc/.test(target ?? '')
          ? [`${path} to ${target}`]
          : [],
    );
    const rights = [
      ...(plan.unreadable ?? []).map(path => `unreadable ${path}`),
      ...(plan.unwritable ?? []).map(path => `unwritable ${path}`),
    ];
    return [...ops.filter(name => !['shm', 'mqueue', 'hugepages', 'log'].includes(name)), ...rights].sort();
  };
  const BASE = ['full', 'null', 'pts', 'random', 'tty', 'urandom', 'zero'];
  const PTMX = '/dev/ptmx to pts/ptmx';

  it('are there with those that hold nothing, or alone, with their links; what a mode has to hold is said', () => {
    assert.deepEqual(named(['DevicePolicy=closed']), [PTMX, ...BASE]);
    assert.deepEqual(
      named(['DeviceAllow=/dev/fuse', 'DeviceAllow=/dev/zero r']),
      [PTMX, '/dev/alias to fuse', ...BASE, 'fuse'].sort(),
    );
    assert.deepEqual(named(['DevicePolicy=strict', 'DeviceAllow=/dev/null w', 'DeviceAllow=/dev/fuse r']), [
      ...['/dev/alias to fuse', 'fuse', 'null', 'unreadable /dev/null', 'unwritable /dev/fuse'],
    ]);
    assert.deepEqual(named(['DevicePolicy=strict', 'DeviceAllow=/dev/ptmx rw']), [PTMX, 'pts']);
  });

  it('are not in the /dev of PrivateDevices=', () => {
    const properties = ['PrivateDevices=yes', 'DeviceAllow=/dev/fuse'];
    assert.deepEqual(named(properties), [PTMX, ...BASE]);
    assert.deepEqual(named([...properties, 'DevicePolicy=strict', 'DeviceAllow=/dev/zero']), ['zero']);
  });

  it('are the only ones that can be used, wherever others are', () => {
    const texts = steps([
      'DevicePolicy=closed',
      'BindPaths=/srv /dev/null:/srv/null /dev/sda:/dev/sda',
      'ReadOnlyPaths=/a',
    ]);
    assert.ok(texts.includes('remount / noDevices'));
    const cloned = texts
      .filter(text => /^clone \/(?:srv|a|dev\/sda|dev\/null) /.test(text))
      .map(text => text.replace(/#\d+ ?/, ''));
    // The one in /dev is made, and the other bound.
    assert.deepEqual(cloned.sort(), [
      'clone /a detach readOnly noDevices',
      'clone /dev/null ',
      'clone /dev/null node:2 ?',
      'clone /dev/sda noDevices',
      'clone /srv noDevices',
    ]);
  });
});
