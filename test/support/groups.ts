/** The supplementary groups of a test's own process. */
import { ForeignFunction } from '../../src/host/libc/libc.ts';

const GID_BYTES = 4;
const call = new ForeignFunction('setgroups', ['size_t', 'pointer']);

/** For root. Node's own function refuses in builds where io_uring may be in use, as Debian's. */
export function setGroups(groups: readonly number[]): void {
  const list = Buffer.alloc(Math.max(groups.length, 1) * GID_BYTES);
  for (const [index, gid] of groups.entries()) {
    list.writeUInt32LE(gid, index * GID_BYTES);
  }
  call.call(groups.length, list);
}
