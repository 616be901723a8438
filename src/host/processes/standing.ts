/**
 * Tells root of this host from a process that merely has the UID 0: by its user namespace, its root directory and its
 * capabilities. All is asked by the number of a process whose pidfd is held, and believed only if that process had
 * not exited afterwards. Nothing here touches a file system but /proc, since one of a container may never answer.
 */
import { closeSync, openSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import type { Standing } from '../../core/access.ts';
import type { Pid } from '../../core/ids.ts';
import { ForeignFunction } from '../libc/libc.ts';
import { namespaceOf } from './files.ts';
import { Pidfds } from './pidfd.ts';

/** linux/capability.h, capget(2): a version and a process; then twice the effective, permitted and inheritable ones, 32 of them each time. */
const CAPABILITY_VERSION = 0x2008_0522;
const HEADER_BYTES = 8;
const DATA_BYTES = 24;
const CAP_CHOWN = 1 << 0;
const CAP_DAC_OVERRIDE = 1 << 1;
const CAPABILITIES_NEEDED = CAP_CHOWN | CAP_DAC_OVERRIDE;

const UNREADABLE: Standing = { kind: 'foreign', reason: 'has ended, or cannot be looked at by dynuserd' };

export class Standings {
  readonly #pidfds = new Pidfds();
  readonly #capget = new ForeignFunction('capget', ['pointer', 'pointer']);
  // Laid out once: memory whose address is written stays for good.
  readonly #header = Buffer.alloc(HEADER_BYTES);
  readonly #data = Buffer.alloc(DATA_BYTES);
  readonly #userNamespace = namespaceOf('self', 'user');
  readonly #rootMount = rootMountOf('self');
  /** mount namespaces whose root directory is ours; kept open, so that no other gets the number of one */
  readonly #mountNamespaces = new Set<number>();
  readonly #descriptors: number[] = [];

  constructor() {
    this.#header.writeUInt32LE(CAPABILITY_VERSION, 0);
    this.#capget.lay(0, this.#header, this.#data);
    this.#pin('self');
    // A service manager may have given the daemon its own mount namespace: callers are in that of process 1.
    this.#pin('1');
  }

  /** The process that called connect(2) for a connection. @param socket connected @throws Error the system's */
  ofPeer(socket: number): Standing {
    const peer = this.#pidfds.ofPeer(socket);
    switch (peer.kind) {
      case 'gone':
        return UNREADABLE;
      case 'unsupported':
        return { kind: 'unknown', reason: 'this kernel does not say which process asks (SO_PEERPIDFD, Linux 6.5)' };
      case 'pidfd':
        return this.#judge(peer.descriptor, this.#pidfds.number(peer.descriptor));
    }
  }

  /**
   * The process that has a number now. Who had it when somebody else saw it may be gone; on the message bus, whose word this
   * is, that is not a boundary: UID 0 there is root to systemd as well.
   * @throws Error the system's
   */
  ofNumber(pid: Pid | undefined): Standing {
    const descriptor = pid === undefined ? undefined : this.#pidfds.open(pid);
    return descriptor === undefined ? UNREADABLE : this.#judge(descriptor, pid ?? 'gone');
  }

  /** Whether the process that has a number now has our root directory. False if it has ended, or cannot be seen. */
  sharesRoot(pid: Pid | undefined): boolean {
    try {
      return pid !== undefined && this.#hasOurRoot(pid);
    } catch {
      return false;
    }
  }

  /** Whether the process that has a number now has our network. False if it has ended, or cannot be seen. */
  sharesNetwork(pid: Pid | undefined): boolean {
    try {
      return pid !== undefined && namespaceOf(pid, 'net') === namespaceOf('self', 'net');
    } catch {
      return false;
    }
  }

  close(): void {
    for (const descriptor of this.#descriptors.splice(0)) {
      closeSync(descriptor);
    }
    this.#mountNamespaces.clear();
  }

  /** Closes the descriptor. */
  #judge(descriptor: number, pid: Pid | 'gone' | 'invisible'): Standing {
    try {
      if (pid === 'invisible') {
        return { kind: 'foreign', reason: 'is in a PID namespace that dynuserd cannot see into' };
      }
      const standing = pid === 'gone' ? UNREADABLE : this.#read(pid);
      // While it has not exited its number is nobody else's, and neither is what was read.
      return this.#pidfds.hasExited(descriptor) ? UNREADABLE : standing;
    } finally {
      closeSync(descriptor);
    }
  }

  #read(pid: Pid): Standing {
    try {
      if (namespaceOf(pid, 'user') !== this.#userNamespace) {
        return { kind: 'foreign', reason: 'is in another user namespace' };
      }
      if (!this.#hasOurRoot(pid)) {
        return { kind: 'foreign', reason: 'has another root directory, as in a container or a chroot' };
      }
      return { kind: 'host', mayChown: this.#mayChown(pid) };
    } catch (error) {
      if (error instanceof Error && 'code' in error) {
        return UNREADABLE;
      }
      throw error;
    }
  }

  /** By capget(2): the kernel writes all of /proc/<pid>/status for the one line that says the same. @throws Error the system's */
  #mayChown(pid: Pid): boolean {
    this.#header.writeInt32LE(pid, 4);
    this.#capget.call();
    return (this.#data.readUInt32LE(0) & CAPABILITIES_NEEDED) === CAPABILITIES_NEEDED;
  }

  #hasOurRoot(pid: Pid): boolean {
    // readlink(2) asks no file system, unlike stat(2). In a namespace that is known, a chroot is all that could differ.
    if (this.#mountNamespaces.has(namespaceOf(pid, 'mnt'))) {
      return readlinkSync(`/proc/${pid}/root`) === '/';
    }
    return this.#rootMount !== undefined && rootMountOf(pid) === this.#rootMount;
  }

  #pin(process: string): void {
    try {
      const descriptor = openSync(`/proc/${process}/ns/mnt`, 'r');
      this.#descriptors.push(descriptor);
      if (process === 'self' || (rootMountOf(process) === this.#rootMount && this.#rootMount !== undefined)) {
        this.#mountNamespaces.add(statSync(`/proc/self/fd/${descriptor}`).ino);
      }
    } catch {
      // Not ours to see: its processes are then looked at one by one.
    }
  }
}

/** @throws Error the system's */
function rootMountOf(process: Pid | string): string | undefined {
  return parseRootMount(readFileSync(`/proc/${process}/mountinfo`, 'latin1'));
}

/**
 * @param text of proc_pid_mountinfo(5)
 * @returns which directory of which file system the root directory is; undefined if it is not a mount point, as after chroot(2),
 * or there is no telling
 */
export function parseRootMount(text: string): string | undefined {
  const roots = text
    .split('\n')
    .map(line => line.split(' '))
    .filter(fields => fields[4] === '/');
  // Of several, the one that no other is mounted on.
  const tops = roots.filter(([id]) => !roots.some(([, parent]) => parent === id));
  const [, , device, path] = tops[0] ?? [];
  return tops.length === 1 && device !== undefined && path !== undefined ? `${device} ${path}` : undefined;
}
