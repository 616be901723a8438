/**
 * The daemon's share of the processors. All services that start at once wait for this one thread: whenever it waits for a processor, all
 * of them do (benchmarks/README.md).
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
 * @returns why the priority was not raised, for the log; undefined if it was, or was to stay as it is
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
