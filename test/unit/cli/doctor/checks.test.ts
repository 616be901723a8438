/** The checks over hosts of tables: what is well, what is amiss, and what cannot be seen. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { judgeDaemon } from '../../../../src/cli/doctor/checks/daemon.ts';
import { inspectDirectories, judgeDirectories } from '../../../../src/cli/doctor/checks/directories.ts';
import { inspectLeases, judgeLeases } from '../../../../src/cli/doctor/checks/leases.ts';
import { inspectRights, judgeRights } from '../../../../src/cli/doctor/checks/rights.ts';
import { inspectRuntimeDirectory, judgeRuntimeDirectory } from '../../../../src/cli/doctor/checks/runtime-directory.ts';
import { inspectRange, judgeRange } from '../../../../src/cli/doctor/checks/uid-range.ts';
import type { Unreadable } from '../../../../src/cli/doctor/host.ts';
import { NOW, sampleLease } from '../sample.ts';
import { type FakeHost, fakeHost } from './fake-host.ts';
import { CLOSED, expect, linesOf } from './findings.ts';

it('the daemon: away, of another version, well', () => {
  const service = { vendor: 'dynuser', product: 'dynuserd', version: '1.0.0' };
  expect(judgeDaemon({ reachable: false, problem: 'no such file' }, '1.0.0'), /^problem no such file$/);
  expect(judgeDaemon({ reachable: true, service, leases: [] }, '1.0.1'), /^warning dynuserd 1\.0\.0 .* 1\.0\.1$/);
  expect(judgeDaemon({ reachable: true, service, leases: [] }, '1.0.0'), /^ok dynuserd 1\.0\.0 answers$/);
});

describe('the runtime directory', () => {
  const TMPFS = 0x01021994;
  const inspect = (fake: FakeHost) =>
    judgeRuntimeDirectory(inspectRuntimeDirectory(fakeHost(fake), '/run/dynuser/socket'));

  it('well', () => {
    const inodes = { '/run/dynuser': {}, '/run/dynuser/socket': { kind: 'socket', mode: 0o666 } } as const;
    expect(inspect({ inodes, fileSystems: { '/run/dynuser': TMPFS } }), /^ok /);
    expect(inspect({ inodes, fileSystems: { '/run/dynuser': 0x858458f6 } }), /^ok /);
  });

  it('on a file system that cannot be told is no problem', () => {
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
      /^problem .* no tmpfs/,
      /^problem .*socket has the mode 0600/,
    );
    expect(inspect({}), /^problem .* not there/);
    expect(inspect({ inodes: { '/run/dynuser': { kind: 'link' } } }), /^problem .* no directory/);
    expect(inspect({ inodes: { '/run/dynuser': CLOSED } }), /^unknown .*only root/);
    const file = { '/run/dynuser': {}, '/run/dynuser/socket': { kind: 'file' } } as const;
    expect(inspect({ inodes: file, fileSystems: { '/run/dynuser': TMPFS } }), /^problem .*socket is no socket/);
  });
});

it('the range of UIDs: its first and last number are in it, their neighbours are not', () => {
  const ranges = (first: number, last: number) =>
    judgeRange(inspectRange(fakeHost({ texts: { '/etc/login.defs': `UID_MIN ${first}\nUID_MAX ${last}\n` } })));
  expect(ranges(1000, 61183), /^ok /);
  expect(ranges(1000, 61184), /^warning UID_MIN to UID_MAX /);
  expect(ranges(65519, 70000), /^warning UID_MIN to UID_MAX /);
  expect(ranges(65520, 70000), /^ok /);
});

describe('the range of UIDs', () => {
  const inspect = (texts: FakeHost['texts']) => judgeRange(inspectRange(fakeHost({ texts: texts ?? {} })));

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

  it('the range is the configured one', () => {
    const texts = {
      '/etc/dynuser/dynuserd.conf': '# UidRange=1-2\n UidRange = 70000-70009 \n',
      '/etc/passwd': 'a:x:62000:1::/:\n',
    };
    expect(inspect(texts), /^ok 70000-70009:/);
    expect(inspect({ '/etc/dynuser/dynuserd.conf': 'UidRange=7' }), /^problem .*UidRange=: "7" is not two numbers/);
    expect(inspect({ '/etc/dynuser/dynuserd.conf': CLOSED }), /^unknown/);
    expect(inspect({ '/etc/subuid': CLOSED }), /^unknown \/etc\/subuid: only root/);
  });
});

describe('directories', () => {
  const EXT4 = { '/var/lib': 0xef53, '/var/cache': 0x01021994, '/var/log': 0x794c7630 };
  const inspect = (fake: FakeHost) => judgeDirectories(inspectDirectories(fakeHost(fake)));

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
      /^problem \/var\/cache\/private is no directory/,
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
    judgeLeases(inspectLeases(fakeHost({ names }), '/run/dynuser', { leases, now: NOW }));

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
      /^warning 1 file that is no lease was found/,
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
    return judgeRights(inspectRights(fakeHost({ texts, inodes }), '/run/dynuser'));
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
