/** The process of a running service, for its commands such as ExecReload=: it is the one that holds the lease of the unit. */
import type { Pid } from '../core/ids.ts';
import type { DynamicUser } from '../core/lease.ts';
import { failFor } from '../launch/errors.ts';
import { isOfPhase } from '../launch/plan/phases.ts';
import type { Acquired } from '../launch/plan/request.ts';

/** Numbers that a message names. */
const SHOWN_MAX = 8;

/**
 * @param users the live ones
 * @param numberOf the number that a process has for whoever asks
 * @param wanted the number that was asked for
 * @returns undefined if no process holds a lease of the unit
 * @throws DynuserError LaunchFailed if there are several, none of which was asked for; if it cannot be seen from there
 */
export function mainProcessOf(
  users: Iterable<DynamicUser>,
  unit: string,
  numberOf: (pid: Pid) => number | 'ended' | undefined,
  wanted: number | undefined,
): Acquired['main'] {
  const inodes = new Map<Pid, string | undefined>();
  for (const { leases } of users) {
    for (const lease of leases) {
      // A launch may hold a second lease, of its group.
      if (
        lease.unit === unit &&
        lease.process !== undefined &&
        lease.lifetime === 'process' &&
        !isOfPhase(lease.description)
      ) {
        inodes.set(lease.process.pid, lease.process.inode);
      }
    }
  }
  const seen = [...inodes].flatMap(([process, inode]) => {
    const pid = numberOf(process);
    // Its lease may be there a moment longer than the process.
    return pid === 'ended' ? [] : [{ pid, ...(inode === undefined ? {} : { inode }) }];
  });
  const found = wanted === undefined ? seen : seen.filter(({ pid }) => pid === wanted);
  const [first] = found;
  if (first === undefined) {
    return wanted === undefined
      ? undefined
      : failFor('mainPid')(`the process ${wanted} holds no lease of ${unit}; name one that does`);
  }
  if (found.length > 1) {
    const shown = found
      .slice(0, SHOWN_MAX)
      .map(({ pid }) => pid ?? 'one of another PID namespace')
      .join(', ');
    failFor('phase')(`${found.length} processes run as ${unit} (${shown}); name one with --main-pid=`);
  }
  const { pid, ...rest } = first;
  return pid === undefined
    ? failFor('phase')(`${unit} runs in another PID namespace; run its commands there`)
    : { pid, ...rest };
}
