/**
 * Launches without a launcher: V8 reads and compiles what a launch runs through before somebody waits for the first one
 * (benchmarks/README.md). Nothing is asked, acquired or written.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { planLaunch, resolveLaunch } from '../launch/launch.ts';
import type { Kernel } from '../launch/plan/request.ts';
import type { LaunchPlan } from './generated/io-dynuser-allocator.ts';

/** V8 reads a function in the first few calls, and compiles it after some tens. */
const TIMES = 100;

/** To be called when the daemon is ready. What comes meanwhile waits for one of them, less than a millisecond. */
export async function rehearse(kernel: Kernel): Promise<void> {
  for (let time = 0; time < TIMES; time++) {
    rehearseOnce(kernel);
    await nextTurn();
  }
}

/** @returns the plan of a launch as most are: a dynamic user with what DynamicUser= implies. @throws Error if it needs more */
export function rehearseOnce(kernel: Kernel): LaunchPlan {
  const read = resolveLaunch({ mayMount: true, properties: ['PrivateDevices=no'] }, []);
  if ('questions' in read) {
    throw new Error('a rehearsed launch asks for files of its host');
  }
  const user = { uid: 61_184, gid: 61_184, userName: 'rehearsal', dynamic: true, groups: [61_184] };
  return planLaunch(read.resolved, { ...user, kernel, directories: [], environment: {} });
}
