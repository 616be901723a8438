/**
 * Both stages of a launch, with a memory of the last ones: a service that is started again asks for the same, and gets the
 * same, since both are pure. What is remembered is never changed; questions and errors are not remembered.
 */
import { REMEMBERED_KEY_MAX, REMEMBERED_MAX } from '../limits.ts';
import { worldSteps } from '../namespace/mount-ops.ts';
import type { LaunchAnswer, LaunchPlan, LaunchStep } from '../plan.ts';
import { planLaunch } from './plan-launch.ts';
import type { Acquired, LaunchRequest, Wanted } from './request.ts';
import { readLaunch } from './resolve.ts';

export class LaunchMemory {
  readonly #wanted = new Map<string, Wanted>();
  /** of each launch the last steps */
  readonly #steps = new WeakMap<Wanted, { readonly key: string; readonly steps: readonly LaunchStep[] }>();

  /** As readLaunch(). With answers there are files in play, and what they say is read each time. */
  read(request: LaunchRequest, answers: readonly LaunchAnswer[]): ReturnType<typeof readLaunch> {
    if (answers.length > 0) {
      return readLaunch(request, answers);
    }
    const key = JSON.stringify(request);
    const known = this.#wanted.get(key);
    if (known !== undefined) {
      return { wanted: known };
    }
    const read = readLaunch(request, answers);
    if ('wanted' in read && key.length <= REMEMBERED_KEY_MAX) {
      this.#makeRoom();
      this.#wanted.set(key, read.wanted);
    }
    return read;
  }

  /** As planLaunch(). */
  plan(wanted: Wanted, acquired: Acquired): LaunchPlan {
    return planLaunch(wanted, acquired, () => this.#stepsOf(wanted, acquired));
  }

  #stepsOf(wanted: Wanted, acquired: Acquired): readonly LaunchStep[] {
    const { uid, gid, processGid, dynamic, directories } = acquired;
    // Of whom the mounts are matters to those of directories alone.
    const key = JSON.stringify(directories.length === 0 ? [] : [dynamic, uid, gid, processGid, directories]);
    const known = this.#steps.get(wanted);
    if (known?.key === key) {
      return known.steps;
    }
    const steps = worldSteps(wanted, acquired);
    this.#steps.set(wanted, { key, steps });
    return steps;
  }

  /** The oldest goes: which one matters little, as long as there are few. */
  #makeRoom(): void {
    const [oldest] = this.#wanted.keys();
    if (this.#wanted.size >= REMEMBERED_MAX && oldest !== undefined) {
      this.#wanted.delete(oldest);
    }
  }
}
