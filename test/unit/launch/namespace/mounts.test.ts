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

  it('what is bound over itself is made again in what is empty there', () => {
    const properties = ['TemporaryFileSystem=/srv', 'BindReadOnlyPaths=/srv/data /srv/file'];
    const texts = lines(planOf(properties, {}, {}, world));
    assert.ok(
      texts.some(text => /^place \/srv\/data #\d+ directory$/.test(text)),
      texts.join('\n'),
    );
    assert.ok(texts.some(text => /^place \/srv\/file #\d+ file$/.test(text)));
    const inRoot = lines(planOf(['RootDirectory=/srv/x', 'BindPaths=/srv/data'], {}, {}, world));
    assert.ok(inRoot.includes('make /srv/x/srv/data 755'), inRoot.join('\n'));
    assert.ok(inRoot.some(text => /^place \/srv\/data #\d+ directory$/.test(text)));
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
      'pin /srv/data #4 noSuid',
      'pin /var/lib/private/wuff #5 straight:2049:77 noSuid',
      'pin /var/lib #3 takeAway ?',
      'cover /var/lib 711 size=10% nr_inodes=400k noExec noSuid',
      'place /var/lib/data #4 directory',
      'place /var/lib/private/wuff #5 directory',
      'link /var/lib/wuff →private/wuff',
      'link /var/lib/a/b →../private/wuff',
      'attributes /var/lib single readOnly',
    ]);
    assert.ok(
      lines(planOf(['TemporaryFileSystem=/var'])).includes(
        'cover /var/tmp 1777 size=10% nr_inodes=400k part:var-tmp noSuid noDevices directory',
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
    assert.ok(texts.includes('pin /dev #0 takeAway ?'));
    assert.ok(!texts.some(text => text.startsWith('place') && text.endsWith(' #0')));
    assert.ok(texts.includes('cover /dev 755 size=4m nr_inodes=64k noSuid noExec'));
    assert.deepEqual(
      plan.steps.filter(step => step.do === 'place' && step.path.startsWith('/dev/')).map(step => step.path.slice(5)),
      ['full', 'hugepages', 'log', 'mqueue', 'null', 'pts', 'random', 'shm', 'tty', 'urandom', 'zero'],
    );
    assert.ok(texts.includes('link /dev/ptmx →pts/ptmx'));
    assert.equal(texts.at(-1), 'attributes /dev single readOnly');
    assert.equal(plan.boundingSet, '000001fff7fdffff');
  });

  it('has a link to the journal of systemd, where there is one', () => {
    const journal = { globs: { '/run/systemd/journal/dev-log': ['/run/systemd/journal/dev-log'] } };
    const texts = lines(planOf(['PrivateDevices=yes'], {}, {}, journal));
    assert.ok(texts.includes('link /dev/log →/run/systemd/journal/dev-log'));
    assert.ok(!texts.some(text => text.startsWith('pin /dev/log')));
    assert.ok(!texts.some(text => text.startsWith('link /dev/core')), 'the kernel shows no memory there');
    const memory = { globs: { '/proc/kcore': ['/proc/kcore'] } };
    assert.ok(lines(planOf(['PrivateDevices=yes'], {}, {}, memory)).includes('link /dev/core →/proc/kcore'));
  });

  it('keeps what is bound below /dev, which is cloned before /dev is taken away', () => {
    const texts = lines(planOf(['BindPaths=/dev/fuse:/dev/other']));
    const [bound, taken] = ['pin /dev/fuse', 'pin /dev #'].map(start =>
      texts.findIndex(text => text.startsWith(start)),
    );
    assert.ok(bound !== undefined && taken !== undefined && bound >= 0 && bound < taken);
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
