/** The checks over hosts of tables: what is well, what is wrong, and what cannot be seen. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { checkDaemon, checkLeases } from '../../../../src/cli/doctor/checks/daemon.ts';
import { checkDirectories } from '../../../../src/cli/doctor/checks/directories.ts';
import { checkRights, findDaemon } from '../../../../src/cli/doctor/checks/rights.ts';
import { checkRuntimeDirectory } from '../../../../src/cli/doctor/checks/runtime-directory.ts';
import { checkRange } from '../../../../src/cli/doctor/checks/uid-range.ts';
import type { Inode, Unreadable } from '../../../../src/cli/host.ts';
import { NOW, sampleLease } from '../sample.ts';
import { type FakeHost, fakeHost } from './fake-host.ts';
import { CLOSED, expect, linesOf } from './findings.ts';

it('the daemon: away, of another version, well', () => {
  const checkOne = (...given: Parameters<typeof checkDaemon>) => [checkDaemon(...given)];
  const service = { vendor: 'dynuser', product: 'dynuserd', version: '1.0.0' };
  expect(checkOne({ reachable: false, problem: 'no such file' }, '1.0.0'), /^problem no such file$/);
  expect(checkOne({ reachable: true, service, leases: [] }, '1.0.1'), /^warning dynuserd 1\.0\.0 .* 1\.0\.1$/);
  expect(checkOne({ reachable: true, service, leases: [] }, '1.0.0'), /^ok dynuserd 1\.0\.0 answers$/);
});

describe('the runtime directory', () => {
  const TMPFS = 0x01021994;
  const inspect = (fake: FakeHost) => checkRuntimeDirectory(fakeHost(fake), '/run/dynuser/socket');

  it('well', () => {
    const inodes = { '/run/dynuser': {}, '/run/dynuser/socket': { kind: 'socket', mode: 0o666 } } as const;
    expect(inspect({ inodes, fileSystems: { '/run/dynuser': TMPFS } }), /^ok /);
    expect(inspect({ inodes, fileSystems: { '/run/dynuser': 0x858458f6 } }), /^ok /);
  });

  it('on a file system that cannot be told is not a problem', () => {
    expect(inspect({ inodes: { '/run/dynuser': {} } }), /^ok /);
    expect(inspect({ inodes: { '/run/dynuser': {} }, fileSystems: { '/run/dynuser': CLOSED } }), /^ok /);
  });

  it('everything that can be wrong with it', () => {
    const inodes = {
      '/run/dynuser': { uid: 1000, mode: 0o775 },
      '/run/dynuser/socket': { kind: 'socket', mode: 0o600 },
    } as const;
    expect(
      inspect({ inodes, fileSystems: { '/run/dynuser': 0xef53 } }),
      /^problem .* belongs to 1000:0/,
      /^problem .* mode 0775/,
      /^problem .* not on a tmpfs/,
      /^problem .*socket has the mode 0600/,
    );
    expect(inspect({}), /^problem .* not there/);
    expect(inspect({ inodes: { '/run/dynuser': { kind: 'link' } } }), /^problem .* not a directory/);
    expect(inspect({ inodes: { '/run/dynuser': CLOSED } }), /^unknown .*only root/);
    const file = { '/run/dynuser': {}, '/run/dynuser/socket': { kind: 'file' } } as const;
    expect(inspect({ inodes: file, fileSystems: { '/run/dynuser': TMPFS } }), /^problem .*socket is not a socket/);
  });
});

it('the range of UIDs: its first and last number are in it, their neighbours are not', () => {
  const ranges = (first: number, last: number) =>
    checkRange(fakeHost({ texts: { '/etc/login.defs': `UID_MIN ${first}\nUID_MAX ${last}\n` } }));
  expect(ranges(1000, 61183), /^ok /);
  expect(ranges(1000, 61184), /^warning UID_MIN to UID_MAX /);
  expect(ranges(65519, 70000), /^warning UID_MIN to UID_MAX /);
  expect(ranges(65520, 70000), /^ok /);
});

describe('the range of UIDs', () => {
  const inspect = (texts: FakeHost['texts']) => checkRange(fakeHost({ texts: texts ?? {} }));

  it('well, with the defaults of everything', () => {
    const texts = {
      '/etc/passwd': 'root:x:0:0::/:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n',
      '/etc/login.defs': 'UID_MIN 1000\nUID_MAX 60000\n#SUB_UID_MIN 100\n#SUB_UID_MAX 999999\n',
      '/etc/subuid': 'me:100000:65536\n',
    };
    expect(inspect(texts), /^ok 61184-65519:/);
  });

  it('accounts, new accounts and user namespaces that reach into it', () => {
    const texts = {
      '/etc/passwd': 'early:x:61183:1::/:/bin/sh\nfirst:x:61184:1::/:/bin/sh\nlast:x:65519:1::/:/bin/sh\n',
      '/etc/group': 'g:x:62000:\n',
      '/etc/login.defs': 'UID_MIN\t1000\nUID_MAX\t61184\n',
      '/etc/subuid': 'before:60000:1184\nin:60000:1185\n',
      '/etc/subgid': 'behind:65520:10\nover:1:100000\n',
    };
    expect(
      inspect(texts),
      /^warning first of \/etc\/passwd has 61184/,
      /^warning last of \/etc\/passwd has 65519/,
      /^warning g of \/etc\/group has 62000/,
      /^warning UID_MIN to UID_MAX/,
      /^problem \/etc\/subuid lets in use/,
      /^problem \/etc\/subgid lets over use/,
    );
  });

  it('all intervals count, those of unit patterns too, and nothing that is excluded', () => {
    const configuration = 'UidRange=61184-65519 100000-165535 !100000-131071\nUidRange.ci-*=70000-70009\n';
    const texts = {
      '/etc/dynuser/dynuserd.conf': configuration,
      '/etc/passwd': 'out:x:110000:1::/:\nin:x:140000:1::/:\nci:x:70005:1::/:\n',
      '/etc/subuid': 'out:100000:1000\nin:131000:1000\n',
    };
    expect(
      inspect(texts),
      /^warning in of \/etc\/passwd has 140000/,
      /^warning ci of \/etc\/passwd has 70005/,
      /^problem \/etc\/subuid lets in use numbers of 131072-165535/,
    );
    expect(inspect({ '/etc/dynuser/dynuserd.conf': 'UidRange.a=70000-70009\n' }), /^ok 61184-65519 70000-70009:/);
  });

  it('numbers that other programs give out', () => {
    const within = (range: string) => inspect({ '/etc/dynuser/dynuserd.conf': `UidRange=${range}\n` });
    expect(within('70000-79999 90000-524287 1879048192-2147352575 2147418112-2147483647'), /^ok /);
    expect(within('79999-80000'), /^warning 79999-80000 reaches into 80000-89999, which Nomad gives/);
    expect(within('89999-90000'), /^warning .* Nomad /);
    expect(within('524287-524288'), /^warning .*524288-1879048191, which systemd-nspawn gives/);
    expect(within('1879048191-1879048192'), /^warning .* systemd-nspawn /);
    expect(within('2147352575-2147352576'), /^warning .* foreign systems/);
    expect(within('2147418111-2147418112'), /^warning .*2147352576-2147418111, which systemd keeps/);
    expect(within('61184-65519 80000-81000 !80000-80999 !81000 90000-90001'), /^ok /);
  });

  it('the range is the configured one', () => {
    const texts = {
      '/etc/dynuser/dynuserd.conf': '# UidRange=1-2\n UidRange = 70000-70009 \n',
      '/etc/passwd': 'a:x:62000:1::/:\n',
    };
    expect(inspect(texts), /^ok 70000-70009:/);
    expect(inspect({ '/etc/dynuser/dynuserd.conf': 'UidRange=7' }), /^problem .*UidRange=: "7" is not two numbers/);
    const broken = 'UidRange.ci-*=7\n';
    expect(inspect({ '/etc/dynuser/dynuserd.conf': broken }), /^problem .*UidRange\.ci-\*=: "7" is not two numbers/);
    expect(inspect({ '/etc/dynuser/dynuserd.conf': CLOSED }), /^unknown/);
    expect(inspect({ '/etc/subuid': CLOSED }), /^unknown \/etc\/subuid: only root/);
  });
});

describe('directories', () => {
  const EXT4 = { '/var/lib': 0xef53, '/var/cache': 0x01021994, '/var/log': 0x794c7630 };
  const inspect = (fake: FakeHost) => checkDirectories(fakeHost(fake));

  it('well, and how directories are handed over there', () => {
    const inodes = { '/var/lib/private': { mode: 0o700 }, '/run/systemd/dynamic-uid': {} };
    expect(
      inspect({ inodes, fileSystems: { ...EXT4, '/var/lib/private': 0xef53 } }),
      /^ok /,
      // tmpfs can from Linux 6.3 on, and this one is 6.1.
      /^ok \/var\/lib: ext4, .*id-mapped.*; \/var\/cache: tmpfs, handed over by chown; \/var\/log: overlayfs, .*chown$/,
      /^ok .* is root's/,
    );
  });

  it('by the kernel that id-mapped mounts of the file system came with', () => {
    const inodes = { '/var/lib/private': { mode: 0o700 }, '/run/systemd/dynamic-uid': {} };
    const fileSystems = { '/var/lib': 0x01021994, '/var/lib/private': 0x01021994 };
    for (const [kernel, how] of [
      ['6.2.9', /tmpfs, handed over by chown/],
      ['6.3.0-rc1', /tmpfs, handed over by id-mapped mounts/],
      ['6.12.43+deb13-amd64', /id-mapped/],
      ['7.0.0', /id-mapped/],
      ['5.19.0', /chown/],
    ] as const) {
      expect(inspect({ inodes, fileSystems, kernel }), /^ok /, how, /^ok /);
    }
  });

  it('boundaries and locks that others can get at', () => {
    const inodes = {
      '/var/lib/private': { mode: 0o711 },
      '/var/cache/private': { kind: 'link' },
      '/var/log/private': { mode: 0o700, gid: 4 },
      '/run/systemd/dynamic-uid': { mode: 0o777 },
    } as const;
    const findings = inspect({ inodes, fileSystems: { '/var/lib/private': 1, '/var/cache': 1 } });
    expect(
      findings,
      /^problem .*mode 0711/,
      /^problem \/var\/cache\/private is not a directory/,
      /^problem .*belongs to 0:4/,
      /^ok .*; \/var\/log: made when it is needed$/,
      /^problem .*0777/,
    );
    const hidden = inspect({
      inodes: { '/var/lib/private': CLOSED, '/run/systemd/dynamic-uid': CLOSED },
      fileSystems: EXT4,
    });
    expect(hidden, /^unknown/, /^ok/, /^unknown/);
  });
});

describe('leases and the registry', () => {
  const inspect = (leases: ReturnType<typeof sampleLease>[] | undefined, names: FakeHost['names'] = {}) =>
    checkLeases(fakeHost({ names }), '/run/dynuser', leases, NOW);

  it('well', () => {
    expect(inspect([sampleLease()]), /^ok no UID is reserved/, /^ok no lease is from the future/, /^ok /);
    expect(inspect([]), /^ok/, /^ok/);
  });

  it('users that do not end, a clock that was set back, files set aside', () => {
    const leases = [
      sampleLease({ uid: 61200, ending: true, remains: 'a mount at /run/web/m' }),
      sampleLease({ since: (NOW + 120_000) * 1_000 }),
    ];
    expect(
      inspect(leases, { '/run/dynuser/set-aside': ['61184'] }),
      /^warning the UID 61200 of dynamic-user-test stays reserved: a mount at/,
      /^warning .*the clock was set back/,
      /^warning 1 file that is not a lease was found/,
    );
    const many = Array.from({ length: 10 }, (_, index) => sampleLease({ uid: 61200 + index, ending: true }));
    assert.match(linesOf(inspect(many))[8] ?? '', /^warning 2 more UIDs/);
  });

  it('what cannot be seen', () => {
    expect(inspect(undefined, { '/run/dynuser/set-aside': CLOSED }), /^unknown the daemon/, /^unknown .*only root/);
  });
});

describe('the rights of the daemon', () => {
  // makedev(3) of 8:4a, as glibc lays it out.
  const inodes = { '/run/dynuser/dynuserd.lock': { kind: 'file', device: 0x84an, inode: 77n } } as const;
  const LOCKS = '1: POSIX  ADVISORY  WRITE 1 08:4a:77 0 EOF\n2: FLOCK  ADVISORY  WRITE 4711 08:4a:77 0 EOF\n';
  const status = (uid: number, effective: string) => `Name:\tnode\nUid:\t0\t${uid}\t0\t0\nCapEff:\t${effective}\n`;
  const inspect = (text: string | undefined, locks: string | Unreadable = LOCKS) => {
    const texts = { '/proc/locks': locks, ...(text === undefined ? {} : { '/proc/4711/status': text }) };
    const host = fakeHost({ texts, inodes });
    return checkRights(host, findDaemon(host, '/run/dynuser'));
  };

  it('all, too few, and none that could be seen', () => {
    expect(inspect(status(0, '000001ffffffffff')), /^ok process 4711/);
    expect(inspect(status(0, '00000000002800fd')), /^problem process 4711 lacks CAP_DAC_OVERRIDE/);
    expect(inspect(status(1000, '000001ffffffffff')), /^problem dynuserd \(process 4711\) runs as the user 1000/);
    expect(inspect(undefined), /^unknown/);
    expect(inspect(status(0, '000001ffffffffff'), LOCKS.replaceAll(':77', ':78')), /^unknown/);
    expect(inspect(status(0, '000001ffffffffff'), LOCKS.replace('4711', '0')), /^unknown/);
    expect(inspect(undefined, CLOSED), /^unknown only root/);
  });
});

it('file systems: each with how its trees are handed over from which kernel on', () => {
  const words = (type: number, kernel: string): string => {
    const lines = linesOf(checkDirectories(fakeHost({ fileSystems: { '/var/lib': type }, kernel })));
    return /^ok \/var\/lib: (.*?); /.exec(lines[1] ?? '')?.[1] ?? '';
  };
  const MOUNTS = 'handed over by id-mapped mounts';
  for (const [type, name, before, since] of [
    [0xef53, 'ext4', '5.11.99', '5.12.0'],
    [0x58465342, 'xfs', '5.11.99', '5.12.0'],
    [0x9123683e, 'btrfs', '5.14.0', '5.15.0'],
    [0xf2f52010, 'f2fs', '5.17.0', '5.18.0'],
    [0x01021994, 'tmpfs', '6.2.16', '6.3.0'],
  ] as const) {
    assert.equal(words(type, before), `${name}, handed over by chown`);
    assert.equal(words(type, since), `${name}, ${MOUNTS}`);
    assert.equal(words(type, '4.20.0'), `${name}, handed over by chown`);
    assert.equal(words(type, '10.0.0'), `${name}, ${MOUNTS}`);
    assert.equal(words(type, 'unknown'), `${name}, handed over by chown`);
  }
  for (const [type, name] of [
    [0x794c7630, 'overlayfs'],
    [0x6969, 'nfs'],
    [0x2fc12fc1, 'zfs'],
  ] as const) {
    assert.equal(words(type, '6.18.0'), `${name}, handed over by chown`);
  }
  assert.equal(words(0x1234, '6.18.0'), 'a file system of type 0x1234, which dynuserd tries when it is needed');
});

it('file systems: that of the private directory if it is one, and unknown if none can be asked', () => {
  const line = (fake: FakeHost): string => linesOf(checkDirectories(fakeHost(fake)))[1] ?? '';
  const fileSystems = { '/var/lib': 0x6969, '/var/lib/private': 0x2fc12fc1 };
  assert.match(line({ fileSystems, inodes: { '/var/lib/private': { mode: 0o700 } } }), /^ok \/var\/lib: zfs, /);
  assert.match(line({ fileSystems, inodes: { '/var/lib/private': { kind: 'link' } } }), /^ok \/var\/lib: nfs, /);
  assert.match(line({ fileSystems }), /^ok \/var\/lib: nfs, /);
  const closed = { '/var/lib': CLOSED, '/var/cache': CLOSED, '/var/log': CLOSED };
  assert.equal(line({ fileSystems: closed }), 'unknown what they are on cannot be asked');
  assert.equal(line({ fileSystems: { ...closed, '/var/log': 0x6969 } }), 'ok /var/log: nfs, handed over by chown');
});

it('private directories and locks: who has them, and who may write there', () => {
  const inspect = (changes: Partial<Inode>, path: string): string[] =>
    linesOf(checkDirectories(fakeHost({ inodes: { [path]: { mode: 0o700, ...changes } } })));
  const of = (changes: Partial<Inode>): string => inspect(changes, '/var/cache/private')[0] ?? '';
  assert.match(of({}), /^ok \/var\/lib\/private, \/var\/cache\/private, \/var\/log\/private: root's alone/);
  assert.match(of({ uid: 1 }), /^problem \/var\/cache\/private belongs to 1:0$/);
  assert.match(of({ gid: 1 }), /^problem \/var\/cache\/private belongs to 0:1$/);
  assert.match(of({ mode: 0o500 }), /^ok /);
  for (const mode of [0o701, 0o710, 0o1700, 0o4700]) {
    assert.match(of({ mode }), /^problem .* has the mode [0-7]{4}: others may enter$/);
  }
  const locks = (changes: Partial<Inode>): string => inspect(changes, '/run/systemd/dynamic-uid')[2] ?? '';
  assert.equal(linesOf(checkDirectories(fakeHost({})))[2], 'ok /run/systemd/dynamic-uid is not needed yet');
  assert.match(locks({ mode: 0o755 }), /^ok /);
  for (const changes of [{ mode: 0o775 }, { mode: 0o757 }, { uid: 5 }, { kind: 'file' }] as const) {
    assert.match(locks({ mode: 0o755, ...changes }), /^problem .* must be a directory that root alone writes to/);
  }
});

it('the runtime directory: owner and mode are judged each by itself, and the socket is looked at', () => {
  const well = { '/run/dynuser': {}, '/run/dynuser/socket': { kind: 'socket', mode: 0o666 } } as const;
  const inspect = (changes: Partial<Inode>, socket: Partial<Inode> = {}) =>
    checkRuntimeDirectory(
      fakeHost({
        inodes: { '/run/dynuser': changes, '/run/dynuser/socket': { ...well['/run/dynuser/socket'], ...socket } },
        fileSystems: { '/run/dynuser': 0x01021994 },
      }),
      '/run/dynuser/socket',
    );
  expect(inspect({}), /^ok \/run\/dynuser is root's, 0755, and on tmpfs$/);
  expect(inspect({ uid: 7 }), /^problem \/run\/dynuser belongs to 7:0: /);
  expect(inspect({ gid: 7 }), /^problem \/run\/dynuser belongs to 0:7: /);
  expect(inspect({ mode: 0o700 }), /^problem \/run\/dynuser has the mode 0700$/);
  expect(inspect({}, { mode: 0o660 }), /^problem \/run\/dynuser\/socket has the mode 0660: not everybody can ask$/);
});

it('a clock may be a minute behind the newest lease', () => {
  const clock = (aheadMs: number): string =>
    linesOf(
      checkLeases(
        fakeHost({}),
        '/run/dynuser',
        [sampleLease(), sampleLease({ since: (NOW + aheadMs) * 1_000 }), sampleLease()],
        NOW,
      ),
    )[1] ?? '';
  assert.match(clock(60_000), /^ok no lease is from the future$/);
  assert.match(clock(60_001), /^warning a lease is from \d{4}-.*, which is yet to come/);
});

it('of what an ended user left eight findings are shown, each user once', () => {
  const ending = (count: number) =>
    Array.from({ length: count }, (_, index) => sampleLease({ uid: 61_200 + index, ending: true }));
  const shown = (leases: ReturnType<typeof sampleLease>[]): string[] =>
    linesOf(checkLeases(fakeHost({}), '/run/dynuser', leases, NOW)).filter(line => /reserved/.test(line));
  assert.equal(shown(ending(8)).length, 8);
  const nine = shown(ending(9));
  assert.equal(nine.length, 9);
  assert.equal(nine.at(-1), 'warning 1 more UIDs are reserved');
  const [one] = ending(1);
  assert.ok(one !== undefined);
  assert.deepEqual(shown([one, { ...one, unit: 'b.service' }]).length, 1);
});

it('files that were set aside are counted', () => {
  const setAside = (names: readonly string[]): string | undefined =>
    linesOf(checkLeases(fakeHost({ names: { '/run/dynuser/set-aside': names } }), '/run/dynuser', [], NOW)).at(-1);
  assert.equal(setAside([]), 'ok all files among the leases are leases');
  assert.equal(setAside(['a']), 'warning 1 file that is not a lease was found among the leases and set aside');
  assert.equal(setAside(['a', 'b']), 'warning 2 files that are not leases were found among the leases and set aside');
});

describe('who else may have a UID of the range', () => {
  const inspect = (texts: FakeHost['texts']) => linesOf(checkRange(fakeHost({ texts: texts ?? {} })));

  it('every range that login.defs gives out is looked at', () => {
    for (const kind of ['UID', 'GID', 'SYS_UID', 'SYS_GID', 'SUB_UID', 'SUB_GID']) {
      const [line = '', ...others] = inspect({ '/etc/login.defs': `${kind}_MIN 65000\n  ${kind}_MAX\t70000\n` });
      assert.equal(
        line,
        `warning ${kind}_MIN to ${kind}_MAX of /etc/login.defs reach into 61184-65519: useradd gives these out too`,
      );
      assert.deepEqual(others, []);
    }
    for (const half of ['UID_MIN 65000\n', 'UID_MAX 65000\n', '# UID_MIN 65000\nUID_MAX 65000\n', 'XUID_MIN 1\n']) {
      assert.match(inspect({ '/etc/login.defs': half })[0] ?? '', /^ok /);
    }
  });

  it('of each file eight are named', () => {
    const accounts = Array.from({ length: 9 }, (_, index) => `a${index}:x:${61_184 + index}:1::/:/x`).join('\n');
    assert.equal(inspect({ '/etc/passwd': accounts }).length, 8);
    const owners = Array.from({ length: 9 }, (_, index) => `a${index}:61184:10`).join('\n');
    assert.equal(inspect({ '/etc/subuid': owners }).length, 8);
  });

  it('what is not a number is nobody’s', () => {
    const texts = {
      '/etc/passwd': 'a:x:\nb\nc:x:0xf000:\nd:x:6120x:',
      '/etc/subuid': 'a::99999\nb\nc:x:99999\nd:60000:\n',
    };
    assert.match(inspect(texts)[0] ?? '', /^ok /);
  });

  it('each file that cannot be read is said', () => {
    const files = ['/etc/passwd', '/etc/group', '/etc/login.defs', '/etc/subuid', '/etc/subgid'];
    const lines = inspect(Object.fromEntries(files.map(path => [path, CLOSED])));
    assert.deepEqual(
      lines,
      files.map(path => `unknown ${path}: only root can see it`),
    );
  });
});

describe('who the daemon is', () => {
  const lock = (device: bigint, inode = 77n): FakeHost['inodes'] => ({
    '/run/dynuser/dynuserd.lock': { kind: 'file', device, inode },
  });
  const find = (locks: string, inodes: FakeHost['inodes']) =>
    findDaemon(fakeHost({ texts: { '/proc/locks': locks }, inodes: inodes ?? {} }), '/run/dynuser');

  it('is the holder of the lock file, by its device and inode', () => {
    // makedev(3), as glibc lays it out: parts of both numbers are apart from each other.
    for (const [device, where] of [
      [0x84an, '08:4a'],
      [0x1an, '00:1a'],
      [0xfff00n, 'fff:00'],
      [0x1230_0845n, '08:12345'],
      [0x1000_0002_344an, '1234:4a'],
    ] as const) {
      assert.equal(find(`1: FLOCK  ADVISORY  WRITE 12 ${where}:77 0 EOF\n`, lock(device)), 12, where);
    }
  });

  it('is nobody if no such lock is held, or the file is not there', () => {
    const line = (kind: string, where: string) => `1: ${kind}  ADVISORY  WRITE 12 ${where} 0 EOF\n`;
    assert.equal(find(line('FLOCK', '08:4a:77'), lock(0x84an)), 12);
    assert.equal(find(line('POSIX', '08:4a:77'), lock(0x84an)), undefined);
    assert.equal(find(line('FLOCK', '08:4a:771'), lock(0x84an)), undefined);
    assert.equal(find(line('FLOCK', '08:4b:77'), lock(0x84an)), undefined);
    assert.equal(find(line('FLOCK', '08:4a:77'), {}), undefined);
    assert.equal(find(line('FLOCK', '08:4a:77'), { '/run/dynuser/dynuserd.lock': CLOSED }), CLOSED);
    assert.equal(find('', lock(0x84an)), undefined);
  });

  it('needs each of its capabilities, and is told what for', () => {
    const NUMBERS = new Map([
      [0, 'CHOWN'],
      [1, 'DAC_OVERRIDE'],
      [2, 'DAC_READ_SEARCH'],
      [3, 'FOWNER'],
      [4, 'FSETID'],
      [5, 'KILL'],
      [6, 'SETGID'],
      [7, 'SETUID'],
      [19, 'SYS_PTRACE'],
      [21, 'SYS_ADMIN'],
    ]);
    const all = [...NUMBERS.keys()].reduce((set, number) => set | (1n << BigInt(number)), 0n);
    const inspect = (set: bigint) => {
      const effective = set.toString(16).padStart(16, '0');
      const texts = { '/proc/5/status': `Uid:\t0\t0\t0\t0\nCapEff:\t${effective}\n` };
      return linesOf(checkRights(fakeHost({ texts }), 5));
    };
    assert.deepEqual(inspect(all), ['ok process 5 has the capabilities that it needs']);
    for (const [number, name] of NUMBERS) {
      const [line = '', ...others] = inspect(all & ~(1n << BigInt(number)));
      assert.match(line, new RegExp(`^problem process 5 lacks CAP_${name}, to `));
      assert.deepEqual(others, []);
    }
    assert.equal(inspect(0n).length, NUMBERS.size);
  });

  it('is not known if its status does not say', () => {
    for (const text of ['Uid:\t0\t0\t0\t0\n', 'CapEff:\t000001ffffffffff\n']) {
      assert.deepEqual(linesOf(checkRights(fakeHost({ texts: { '/proc/5/status': text } }), 5)), [
        'unknown /proc/5/status does not say',
      ]);
    }
    assert.deepEqual(linesOf(checkRights(fakeHost({ texts: { '/proc/5/status': CLOSED } }), 5)), [
      'unknown its process is not visible from here',
    ]);
  });
});
