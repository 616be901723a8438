/** Who is at the other end of a connection, as the kernel says (unix(7), SO_PEERCRED); never what a message says. */
import type { Gid, Pid, Uid } from '../core/ids.ts';

export interface Peer {
  readonly uid: Uid;
  readonly gid: Gid;
  readonly pid: Pid;
  /** its supplementary groups; asked for only where they decide, since lookups never need them */
  groups(): readonly Gid[];
}
