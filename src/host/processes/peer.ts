/**
 * Who is at the other end of a UNIX socket, as the kernel recorded it when the peer connected (unix(7), SO_PEERCRED and
 * SO_PEERGROUPS). The first is read at once, before the connection is used: a descriptor's number is soon another socket's,
 * so that asking later could name a stranger. The groups are for the few callers that need them, while the socket is open.
 * About 3 µs each.
 */
import { DynuserError } from '../../core/errors.ts';
import { asGid, asPid, asUid, type Gid, type Pid, type Uid } from '../../core/ids.ts';
import { SO_PEERCRED, SO_PEERGROUPS, SocketOption } from '../libc/libc.ts';

const ID_BYTES = 4;
/** struct ucred: pid, uid, gid. */
const CREDENTIALS_BYTES = 3 * ID_BYTES;
/** Groups that are read in one call; a peer with more costs a second one. */
const GROUPS_USUAL = 64;
/** NGROUPS_MAX of linux/limits.h. */
const GROUPS_MAX = 65_536;

export interface PeerCredentials {
  readonly uid: Uid;
  readonly gid: Gid;
  /** undefined if the peer is in a PID namespace that this process cannot see into */
  readonly pid: Pid | undefined;
  /** its supplementary groups, asked for when called: only while its connection is open */
  groups(): readonly Gid[];
}

/** Reads credentials; holds the memory that the kernel writes them into. */
export class PeerReader {
  readonly #credentials = new SocketOption(SO_PEERCRED, CREDENTIALS_BYTES);
  readonly #groups = new SocketOption(SO_PEERGROUPS, GROUPS_USUAL * ID_BYTES);

  /**
   * @param descriptor a connected UNIX socket
   * @throws DynuserError HostFailed if the kernel does not say who it is; the connection is to be closed
   */
  read(descriptor: number): PeerCredentials {
    try {
      const size = this.#credentials.read(descriptor);
      const { value } = this.#credentials;
      const uid = asUid(value.readUInt32LE(ID_BYTES));
      const gid = asGid(value.readUInt32LE(2 * ID_BYTES));
      if (size !== CREDENTIALS_BYTES || uid === undefined || gid === undefined) {
        throw new Error('SO_PEERCRED names no user');
      }
      // The kernel writes 0 for a process that has no number in our PID namespace.
      return { uid, gid, pid: asPid(value.readInt32LE(0)), groups: () => this.#readGroups(descriptor) };
    } catch (error) {
      throw new DynuserError('HostFailed', 'the kernel does not say who has connected', {}, error);
    }
  }

  #readGroups(descriptor: number): readonly Gid[] {
    try {
      let groups = this.#groups;
      let size = groups.read(descriptor);
      if (size > GROUPS_MAX * ID_BYTES) {
        throw new Error(`SO_PEERGROUPS has ${size} bytes`);
      }
      if (size > groups.value.length) {
        groups = new SocketOption(SO_PEERGROUPS, size);
        size = groups.read(descriptor);
      }
      const count = Math.floor(Math.min(size, groups.value.length) / ID_BYTES);
      const gids = Array.from({ length: count }, (_, index) => asGid(groups.value.readUInt32LE(index * ID_BYTES)));
      return gids.filter(gid => gid !== undefined);
    } catch (error) {
      throw new DynuserError('HostFailed', 'the kernel does not say which groups have connected', {}, error);
    }
  }
}
