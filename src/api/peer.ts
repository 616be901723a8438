/** Who is at the other end of a connection, as the kernel says (unix(7), SO_PEERCRED); never what a message says. */

import type { PeerPinOutcome } from '../allocator/ports.ts';
import type { Standing } from '../core/access.ts';
import type { Gid, Pid, Uid } from '../core/ids.ts';

export interface Peer {
  readonly uid: Uid;
  readonly gid: Gid;
  /** undefined for a process in a PID namespace that the daemon cannot see into */
  readonly pid: Pid | undefined;
  /** its supplementary groups; to be called as pin() is. Most calls need none */
  groups(): readonly Gid[];
  /** the process that connected; to be called while its connection is open, and before anything is waited for */
  pin(): PeerPinOutcome;
  /** what it is to this host if its UID is 0; to be called as pin() is */
  standing(): Standing;
  /** whether its root directory is the daemon's, as far as the number of its process tells; gives no right to anything */
  sharesRoot(): boolean;
  /** whether it has the daemon's network, as far as the number of its process tells; gives no right to anything */
  sharesNetwork(): boolean;
  /** the number that another process has for it; undefined if it is in another PID namespace, or the peer has ended */
  numberOf(pid: Pid): number | 'ended' | undefined;
}
