import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { LaunchPlan, LaunchStep } from '../../../src/launch/plan.ts';
import { acquiredOf, planOf, privateDirectory, refuses, type World } from './wanted.ts';

/** A step as one line, with what of it matters. */
function line(step: LaunchStep): string {
  const {
    do: verb,
    path,
    slot,
    optional,
    straight,
    takeAway,
    single,
    idMap,
    set,
    mode,
    options,
    create,
    target,
  } = step;
  return [
    verb,
    path,
    slot === undefined ? '' : `#${slot}`,
    straight === true ? `straight:${step.device}:${step.inode}` : '',
    takeAway === true ? 'takeAway' : '',
    single === true ? 'single' : '',
    idMap === undefined ? '' : `map:${idMap.diskUid}:${idMap.diskGid}:${idMap.uid}:${idMap.gid}`,
    mode === undefined ? '' : mode.toString(8),
    ...(options ?? []),
    ...(set ?? []),
    create ?? '',
    target === undefined ? '' : `→${target}`,
    optional === true ? '?' : '',
  ]
    .filter(word => word !== '')
    .join(' ');
}

function lines(plan: LaunchPlan): string[] {
  return plan.steps.map(line);
}

/** The steps without those of an empty, dynamic launch, which are in every one. */
function beyond(plan: LaunchPlan): string[] {
  const usual = new Set(lines(planOf([])).map(text => text.replace(/ #\d+/, '')));
  return lines(plan).filter(text => !usual.has(text.replace(/ #\d+/, '')));
}

const NONE = ['DynamicUser=no'];
const STATIC = { uid: 5, gid: 60, userName: 'games', dynamic: false };

describe('the world of a dynamic user', () => {
  it('is read-only, but for what protects itself, and has its own /tmp', () => {
    assert.deepEqual(lines(planOf([])), [
      'pin /dev #0 takeAway noSuid ?',
      'pin /proc #1 takeAway noSuid ?',
      'pin /sys #2 takeAway noSuid ?',
      'attributes / readOnly noSuid',
      'place /dev #0',
      'place /proc #1',
      'place /sys #2',
      'cover /tmp 1777 size=10% nr_inodes=400k noSuid noDevices ?',
      'cover /var/tmp 1777 size=10% nr_inodes=400k noSuid noDevices ?',
    ]);
  });

  it('has its directories in an empty boundary, each the very one that was made ready', () => {
    const directories = [
      privateDirectory('wuff', { handover: 'map', diskUid: 65_534, diskGid: 65_534 }),
      privateDirectory('wuff/sub', { within: '/var/lib/wuff' }),
      privateDirectory('seen', { readOnly: true, inode: '78' }),
    ];
    const plan = planOf(['StateDirectory=wuff wuff/sub seen::ro'], { directories });
    assert.deepEqual(beyond(plan), [
      'pin /var/lib/private/seen #3 straight:2049:78 readOnly noSuid',
      'pin /var/lib/private/wuff #4 straight:2049:77 map:65534:65534:61214:61214 noSuid',
      'cover /var/lib/private 755 size=4m nr_inodes=1k noSuid noDevices noExec',
      'place /var/lib/private/seen #3 directory',
      'place /var/lib/private/wuff #4 directory',
      'attributes /var/lib/private single readOnly',
    ]);
  });

  it('maps to the group that the process has', () => {
    const directories = [privateDirectory('wuff', { handover: 'map', diskUid: 65_534, diskGid: 65_534 })];
    const plan = planOf(['StateDirectory=wuff', 'Group=dialout'], { directories, processGid: 20 });
    assert.equal(plan.gid, 20);
    assert.ok(lines(plan).some(text => text.includes('map:65534:65534:61214:20')));
  });

  it('has a part of a directory mounted of its own only where one of them is read-only', () => {
    const sub = { within: '/var/lib/wuff', inode: '78' };
    const directories = [privateDirectory('wuff'), privateDirectory('wuff/sub', { ...sub, readOnly: true })];
    const plan = planOf(['StateDirectory=wuff wuff/sub::ro'], { directories });
    assert.ok(lines(plan).includes('pin /var/lib/private/wuff/sub #4 straight:2049:78 readOnly noSuid'));
    assert.ok(lines(plan).includes('place /var/lib/private/wuff/sub #4 directory'));
  });

  it('has public directories over themselves', () => {
    const directory = privateDirectory('x', { kind: 'runtime', publicPath: '/run/x', realPath: '/run/x' });
    assert.deepEqual(beyond(planOf(['RuntimeDirectory=x'], { directories: [directory] })), [
      'pin /run/x #2 straight:2049:77 noSuid',
      'place /run/x #2 directory',
    ]);
  });

  it('has root own the directories of configuration', () => {
    assert.deepEqual(beyond(planOf(['ConfigurationDirectory=x', 'ConfigurationDirectoryMode=0750'])), [
      'make /etc/x 750',
      'pin /etc/x #1 noSuid',
      'place /etc/x #1',
    ]);
  });

  it('is written to where that is asked for, and each path once', () => {
    const plan = planOf([
      'ReadWritePaths=/srv /srv/a -/opt /srv',
      'ReadOnlyPaths=/srv/a/b /usr',
      'InaccessiblePaths=-/srv/c /srv/c/d',
    ]);
    assert.deepEqual(beyond(plan), [
      'pin /opt #1 noSuid ?',
      'pin /srv #3 noSuid',
      'pin /srv/a/b #4 readOnly noSuid',
      'place /opt #1',
      'place /srv #3',
      'place /srv/a/b #4',
      'hide /srv/c ?',
    ]);
  });

  it('has homes as ProtectHome= says', () => {
    const homes = (value: string) => beyond(planOf([`ProtectHome=${value}`])).filter(text => text.includes(' /home'));
    assert.deepEqual(homes('read-only'), []);
    assert.deepEqual(homes('yes'), ['hide /home ?']);
    assert.deepEqual(homes('no'), ['pin /home #1 noSuid ?', 'place /home #1']);
    assert.deepEqual(homes('tmpfs'), [
      'cover /home 755 size=4m nr_inodes=1k noSuid noDevices ?',
      'attributes /home single readOnly ?',
    ]);
  });

  it('has less where it is turned off', () => {
    assert.deepEqual(lines(planOf(['PrivateTmp=no', 'ProtectSystem=no', 'ProtectHome=no', 'NoNewPrivileges=no'])), []);
    assert.deepEqual(lines(planOf(['PrivateTmp=no', 'ProtectSystem=no', 'ProtectHome=no'])), []);
    assert.deepEqual(lines(planOf(['PrivateTmp=no', 'ProtectSystem=no'])), [
      'pin /home #0 readOnly noSuid ?',
      'pin /root #1 readOnly noSuid ?',
      'pin /run/user #2 readOnly noSuid ?',
      'attributes / noSuid',
      'place /home #0',
      'place /root #1',
      'place /run/user #2',
    ]);
  });
});

describe('mounts that are asked for', () => {
  const world: World = { directories: { '/srv/data': [], '/srv/x': [] } };

  it('bind mounts have something to be mounted on', () => {
    const plan = planOf(
      ['BindPaths=/srv/data:/data -/srv/file:/etc/file /opt', 'BindReadOnlyPaths=/srv/x:/x:norbind'],
      {},
      {},
      world,
    );
    assert.deepEqual(beyond(plan), [
      'make /data 755',
      'make /x 755',
      'pin /srv/data #0 noSuid',
      'pin /srv/file #2 noSuid ?',
      'pin /srv/file #3 noSuid ?',
      'pin /opt #4 noSuid',
      'pin /srv/x #7 single readOnly noSuid',
      'place /etc/file #2 file',
      'place /data #0 directory',
      'place /etc/file #3 file',
      'place /opt #4',
      'place /x #7 directory',
    ]);
  });

  it('binds into a directory of the service are made there, at its tree', () => {
    const directories = [privateDirectory('wuff', { aliases: ['also'] })];
    const properties = ['StateDirectory=wuff:also', 'BindPaths=/srv/data:/var/lib/wuff/a /srv/x:/var/lib/also/b'];
    const plan = planOf(properties, { directories }, {}, world);
    const texts = lines(plan);
    assert.ok(texts.includes('place /var/lib/private/wuff/a #4 directory'), texts.join('\n'));
    assert.ok(texts.includes('place /var/lib/private/wuff/b #5 directory'));
    assert.ok(!texts.some(text => text.startsWith('make')));
  });

  it('a path below a bind or a mapped directory is taken from where that is from', () => {
    const map = { handover: 'map', diskUid: 65_534, diskGid: 65_534 } as const;
    const directories = [privateDirectory('wuff', map)];
    const plan = planOf(
      ['StateDirectory=wuff', 'ReadOnlyPaths=/var/lib/wuff/conf /data/ro', 'BindPaths=/srv/data:/data'],
      { directories },
      {},
      world,
    );
    const texts = lines(plan).filter(text => text.startsWith('pin') && text.includes('readOnly'));
    assert.deepEqual(texts, [
      'pin /srv/data/ro #1 readOnly noSuid',
      'pin /var/lib/private/wuff/conf #6 map:65534:65534:61214:61214 readOnly noSuid',
    ]);
  });

  it('temporary file systems have the options of tmpfs(5) and what is on them is made', () => {
    const directories = [privateDirectory('wuff', { aliases: ['a/b'] })];
    const plan = planOf(
      [
        'StateDirectory=wuff:a/b',
        'TemporaryFileSystem=/var/lib:ro,mode=0711,noexec,dev',
        'BindPaths=/srv/data:/var/lib/data',
      ],
      { directories },
      {},
      world,
    );
    assert.deepEqual(beyond(plan), [
      'make /var/lib 711',
      'pin /srv/data #3 noSuid',
      'pin /var/lib/private/wuff #4 straight:2049:77 noSuid',
      'cover /var/lib 711 size=10% nr_inodes=400k noExec noSuid',
      'place /var/lib/data #3 directory',
      'place /var/lib/private/wuff #4 directory',
      'link /var/lib/wuff →private/wuff',
      'link /var/lib/a/b →../private/wuff',
      'attributes /var/lib single readOnly',
    ]);
    assert.ok(
      lines(planOf(['TemporaryFileSystem=/var'])).includes(
        'cover /var/tmp 1777 size=10% nr_inodes=400k noSuid noDevices directory',
      ),
    );
    assert.ok(
      beyond(planOf(['TemporaryFileSystem=/x:size=1M,nr_inodes=5'])).includes(
        'cover /x 755 size=1M nr_inodes=5 noDevices noSuid',
      ),
    );
  });

  it('what would change a path in a file system that is empty is refused, unless it may be missing', () => {
    refuses(
      () => planOf(['ReadWritePaths=/tmp/x']),
      'ReadWritePaths',
      /"\/tmp\/x" is in the empty file system at \/tmp/,
    );
    refuses(() => planOf(['InaccessiblePaths=/var/tmp/x']), 'InaccessiblePaths', /empty/);
    assert.deepEqual(beyond(planOf(['ReadOnlyPaths=-/tmp/x', 'InaccessiblePaths=-/tmp/y'])), []);
  });
});

describe('devices', () => {
  it('are those that hold nothing, terminals, and shared memory', () => {
    const plan = planOf(['PrivateDevices=yes']);
    const texts = lines(plan);
    assert.equal(texts.filter(text => text.includes('/dev takeAway')).length, 0);
    assert.ok(texts.includes('cover /dev 755 size=4m nr_inodes=64k noSuid noExec'));
    assert.deepEqual(
      plan.steps.filter(step => step.do === 'place' && step.path.startsWith('/dev/')).map(step => step.path.slice(5)),
      ['full', 'hugepages', 'log', 'mqueue', 'null', 'pts', 'random', 'shm', 'tty', 'urandom', 'zero'],
    );
    assert.ok(texts.includes('link /dev/ptmx →pts/ptmx'));
    assert.equal(texts.at(-1), 'attributes /dev single readOnly');
    assert.equal(plan.boundingSet, '000001fff7fdffff');
  });

  it('keeps what is bound below /dev, which is cloned before /dev is taken away', () => {
    const texts = lines(planOf(['BindPaths=/dev/fuse:/dev/other']));
    const [bound, taken] = ['pin /dev/fuse', 'pin /dev #'].map(start =>
      texts.findIndex(text => text.startsWith(start)),
    );
    assert.ok(bound !== undefined && taken !== undefined && bound >= 0 && bound < taken);
  });
});

describe('the world of a static user', () => {
  it('is the one of the host', () => {
    const plan = planOf(NONE, STATIC);
    assert.equal(plan.mountNamespace, false);
    assert.deepEqual(plan.steps, []);
    assert.equal(plan.noNewPrivileges, false);
    assert.equal(plan.restrictSuidSgid, false);
  });

  it('is protected as far as is asked for', () => {
    assert.deepEqual(lines(planOf([...NONE, 'ProtectSystem=full', 'ReadWritePaths=/etc/x'], STATIC)), [
      'pin /boot #0 readOnly ?',
      'pin /efi #1 readOnly ?',
      'pin /etc #2 readOnly ?',
      'pin /etc/x #3',
      'pin /usr #4 readOnly ?',
      'place /boot #0',
      'place /efi #1',
      'place /etc #2',
      'place /etc/x #3',
      'place /usr #4',
    ]);
    assert.deepEqual(lines(planOf([...NONE, 'ReadOnlyPaths=/', 'ReadWritePaths=/srv'], STATIC)), [
      'pin /srv #0',
      'attributes / readOnly',
      'place /srv #0',
    ]);
  });

  it('has its directories at their public paths, also where a dynamic one was asked for', () => {
    const directories = [privateDirectory('x', { realPath: '/var/lib/x' })];
    const plan = planOf(['StateDirectory=x'], { ...STATIC, directories });
    assert.deepEqual(beyond(plan), ['pin /var/lib/x #3 straight:2049:77 noSuid', 'place /var/lib/x #3 directory']);
  });

  it('makes its directories of configuration without a mount namespace', () => {
    assert.deepEqual(lines(planOf([...NONE, 'ConfigurationDirectory=x'], STATIC)), ['make /etc/x 755']);
  });
});

describe('a root of its own', () => {
  it('has the trees at their public paths, and nothing of the host but what is bound', () => {
    const directories = [privateDirectory('wuff', { aliases: ['also'] })];
    const properties = ['RootDirectory=/srv/root', 'StateDirectory=wuff:also', 'ReadWritePaths=+/a /srv/root/b /c'];
    const plan = planOf(properties, { directories });
    assert.equal(plan.root, '/srv/root');
    assert.deepEqual(lines(plan), [
      'make /srv/root/tmp 1777',
      'make /srv/root/var/lib/wuff 755',
      'make /srv/root/var/tmp 1777',
      'pin /srv/root/a #0 noSuid',
      'pin /srv/root/b #1 noSuid',
      'pin /var/lib/private/wuff #5 straight:2049:77 noSuid',
      'pin /srv/root/dev #2 takeAway noSuid ?',
      'pin /srv/root/proc #3 takeAway noSuid ?',
      'pin /srv/root/sys #4 takeAway noSuid ?',
      'link /var/lib/also →wuff',
      'attributes / readOnly noSuid',
      'place /a #0',
      'place /b #1',
      'place /dev #2',
      'place /proc #3',
      'place /sys #4',
      'cover /tmp 1777 size=10% nr_inodes=400k noSuid noDevices ?',
      'place /var/lib/wuff #5 directory',
      'cover /var/tmp 1777 size=10% nr_inodes=400k noSuid noDevices ?',
    ]);
  });
});

it('every slot that is placed was pinned once, before, and every path is mounted on once', () => {
  const directories = [privateDirectory('wuff', { aliases: ['x'] })];
  const properties = [
    'StateDirectory=wuff:x',
    'PrivateDevices=yes',
    'ProtectHome=tmpfs',
    'BindPaths=/a:/b /c:/b /dev/null:/dev/x /tmp/y:/tmp/z',
    'ReadWritePaths=/b /srv /dev/shm',
    'ReadOnlyPaths=/srv/ro /b/ro',
    'InaccessiblePaths=/boot -/boot/efi',
    'TemporaryFileSystem=/home/x /srv/ro/tmp /tmp',
  ];
  const { steps } = planOf(properties, acquiredOf({ directories }));
  const pinned = new Set<number>();
  const placed = new Set<string>();
  const flip = steps.findIndex(step => step.do === 'attributes' && step.path === '/');
  for (const [index, step] of steps.entries()) {
    if (step.do === 'pin') {
      assert.ok(step.slot !== undefined && !pinned.has(step.slot));
      pinned.add(step.slot);
    } else if (step.do === 'place' || step.do === 'cover' || step.do === 'hide') {
      assert.ok(step.do !== 'place' || pinned.has(step.slot ?? -1));
      assert.ok(index < flip || !placed.has(step.path), step.path);
      if (index > flip) {
        placed.add(step.path);
      }
    }
  }
  assert.ok(placed.size > 20);
});
