/** What tells one process from every other that has been or will be on this host, also from one that gets its number. */
import type { Pid } from './ids.ts';

export interface ProcessIdentity {
  /** the boot it runs in: proc_sys_kernel(5), random/boot_id */
  readonly boot: string;
  /** its number in the PID namespace of this daemon */
  readonly pid: Pid;
  /** when it started, in clock ticks after the boot: proc_pid_stat(5), field 22; may be undefined if the inode is known */
  readonly startTime: number | undefined;
  /** the inode number of its pidfds in decimal, never given out twice in a boot; undefined before Linux 6.9 */
  readonly inode: string | undefined;
}

/**
 * Whether both are the same process. If inodes are known, they alone decide: two processes may get the same number within
 * one clock tick (10 ms) when PIDs are few.
 */
export function isSameProcess(one: ProcessIdentity, other: ProcessIdentity): boolean {
  if (one.boot !== other.boot || one.pid !== other.pid) {
    return false;
  }
  return one.inode === undefined || other.inode === undefined
    ? one.startTime !== undefined && one.startTime === other.startTime
    : one.inode === other.inode;
}
