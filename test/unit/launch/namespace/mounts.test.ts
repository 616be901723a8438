import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { acquiredOf, planOf, privateDirectory, refuses, type World } from '../launches.ts';
import { beyond, lines } from './op-lines.ts';

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
      'mkdir /data 755',
      'mkdir /x 755',
      'clone /srv/data #0 noSuid',
      'clone /srv/file #2 noSuid ?',
      'clone /srv/file #3 noSuid ?',
      'clone /opt #4 noSuid',
      'clone /srv/x #7 nonRecursive readOnly noSuid',
      'attach /etc/file #2 file',
      'attach /data #0 directory',
      'attach /etc/file #3 file',
      'attach /opt #4',
      'attach /x #7 directory',
    ]);
  });

  it('what is bound over itself is made again in what is empty there', () => {
    const properties = ['TemporaryFileSystem=/srv', 'BindReadOnlyPaths=/srv/data /srv/file'];
    const texts = lines(planOf(properties, {}, {}, world));
    assert.ok(
      texts.some(text => /^attach \/srv\/data #\d+ directory$/.test(text)),
      texts.join('\n'),
    );
    assert.ok(texts.some(text => /^attach \/srv\/file #\d+ file$/.test(text)));
    const inRoot = lines(planOf(['RootDirectory=/srv/x', 'BindPaths=/srv/data'], {}, {}, world));
    assert.ok(inRoot.includes('mkdir /srv/x/srv/data 755'), inRoot.join('\n'));
    assert.ok(inRoot.some(text => /^attach \/srv\/data #\d+ directory$/.test(text)));
  });

  it('binds into a directory of the service are made there, at its tree', () => {
    const directories = [privateDirectory('wuff', { aliases: ['also'] })];
    const properties = ['StateDirectory=wuff:also', 'BindPaths=/srv/data:/var/lib/wuff/a /srv/x:/var/lib/also/b'];
    const plan = planOf(properties, { directories }, {}, world);
    const texts = lines(plan);
    assert.ok(texts.includes('attach /var/lib/private/wuff/a #4 directory'), texts.join('\n'));
    assert.ok(texts.includes('attach /var/lib/private/wuff/b #5 directory'));
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
    const texts = lines(plan).filter(text => text.startsWith('clone') && text.includes('readOnly'));
    assert.deepEqual(texts, [
      'clone /srv/data/ro #1 readOnly noSuid',
      'clone /var/lib/private/wuff/conf #6 map:65534:65534:61214:61214 readOnly noSuid',
    ]);
  });

  it('temporary file systems have the options of tmpfs(5) and what is on them is made', () => {
    const directories = [privateDirectory('wuff', { otherNames: { inner: [], covered: ['a/b'] } })];
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
      'mkdir /var/lib 711',
      'clone /srv/data #4 noSuid',
      'clone /var/lib/private/wuff #5 noSymlinks:2049:77 noSuid',
      'clone /var/lib #3 detach ?',
      'tmpfs /var/lib 711 size=10% nr_inodes=400k noExec noSuid',
      'attach /var/lib/data #4 directory',
      'attach /var/lib/private/wuff #5 directory',
      'symlink /var/lib/wuff →private/wuff',
      'symlink /var/lib/a/b →../wuff',
      'remount /var/lib nonRecursive readOnly',
    ]);
    assert.ok(
      lines(planOf(['TemporaryFileSystem=/var'])).includes(
        'tmpfs /var/tmp 1777 size=10% nr_inodes=400k scratch:var-tmp noDevices noSuid directory',
      ),
    );
    assert.ok(
      beyond(planOf(['TemporaryFileSystem=/x:size=1M,nr_inodes=5'])).includes(
        'tmpfs /x 755 size=1M nr_inodes=5 noDevices noSuid',
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
    assert.ok(texts.includes('clone /dev #0 detach ?'));
    assert.ok(!texts.some(text => text.startsWith('place') && text.endsWith(' #0')));
    assert.ok(texts.includes('mount /dev #1 size=4m nr_inodes=64k mode=755 type:tmpfs noSuid noExec'));
    assert.deepEqual(
      plan.mountOps.filter(({ node }) => node === 1).map(op => op.path.slice(5)),
      ['full', 'null', 'random', 'tty', 'urandom', 'zero'],
    );
    assert.deepEqual(
      plan.mountOps.filter(op => op.kind === 'attach' && op.path.startsWith('/dev/')).map(op => op.path.slice(5)),
      ['full', 'hugepages', 'log', 'mqueue', 'null', 'pts', 'random', 'shm', 'tty', 'urandom', 'zero'],
    );
    assert.ok(texts.includes('symlink /dev/ptmx →pts/ptmx'));
    assert.equal(texts.at(-1), 'remount /dev nonRecursive readOnly');
    assert.equal(plan.boundingSet, '000001fff7fdffff');
  });

  it('has a link to the journal of systemd, where there is one', () => {
    const journal = { globs: { '/run/systemd/journal/dev-log': ['/run/systemd/journal/dev-log'] } };
    const texts = lines(planOf(['PrivateDevices=yes'], {}, {}, journal));
    assert.ok(texts.includes('symlink /dev/log →/run/systemd/journal/dev-log'));
    assert.ok(!texts.some(text => text.startsWith('clone /dev/log')));
    assert.ok(!texts.some(text => text.startsWith('symlink /dev/core')), 'the kernel shows no memory there');
    const memory = { globs: { '/proc/kcore': ['/proc/kcore'] } };
    assert.ok(lines(planOf(['PrivateDevices=yes'], {}, {}, memory)).includes('symlink /dev/core →/proc/kcore'));
  });

  it('keeps what is bound below /dev, which is cloned before /dev is taken away', () => {
    const texts = lines(planOf(['BindPaths=/dev/fuse:/dev/other']));
    const [bound, taken] = ['clone /dev/fuse', 'clone /dev #'].map(start =>
      texts.findIndex(text => text.startsWith(start)),
    );
    assert.ok(bound !== undefined && taken !== undefined && bound >= 0 && bound < taken);
  });
});

it('every slot that is attached was filled once, before, and every path is mounted on once', () => {
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
  const { mountOps } = planOf(properties, acquiredOf({ directories }));
  const filled = new Set<number>();
  const placed = new Set<string>();
  const flip = mountOps.findIndex(op => op.kind === 'remount' && op.path === '/');
  for (const [index, op] of mountOps.entries()) {
    if (op.kind === 'clone' || op.kind === 'mount') {
      assert.ok(op.slot !== undefined && !filled.has(op.slot));
      assert.ok(op.node === undefined || filled.has(op.node));
      filled.add(op.slot);
    } else if (op.kind === 'attach' || op.kind === 'tmpfs' || op.kind === 'mask') {
      assert.ok(op.kind !== 'attach' || filled.has(op.slot ?? -1));
      assert.ok(index < flip || !placed.has(op.path), op.path);
      if (index > flip) {
        placed.add(op.path);
      }
    }
  }
  assert.ok(placed.size > 20);
});
