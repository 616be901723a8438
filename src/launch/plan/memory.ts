/**
 * Both stages of a launch, with a memory of the last ones: a service that is started again asks for the same, and gets the
 * same, since both are pure. What is remembered is never changed; questions and errors are not remembered.
 */

import type { LaunchAnswer, LaunchPlan, LaunchStep } from '../../api/generated/io-dynuser-allocator.ts';
import { REMEMBERED_KEY_MAX, REMEMBERED_MAX } from '../limits.ts';
import { planMountOps } from '../namespace/mount-ops.ts';
import { planLaunch } from './plan-launch.ts';
import type { Acquired, LaunchRequest, ResolvedLaunch } from './request.ts';
import { resolveLaunch } from './resolve.ts';

export class LaunchMemory {
  readonly #resolved = new Map<string, ResolvedLaunch>();
  /** of each launch the last steps */
  readonly #steps = new WeakMap<ResolvedLaunch, { readonly key: string; readonly steps: readonly LaunchStep[] }>();

  /** As resolveLaunch(). With answers there are files in play, and what they say is read each time. */
  read(request: LaunchRequest, answers: readonly LaunchAnswer[]): ReturnType<typeof resolveLaunch> {
    if (answers.length > 0) {
      return resolveLaunch(request, answers);
    }
    const key = JSON.stringify(request);
    const known = this.#resolved.get(key);
    if (known !== undefined) {
      return { resolved: known };
    }
    const read = resolveLaunch(request, answers);
    if ('resolved' in read && key.length <= REMEMBERED_KEY_MAX) {
      this.#makeRoom();
      this.#resolved.set(key, read.resolved);
    }
    return read;
  }

  /** As planLaunch(). */
  plan(resolved: ResolvedLaunch, acquired: Acquired): LaunchPlan {
    return planLaunch(resolved, acquired, () => this.#stepsOf(resolved, acquired));
  }

  #stepsOf(resolved: ResolvedLaunch, acquired: Acquired): readonly LaunchStep[] {
    const { uid, gid, processGid, dynamic, directories } = acquired;
    // Of whom the mounts are matters to those of directories alone.
    const key = JSON.stringify(directories.length === 0 ? [] : [dynamic, uid, gid, processGid, directories]);
    const known = this.#steps.get(resolved);
    if (known?.key === key) {
      return known.steps;
    }
    const steps = planMountOps(resolved, acquired);
    this.#steps.set(resolved, { key, steps });
    return steps;
  }

  /** The oldest goes: which one matters little, as long as there are few. */
  #makeRoom(): void {
    const [oldest] = this.#resolved.keys();
    if (this.#resolved.size >= REMEMBERED_MAX && oldest !== undefined) {
      this.#resolved.delete(oldest);
    }
  }
}
