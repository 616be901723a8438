/** Who may connect to a socket: the access ACL that its file has, as the kernel gives it back. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { asGid, asUid, type Gid, type Uid } from '../../../../src/core/ids.ts';
import { ACCESS_ENTRIES_MAX, letConnect } from '../../../../src/host/libc/socket-access.ts';

const uids = (...numbers: readonly number[]): Uid[] => numbers.map(number => asUid(number) ?? assert.fail());
const gids = (...numbers: readonly number[]): Gid[] => numbers.map(number => asGid(number) ?? assert.fail());

/** posix_acl_xattr_header of linux/posix_acl_xattr.h: a version, and entries with tag, permissions and id. */
const READER = `
import os, struct, sys
try:
    value = os.getxattr(sys.argv[1], 'system.posix_acl_access', follow_symlinks=False)
except OSError:
    sys.exit()
tags = {1: 'user', 2: 'user', 4: 'group', 8: 'group', 16: 'mask', 32: 'other'}
for tag, permissions, number in struct.iter_unpack('<HHI', value[4:]):
    print(tags[tag], '' if number == 0xffffffff else number, permissions, sep=':')`;

describe('the file of a socket', () => {
  let directory = '';
  let path = '';
  beforeEach(() => {
    directory = mkdtempSync(`${tmpdir()}/dynuser-access-`);
    path = `${directory}/socket`;
    writeFileSync(path, '', { mode: 0o666 });
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  const list = (): readonly string[] =>
    execFileSync('python3', ['-c', READER, path], { encoding: 'utf8' }).trim().split('\n');

  it('lets users and groups that are named read and write, and nobody else but the owner', () => {
    letConnect(path, uids(1_000, 1_001), gids(5));
    const others = ['group::0', 'group:5:6', 'mask::6', 'other::0'];
    assert.deepEqual(list(), ['user::6', 'user:1000:6', 'user:1001:6', ...others]);
    letConnect(path, [], gids(5));
    assert.deepEqual(list(), ['user::6', ...others], 'nothing stays of what was there before');
    letConnect(path, uids(7), []);
    assert.deepEqual(list(), ['user::6', 'user:7:6', 'group::0', 'mask::6', 'other::0']);
  });

  it('has its mode alone if nobody is named', () => {
    for (const before of [() => letConnect(path, uids(1_000), []), () => chmodSync(path, 0o666)]) {
      before();
      letConnect(path, [], []);
      assert.deepEqual(list(), ['']);
      assert.equal(statSync(path).mode & 0o777, 0o600);
    }
  });

  it('is not found by way of a link', () => {
    symlinkSync(path, `${directory}/link`);
    assert.throws(() => letConnect(`${directory}/link`, uids(1_000), []), { code: 'HostFailed' });
    assert.deepEqual(list(), ['']);
  });

  it('takes so many entries and no more', () => {
    // These are for the owner, its group, all others, and what most may have.
    const named = ACCESS_ENTRIES_MAX - 4;
    const letAll = (count: number) =>
      letConnect(path, uids(...Array.from({ length: count - 1 }, (_, index) => 1_000 + index)), gids(5));
    assert.throws(() => letAll(named + 1), {
      code: 'HostFailed',
      message: `cannot say who may connect to ${path}: 4001 users and groups, more than 4000`,
    });
    try {
      letAll(named);
    } catch (error) {
      // The file system of the test may hold fewer than the kernel.
      assert.match(String(error), /ENOSPC|E2BIG/);
    }
  });

  it('is told of if it is not there', () => {
    assert.throws(() => letConnect(`${directory}/none`, [], []), {
      code: 'HostFailed',
      message: /^cannot say who may connect to .*\/none: ENOENT.*lsetxattr$/,
    });
  });

  it('needs no list where there are no lists, unless somebody is named', () => {
    letConnect('/proc/self/comm', [], []);
    assert.throws(() => letConnect('/proc/self/comm', uids(1_000), []), { message: /ENOTSUP/ });
  });
});
