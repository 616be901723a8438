/** Leases and directories for tests of rendering and selection. */
import type { Directory, Lease } from '../../../src/api/generated/io-dynuser-allocator.ts';
import type { Acquired } from '../../../src/client/held-lease.ts';

/** 2025-11-24 19:33:05 UTC, in milliseconds */
export const NOW = Date.UTC(2025, 10, 24, 19, 33, 5);

export function sampleLease(changes: Partial<Lease> = {}): Lease {
  return {
    lease: '0123456789abcdef0123456789abcdef',
    uid: 64642,
    gid: 64642,
    userName: 'dynamic-user-test',
    unit: 'dynamic-user-test.service',
    dynamic: true,
    lifetime: 'explicit',
    pid: 4711,
    since: (NOW - 300_000) * 1_000,
    directories: [],
    ...changes,
  };
}

export function sampleAcquired(changes: Partial<Acquired> = {}): Acquired {
  const { uid, gid, userName, unit, dynamic, lease } = sampleLease();
  return { uid, gid, userName, unit, dynamic, lease, directories: [], environment: {}, ...changes };
}

export function sampleDirectory(changes: Partial<Directory> = {}): Directory {
  return {
    kind: 'state',
    publicPath: '/var/lib/a',
    realPath: '/var/lib/private/a',
    readOnly: false,
    handover: 'none',
    diskUid: 64642,
    diskGid: 64642,
    changed: 0,
    leftPaths: [],
    mountPaths: [],
    ...changes,
  };
}
