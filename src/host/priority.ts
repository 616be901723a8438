/**
 * The daemon's share of the processors. Whatever starts on a host at once waits for this one thread, and as often as it has to wait for
 * a processor, so do all of them (benchmarks/README.md).
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import { reasonOf } from '../core/errors.ts';
import { systemErrorCode } from './host-error.ts';
import { ForeignFunction } from './libc/libc.ts';
import { readSession } from './processes/files.ts';

/** Of nice(2): three times the usual weight. */
const NICE = -5;
/** Of sys/resource.h: a number of setpriority(2) is that of a process or thread, and 0 is the calling thread. */
const PRIO_PROCESS = 0;
/** By sched(7) the kernel gives each session the same share, whatever the nice values of its threads; this is the session's own value. */
const AUTOGROUP = '/proc/self/autogroup';

/**
 * Gives the thread that calls it more of the processors than other threads of its session have, and its session more than others,
 * unless that is somebody else's session. What this process has from who started it, by Nice= of its unit or nice(1), is left as it is.
 * @returns why it is not so, for the log; undefined if it is, or was not to be
 */
export function raisePriority(): string | undefined {
  if (getPriority() !== 0) {
    return undefined;
  }
  try {
    // Node has this call, too; its error is not a sentence.
    new ForeignFunction('setpriority', ['int32', 'int32', 'int32']).call(PRIO_PROCESS, 0, NICE);
    if (readSession(process.pid) === process.pid && / nice 0$/m.test(readFileSync(AUTOGROUP, 'latin1'))) {
      writeFileSync(AUTOGROUP, String(NICE));
    }
    return undefined;
  } catch (error) {
    // ENOENT: a kernel that shares processors by thread.
    return systemErrorCode(error) === 'ENOENT' ? undefined : reasonOf(error);
  }
}
