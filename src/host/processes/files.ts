/**
 * What /proc says of a process. By number, so that the answer may be about another process: who asks holds a pidfd of the one
 * that is meant, and looks afterwards whether that has exited.
 */
import { readFileSync, statSync } from 'node:fs';
import { asUid, type Pid, type Uid } from '../../core/ids.ts';
import { systemErrorCode } from '../host-error.ts';

/** proc_pid_stat(5): the fields are counted from 1, and the first that follows the name is the third. */
const START_TIME = 22;
const SESSION = 6;
const FIRST_AFTER_NAME = 3;

/** @returns when it started, in clock ticks after the boot; undefined if there is no such process */
export function readStartTime(pid: Pid): number | undefined {
  const text = readProcessFile(pid, 'stat');
  return text === undefined ? undefined : parseStartTime(text);
}

/** @returns the number of its session, which is that of the process that leads it; undefined if there is no such process */
export function readSession(pid: number): number | undefined {
  const text = readProcessFile(pid, 'stat');
  return text === undefined ? undefined : Number(statField(text, SESSION));
}

/** A process's real UID is the first; its effective, saved and file-system UID follow. */
export type ProcessUids = readonly [real: Uid, ...others: readonly Uid[]];

/** @returns its UIDs; undefined if there is no such process */
export function readUids(pid: Pid): ProcessUids | undefined {
  const text = readProcessFile(pid, 'status');
  return text === undefined ? undefined : parseUids(text);
}

/** @param text of proc_pid_stat(5) @throws Error if it cannot be read as that */
export function parseStartTime(text: string): number {
  const field = statField(text, START_TIME);
  const ticks = Number(field);
  if (field === undefined || !/^\d+$/.test(field) || !Number.isSafeInteger(ticks)) {
    throw new Error(`/proc/<pid>/stat has no start time: "${text.slice(0, 200)}"`);
  }
  return ticks;
}

/** @param text of proc_pid_stat(5) @param number of a field behind the name @returns undefined if there is none */
function statField(text: string, number: number): string | undefined {
  // The name in parentheses is the process's own choice, parentheses and spaces included; what follows are numbers.
  return text.slice(text.lastIndexOf(')') + 2).split(' ')[number - FIRST_AFTER_NAME];
}

/** @param text of proc_pid_status(5) @throws Error if it cannot be read as that */
export function parseUids(text: string): ProcessUids {
  // A newline in the name of the process is escaped, so that a label starts a line.
  const [real, ...others] = (/^Uid:((?:\t\d+){4})$/m.exec(text)?.[1] ?? '')
    .split('\t')
    .slice(1)
    .flatMap(number => asUid(Number(number)) ?? []);
  if (real === undefined || others.length !== 3) {
    throw new Error(`/proc/<pid>/status has no UIDs: "${text.slice(0, 200)}"`);
  }
  return [real, ...others];
}

/** The kernel's name for this boot: proc_sys_kernel(5), random/boot_id. @throws Error the system's */
export function readBoot(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
}

/** @returns the inode number of a namespace, which is its own as long as it lives. @throws Error the system's */
export function namespaceOf(process: Pid | 'self', kind: 'user' | 'mnt' | 'net' | 'pid'): number {
  return statSync(`/proc/${process}/ns/${kind}`).ino;
}

function readProcessFile(pid: number, name: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'latin1');
  } catch (error) {
    const code = systemErrorCode(error);
    // ESRCH: it went between open(2) and read(2).
    if (code === 'ENOENT' || code === 'ESRCH') {
      return undefined;
    }
    throw error;
  }
}
