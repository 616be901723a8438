/** Whether a service manager stores descriptors for this process, and by which names. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { asUid } from '../../../../src/core/ids.ts';
import { keptName, uidOfKeptName } from '../../../../src/host/systemd/lock-store.ts';
import { findManagerStore } from '../../../../src/host/systemd/open-lock-store.ts';

describe("the service manager's descriptor store", () => {
  const FDSTORE = { NOTIFY_SOCKET: '/run/x/notify', FDSTORE: '4368' };
  const CASES: readonly (readonly [environment: NodeJS.ProcessEnv, capacity: number | undefined])[] = [
    [{}, undefined],
    [{ FDSTORE: '10' }, undefined],
    [{ NOTIFY_SOCKET: '/run/x/notify' }, undefined],
    [{ NOTIFY_SOCKET: '/run/systemd/notify' }, 8_192],
    [FDSTORE, 4_368],
    [{ ...FDSTORE, FDSTORE: '999999' }, 8_192],
    [{ ...FDSTORE, FDSTORE: '0' }, undefined],
    [{ ...FDSTORE, SYSTEMD_EXEC_PID: '7' }, 4_368],
    [{ ...FDSTORE, SYSTEMD_EXEC_PID: '8' }, undefined],
  ];
  for (const [environment, capacity] of CASES) {
    it(`takes ${capacity ?? 'no'} locks with ${JSON.stringify(environment)}`, () => {
      assert.equal(findManagerStore(environment, 7)?.capacity, capacity);
    });
  }

  it('knows locks by names that stand for one UID each', () => {
    assert.equal(uidOfKeptName(keptName(asUid(63_769) ?? assert.fail())), 63_769);
    for (const name of ['varlink', 'uid-', 'uid-01', 'uid--1', 'uid-4294967295', 'uid-1x', 'xuid-1', 'uid-1\n']) {
      assert.equal(uidOfKeptName(name), undefined, name);
    }
  });
});
