/** From a snapshot to the plan: what it depends on beside the paths is found out first. Used by Acquire and by Explain. */
import type { DirectoriesInUse } from '../core/directory.ts';
import type { DirectoryDeps } from './deps.ts';
import { mappableDirectories } from './observe/mappable.ts';
import type { RequestSnapshot } from './observe/snapshot.ts';
import type { OpenBases } from './open-bases.ts';
import { type DirectoryPlan, type PlanRequest, planDirectories } from './plan/plan.ts';

/** @throws DynuserError DirectoryFailed if the plan is a refusal, or a file system cannot be asked */
export async function makePlan(
  deps: DirectoryDeps,
  bases: OpenBases,
  snapshot: RequestSnapshot,
  request: PlanRequest,
  live: () => readonly DirectoriesInUse[],
): Promise<DirectoryPlan> {
  const mappable = await mappableDirectories(deps, bases, snapshot, request);
  return planDirectories(deps.bases, { of: directory => snapshot.of(directory), mappable }, request, live());
}
