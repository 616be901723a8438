/** Tells whether the process that acquired a lease still runs. A PID alone does not say so: it may be that of another process by now. */
import { type Host, isSeen } from './host.ts';

export type AcquirerState = 'running' | 'ended' | 'unknown';

/** Clock ticks of proc_pid_stat(5) in a second, the same for every program of Linux (sysconf(3), _SC_CLK_TCK). */
const TICKS_PER_SECOND = 100;
/** Of proc_pid_stat(5), counted from the field after the name. */
const START_TIME = 19;
/** How much later than its lease a process may seem to have started, since clocks and ticks are rounded, in milliseconds. */
const TOLERANCE_MS = 1_000;

/** @param now milliseconds since the epoch */
export function acquirerState(
  host: Host,
  { pid, since }: { readonly pid?: number | undefined; readonly since: number },
  now: number,
): AcquirerState {
  // A user other than root may not see the processes of others (proc(5), hidepid=): then nothing is known.
  if (pid === undefined || !isSeen(host.inode('/proc/1'))) {
    return 'unknown';
  }
  const status = host.text(`/proc/${pid}/stat`);
  if (status === undefined) {
    return 'ended';
  }
  const uptime = host.text('/proc/uptime');
  if (!isSeen(status) || !isSeen(uptime)) {
    return 'unknown';
  }
  const ticks = Number(status.slice(status.lastIndexOf(')') + 2).split(' ')[START_TIME]);
  const age = (Number.parseFloat(uptime) - ticks / TICKS_PER_SECOND) * 1_000;
  const ageOfLease = now - since / 1_000;
  return age + TOLERANCE_MS >= ageOfLease ? 'running' : 'ended';
}
