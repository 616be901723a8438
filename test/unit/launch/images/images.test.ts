/** The properties of images: what is read of them, and what becomes of it in a plan. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { planOf, readIn, refuses, requestOf, type World } from '../launches.ts';

const SQUASHFS = ['0 - 0 0 4096 squashfs'];
const EXT4 = ['0 - 0 0 8192 ext4'];
const PARTS = [
  '0 - 0 0 90000 -',
  '1 4f68bce3-e8cd-4db1-96e7-fbcaf984b709 0 512 1024 ext4 root',
  '2 8484680c-9521-48c6-9c11-b0720656f69e 0 2048 4096 squashfs usr',
];
const RELEASE = 'ID=tested\nVERSION_ID=1\n';
const WORLD: World = {
  images: {
    '/i/a.raw': SQUASHFS,
    '/i/b.raw': EXT4,
    '/i/parts.raw': PARTS,
    '/i/ext.raw': SQUASHFS,
    '/i/old_2.raw': SQUASHFS,
    '/i/a b:c\\.raw': SQUASHFS,
  },
  files: {
    '/proc/sys/kernel/arch': 'x86_64\n',
    '/i/a.raw:0:/etc/os-release': RELEASE,
    '/i/ext.raw:0:/usr/lib/extension-release.d/extension-release.ext': RELEASE,
    '/i/old_2.raw:0:/usr/lib/extension-release.d/extension-release.old': 'ID="tested"\nVERSION_ID=0\n',
    '/etc/os-release': 'ID=host\n',
    '/d/conf/etc/extension-release.d/extension-release.conf': 'ID=_any\nARCHITECTURE=x86-64\n',
    '/d/arm/etc/extension-release.d/extension-release.arm': 'ID=_any\nARCHITECTURE=arm64\n',
  },
  paths: {
    '/i/a.raw:0:/usr': ['exists', 'directory'],
    '/i/ext.raw:0:/usr': ['exists', 'directory'],
    '/i/ext.raw:0:/opt': ['exists', 'directory'],
    '/d/conf/': ['exists', 'directory'],
    '/d/arm/': ['exists', 'directory'],
    '/d/conf/etc': ['exists', 'directory'],
    '/etc': ['exists', 'directory'],
  },
  globs: { '/i/parts.raw:2048:/lib/ld-musl-*.so.1': ['/lib/ld-musl-x86_64.so.1'] },
};
const plan = (...properties: string[]) => planOf(properties, {}, {}, WORLD);

describe('images', () => {
  it('are a root, read-only with a dynamic user, at the stage', () => {
    const { root, images, overlays } = plan('RootImage=/i/b.raw');
    assert.equal(root, '/run/dynuser/images/0');
    const part = { offset: '0', size: '8192', type: 'ext4', directory: '/', options: ['norecovery'] };
    assert.deepEqual(images, [{ path: '/i/b.raw', parts: [part] }]);
    assert.equal(overlays, undefined);
  });

  it('are written to where nothing says otherwise', () => {
    const [image] = plan('RootImage=/i/b.raw', 'DynamicUser=no', 'RootImageOptions=discard,ro usr:x=1').images ?? [];
    assert.deepEqual(image?.parts[0]?.options, ['norecovery', 'discard']);
    assert.deepEqual([image?.writable, image?.parts[0]?.clear], [true, ['noSuid']]);
    const [writable] = plan('RootImage=/i/b.raw', 'ProtectSystem=no').images ?? [];
    assert.deepEqual(writable?.parts[0]?.clear, ['readOnly']);
    const explained = readIn(WORLD, requestOf(['RootImage=/i/b.raw', 'ProtectSystem=no'], { isExplained: true }));
    assert.equal(explained.resolved.images.images[0]?.writable, undefined);
  });

  it('have their partitions in their places, and are looked into part by part', () => {
    const { resolved, rounds } = readIn(WORLD, requestOf(['RootImage=/i/parts.raw']));
    const parts = resolved.images.images[0]?.parts.map(
      ({ directory, offset, type }) => `${directory} ${offset} ${type}`,
    );
    assert.deepEqual(parts, ['/ 512 ext4', '/usr 2048 squashfs']);
    assert.equal(resolved.host.rootHasMusl, true);
    assert.ok(rounds <= 4, `${rounds}`);
  });

  it('are looked into once for each stamp', () => {
    const part = '/i/a.raw:0:';
    const known: World = { ...WORLD, programs: { [`${part}/bin/x`]: '' }, stamps: { '/i/a.raw': '1' } };
    const request = (unit: string, program: string, ...more: string[]) =>
      requestOf(['RootImage=/i/a.raw', ...more], { unit, program });
    /** what was asked about the image, after its stamp */
    const asked = (world: World, ...given: Parameters<typeof request>) => {
      const { asked: paths, resolved } = readIn(world, request(...given));
      assert.equal(resolved.images.images[0]?.parts[0]?.type, 'squashfs');
      assert.deepEqual(
        resolved.host.accountOverlay,
        given[1] === '/bin/x' ? { missing: [], optional: true } : undefined,
      );
      return paths.slice(paths.indexOf('/i/a.raw') + 1).filter(path => path !== '/proc/sys/kernel/arch');
    };
    assert.ok(asked(known, 'one', '/bin/x').includes('/i/a.raw'));
    assert.deepEqual(asked(known, 'two', '/bin/x'), []);
    // Another program, or one that is looked for in the launcher's PATH, or by another root.
    assert.deepEqual(asked(known, 'three', '/bin/y'), ['/bin/y', '/usr/bin/y']);
    assert.deepEqual(asked(known, 'four', '/bin/y'), []);
    assert.ok(asked(known, 'five', 'z').includes('z'));
    assert.ok(asked(known, 'six', 'z').includes('z'));
    assert.ok(asked(known, 'seven', '/bin/x', 'RootImageOptions=subvol=other').includes('/bin/x'));
    const renamed = { ...known, stamps: { '/i/a.raw': '2' } };
    assert.ok(asked(renamed, 'eight', '/bin/x').includes('/i/a.raw'));
    assert.deepEqual(asked(known, 'nine', '/bin/x'), []);
    assert.ok(asked({ ...known, stamps: {} }, 'ten', '/bin/x').includes('/bin/x'));
    // What may be written to may change without another stamp.
    const written = (unit: string) =>
      readIn(known, requestOf(['RootImage=/i/a.raw', 'ProtectSystem=no'], { unit, program: '/bin/x' }));
    for (const unit of ['eleven', 'twelve']) {
      assert.ok(written(unit).asked.includes('/bin/x'));
    }
  });

  it('keep access times as the options of their mounts say', () => {
    const given = 'RootImageOptions=noatime,relatime,nodiratime,data=ordered usr:noatime,strictatime,noexec';
    const { images } = readIn(WORLD, requestOf(['RootImage=/i/parts.raw', given])).resolved.images;
    assert.deepEqual(
      images[0]?.parts.map(({ options, set }) => ({ options, set })),
      [
        { options: ['norecovery', 'data=ordered'], set: ['noAtime', 'noDiratime'] },
        { options: [], set: ['strictAtime', 'noExec'] },
      ],
    );
  });

  it('are refused by the policy that a unit has for them', () => {
    const root = 'RootImage=/i/parts.raw';
    refuses(
      () => plan(root, 'RootImagePolicy=root=verity:usr=unprotected'),
      'RootImage',
      /wants its root to be verity, and/,
    );
    refuses(() => plan(root, 'RootImagePolicy=root=unprotected:usr=absent'), 'RootImage', /wants no usr in it/);
    refuses(
      () => plan(root, 'RootImagePolicy=root=unprotected:home=unprotected:=ignore'),
      'RootImage',
      /leaves no home/,
    );
    refuses(() => plan(root, 'RootImagePolicy=-'), 'RootImage', /leaves no root/);
    for (const rule of ['root=open:root=open', 'boot=open']) {
      refuses(() => plan(root, `RootImagePolicy=${rule}`), 'RootImagePolicy', /not a rule/);
    }
    refuses(() => plan(root, 'RootImagePolicy=root=maybe'), 'RootImagePolicy', /not a use of an image policy: "maybe"/);
    assert.equal(plan(root, 'RootImagePolicy=root=open:usr=ignore').images?.[0]?.parts.length, 1);
    assert.equal(plan(root, 'RootImagePolicy=*').images?.[0]?.parts.length, 2);
  });

  it('are refused by their names if they would have to be verified', () => {
    for (const property of ['RootHash=ab', 'RootHashSignature=/x', 'RootVerity=/x']) {
      refuses(() => plan(property), 'properties', /images are not verified here, for want of/);
    }
  });

  it('are mounted where they are asked for, in their order', () => {
    const { images, mountOps } = plan('MountImages=/i/a.raw:/mnt -/i/none.raw:/x /i/b.raw:/opt/b:noexec');
    assert.deepEqual(
      images?.map(({ path }) => path),
      ['/i/a.raw', '/i/b.raw'],
    );
    assert.deepEqual(images?.[1]?.parts[0]?.set, ['noExec']);
    const clones = mountOps.filter(({ path }) => path.startsWith('/run/dynuser/images/'));
    assert.deepEqual(
      clones.map(({ kind, path }) => `${kind} ${path}`),
      ['clone /run/dynuser/images/0', 'clone /run/dynuser/images/1'],
    );
    for (const quoted of [
      '"/i/a b\\:c\\\\.raw:/mnt:ro"',
      "'/i/a b\\x3ac\\x5c.raw':/mnt:ro",
      '/i/a\\x20b\\:c\\\\.raw:/mnt:ro',
    ]) {
      assert.equal(plan(`MountImages=${quoted}`).images?.[0]?.path, '/i/a b:c\\.raw', quoted);
    }
    refuses(() => plan('MountImages=/i/none.raw:/x'), 'MountImages', /does not exist; put "-"/);
    refuses(() => plan('MountImages=/i/a.raw'), 'MountImages', /no directory for the image/);
    refuses(() => plan('MountImages=/i/a.raw:/'), 'MountImages', /an image at "\/"/);
    refuses(() => plan('MountImages=/i/a.raw:/x:a b'), 'MountImages');
    assert.equal(plan('MountImages=/i/b.raw:/mnt').images?.[0]?.writable, true);
    refuses(
      () => plan('RootImage=/i/a.raw', 'RootImageOptions=boot:ro'),
      'RootImageOptions',
      /unknown partition: "boot"/,
    );
    refuses(
      () => plan('RootImage=/i/a.raw', 'RootImageOptions=swap:a=b;c'),
      'RootImageOptions',
      /not an option of a mount/,
    );
  });

  it('are laid over the root if they are for its system', () => {
    const { overlays } = plan('RootImage=/i/a.raw', 'ExtensionImages=/i/ext.raw');
    const { words } = readIn(WORLD, requestOf(['RootImage=/i/a.raw', 'ExtensionImages=/i/ext.raw'])).resolved.images;
    assert.ok(words.includes('laid over the root: /i/ext.raw'), words.join('\n'));
    const stage = '/run/dynuser/images';
    // The root has no /opt.
    assert.deepEqual(overlays, [
      { path: `${stage}/0/usr`, layers: [`${stage}/1/usr`, `${stage}/0/usr`], set: ['readOnly', 'noDevices'] },
    ]);
    refuses(
      () => plan('RootImage=/i/a.raw', 'ExtensionImages=/i/old_2.raw'),
      'ExtensionImages',
      /is for VERSION_ID=0, and the root is 1/,
    );
    refuses(
      () => plan('ExtensionImages=/i/ext.raw'),
      'ExtensionImages',
      /is for the system "tested", and the root is "host"/,
    );
    refuses(() => plan('ExtensionImages=/i/a.raw'), 'ExtensionImages', /has no extension-release.a/);
    const host = plan('ExtensionDirectories=/d/conf').overlays;
    assert.deepEqual(host, [
      { path: '/etc', layers: ['/d/conf/etc', '/etc'], set: ['readOnly', 'noDevices', 'noSuid', 'noExec'] },
    ]);
    refuses(
      () => plan('ExtensionDirectories=/d/arm'),
      'ExtensionDirectories',
      /for the architecture "arm64", and this host is x86-64/,
    );
    refuses(() => plan('ExtensionDirectories=/d/none'), 'ExtensionDirectories', /is not a directory/);
    assert.equal(plan('ExtensionDirectories=-/d/none').overlays, undefined);
  });

  it('are shown below what is written to an ephemeral root', () => {
    const [overlay, ...others] = plan('RootImage=/i/a.raw', 'RootEphemeral=yes').overlays ?? [];
    const place = '/run/dynuser/images/0';
    assert.deepEqual([overlay, others], [{ path: place, layers: [place], writable: true }, []]);
    assert.equal(plan('RootDirectory=/d', 'RootEphemeral=yes').overlays?.[0]?.path, '/d');
    assert.equal(plan('RootEphemeral=yes').overlays, undefined);
  });

  it('are nothing that a unit file is judged by', () => {
    const { resolved } = readIn({}, requestOf(['RootImage=/i/none.raw', 'MountImages=/x:/y'], { isJudged: true }));
    assert.deepEqual(resolved.images.images, []);
  });
});
