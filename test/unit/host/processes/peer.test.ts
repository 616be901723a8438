/** Who is at the other end of a socket, if that is this process. Others are in integration/host. */
import assert from 'node:assert/strict';
import { closeSync, openSync } from 'node:fs';
import { describe, it } from 'node:test';
import { DescriptorSocket } from '../../../../src/host/libc/descriptor-socket.ts';
import { PeerReader } from '../../../../src/host/processes/peer.ts';
import { setGroups } from '../../../support/groups.ts';

const ROOT_ONLY = { skip: process.geteuid?.() !== 0 && 'root alone can have other groups' };

describe('a peer', () => {
  it('is told by its numbers', () => {
    const { near, far } = DescriptorSocket.pair();
    const { uid, gid, pid } = new PeerReader().read(far);
    assert.deepEqual([uid, gid, pid], [process.geteuid?.(), process.getegid?.(), process.pid]);
    near.close();
    closeSync(far);
  });

  for (const count of [0, 1, 64, 65, 1_000]) {
    it(`has ${count} groups if it has so many`, ROOT_ONLY, () => {
      const groups = Array.from({ length: count }, (_, index) => 70_000 + index);
      setGroups(groups);
      const { near, far } = DescriptorSocket.pair();
      const peer = new PeerReader().read(far);
      assert.deepEqual(peer.groups(), groups);
      near.close();
      closeSync(far);
      assert.throws(() => peer.groups(), {
        code: 'HostFailed',
        message: 'the kernel does not say which groups have connected',
      });
    });
  }

  it('is unknown if there is no socket', () => {
    const file = openSync('/dev/null', 'r');
    for (const descriptor of [file, -1]) {
      assert.throws(() => new PeerReader().read(descriptor), {
        code: 'HostFailed',
        message: 'the kernel does not say who has connected',
      });
    }
    closeSync(file);
  });
});
