/** The kernel that this daemon runs on, and so every launcher. */
import process from 'node:process';
import { ForeignFunction } from './libc/libc.ts';

/** linux/prctl.h. */
const PR_GET_MDWE = 66;

let deniesWriteExecute: boolean | undefined;

export const KERNEL = {
  /** as Node names it */
  processor: process.arch as string,
  /** Whether a process can have the kernel deny it memory that is written and executed, since Linux 6.3; asked when it is needed. */
  get deniesWriteExecute(): boolean {
    deniesWriteExecute ??= knowsWriteExecute();
    return deniesWriteExecute;
  },
};

function knowsWriteExecute(): boolean {
  try {
    new ForeignFunction('prctl', ['int32', 'size_t', 'size_t', 'size_t', 'size_t']).call(PR_GET_MDWE, 0, 0, 0, 0);
    return true;
  } catch {
    // EINVAL of an older kernel, and whatever keeps this process from asking.
    return false;
  }
}
