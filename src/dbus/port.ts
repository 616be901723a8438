/** What the D-Bus interface needs of the daemon, as types alone; daemon/main.ts joins the two. */
import type { Gid, Pid, Uid } from '../core/ids.ts';

/** Work for one sender, done piece by piece. */
export interface BusTask {
  readonly level: 'bus';
  readonly owner: string;
  /** Does one piece; never throws. @returns whether there is more */
  step(): boolean;
}

/** Shares the time of the event loop: runs a task at once as far as there is time for it, and the rest by turns with the others. */
export interface BusTurns {
  run(task: BusTask): unknown;
}

/** Who calls, as the bus daemon says, which has it from the kernel; never what a message says. */
export interface BusCaller {
  readonly uid: Uid;
  readonly gid: Gid;
  /** with the primary one, if the bus tells them */
  readonly groups: readonly Gid[];
  /** the process that connected to the bus; undefined if it is in a PID namespace that the bus cannot see into */
  readonly pid: Pid | undefined;
  /** whether the caller's unique name has left the bus */
  readonly closed: boolean;
  /**
   * @param listener called once, when that happens; at once if it has already
   * @returns takes it back
   */
  onClose(listener: () => void): () => void;
}

/** The parameters of Acquire in the words of io.dynuser.Allocator, their types checked and nothing else. */
export interface AcquireParameters {
  readonly unit: string;
  readonly [option: string]: string | number | boolean | string[];
}

export interface AcquiredOnBus {
  readonly uid: number;
  readonly gid: number;
  readonly userName: string;
  readonly dynamic: boolean;
  readonly lease: string;
}

export interface BusUser {
  readonly uid: number;
  readonly name: string;
}

export interface BusUserChange extends BusUser {
  readonly kind: 'allocated' | 'released';
}

/** All users here are dynamic and live. Errors are DynuserError; any other is reported as a failure of the daemon. */
export interface BusAllocator {
  acquire(parameters: AcquireParameters, caller: BusCaller): Promise<AcquiredOnBus>;
  release(lease: string, caller: BusCaller): void | Promise<void>;
  /** @param name one that a lookup may ask for (core/name.ts) */
  uidOf(name: string): number | undefined;
  nameOf(uid: number): string | undefined;
  users(): Iterable<BusUser>;
  /** @param listener told of each user that came, with its first lease, or went, with its last. @returns ends that */
  onChange(listener: (change: BusUserChange) => void): () => void;
}
