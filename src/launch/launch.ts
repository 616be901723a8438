/** The two stages of a launch: from a request to what it wants of the allocator, and from what it got to a plan. Pure. */
import { DynuserError } from '../core/errors.ts';
import type { LaunchAnswer, LaunchPlan, LaunchQuestion } from './plan.ts';
import type { Acquired, LaunchRequest, Wanted } from './request.ts';

/**
 * Reads a request. Where it needs to see files of the launcher's world that no answer has, these are the questions; then
 * it is called again with all answers so far.
 * @throws DynuserError LaunchFailed, LimitReached, NotPermitted
 */
export function readLaunch(
  _request: LaunchRequest,
  _answers: readonly LaunchAnswer[],
): { readonly questions: readonly LaunchQuestion[] } | { readonly wanted: Wanted } {
  throw new DynuserError('LaunchFailed', 'launches are not read yet', { field: 'properties' });
}

/** @throws DynuserError LaunchFailed where the settings and what was acquired do not go together */
export function planLaunch(_wanted: Wanted, _acquired: Acquired): LaunchPlan {
  throw new DynuserError('LaunchFailed', 'launches are not planned yet', { field: 'properties' });
}

/** @returns the plan in words, lines of at most 100 columns */
export function explainPlan(_wanted: Wanted, _plan: LaunchPlan): string[] {
  return [];
}
