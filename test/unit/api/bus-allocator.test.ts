import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { UserTable } from '../../../src/allocator/user-table.ts';
import type { Acquisition } from '../../../src/api/acquire.ts';
import { BusAllocator } from '../../../src/api/bus-allocator.ts';
import type { DirectoryReader } from '../../../src/api/request.ts';

const USER = { uid: 64642, name: 'web' };

/** A table of one dynamic user, which is never asked about what cannot be a user. */
function allocatorOf(): BusAllocator {
  const table = {
    dynamicByName: (name: string) => (name === USER.name ? USER : undefined),
    dynamicByUid: (uid: number) => {
      assert.ok(Number.isInteger(uid) && uid >= 0 && uid < 0xffff_ffff);
      return uid === USER.uid ? USER : undefined;
    },
    dynamic: () => [USER],
  };
  return new BusAllocator(table as unknown as UserTable, {} as unknown as Acquisition, {} as DirectoryReader, () =>
    assert.fail(),
  );
}

it('finds live users both ways, and nobody else', () => {
  const allocator = allocatorOf();
  assert.equal(allocator.uidOf('web'), 64642);
  assert.equal(allocator.uidOf('web2'), undefined);
  assert.equal(allocator.uidOf('no name'), undefined);
  assert.equal(allocator.nameOf(64642), 'web');
  assert.equal(allocator.nameOf(64643), undefined);
  assert.equal(allocator.nameOf(0xffff_ffff), undefined);
  assert.equal(allocator.nameOf(-1), undefined);
  assert.deepEqual([...allocator.users()], [USER]);
});
