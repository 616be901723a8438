/** The numbers that a process has: one in its PID namespace, and one in each above that (pid_namespaces(7)). */
import { existsSync, readFileSync } from 'node:fs';
import type { Pid } from '../../core/ids.ts';
import { namespaceOf } from './files.ts';

/**
 * @param viewer the number of a process here; undefined if it cannot be seen
 * @param pid of another process, here
 * @returns the number of that in the PID namespace of the viewer; undefined if it is in another one, or the viewer has ended;
 * 'ended' if the other has
 */
export function numberFor(viewer: Pid | undefined, pid: Pid): number | 'ended' | undefined {
  try {
    if (viewer === undefined || namespaceOf(viewer, 'pid') !== namespaceOf(pid, 'pid')) {
      return undefined;
    }
    // proc_pid_status(5): from our namespace inwards. A newline in the name of the process is escaped.
    const numbers = /^NSpid:\t([\d\t]+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1];
    return numbers === undefined ? pid : Number(numbers.split('\t').at(-1));
  } catch {
    return existsSync(`/proc/${pid}`) ? undefined : 'ended';
  }
}
