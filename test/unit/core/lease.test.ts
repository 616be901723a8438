import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asGid } from '../../../src/core/ids.ts';
import { compactLease, type Lease } from '../../../src/core/lease.ts';

function lease(more: Partial<Lease> = {}): Lease {
  const given = { unit: 'web.service', lifetime: 'explicit', ...more, id: '0'.repeat(32), pid: undefined, owner: 0 };
  return { directories: [], cleanup: { processes: true, ipc: false }, ...given, since: 1 } as unknown as Lease;
}

test('a lease that is kept is the same lease', () => {
  const directory = { kind: 'state', source: 'web', aliases: [] } as unknown as Lease['directories'][number];
  const accountIpc = asGid(7);
  assert.ok(accountIpc !== undefined);
  for (const given of [
    lease(),
    lease({ directories: [directory] }),
    lease({ cleanup: { processes: false, ipc: true } }),
    lease({ cleanup: { processes: true, ipc: true, accountIpc } }),
    lease({ lifetime: 'timed', seconds: 5, description: 'nightly', missing: ['nothing'] }),
  ]) {
    assert.deepEqual(compactLease(given), given);
  }
});

test('what most leases have is in memory once', () => {
  const [one, other] = [compactLease(lease()), compactLease(lease())];
  assert.equal(one.directories, other.directories);
  assert.equal(one.cleanup, other.cleanup);
});
