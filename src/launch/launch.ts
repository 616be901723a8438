/** The room's door: two stages, and the plan in words. */
export { explainPlan } from './explain.ts';
export { planLaunch } from './make-plan.ts';
export { LaunchMemory } from './memory.ts';
export { readLaunch } from './read.ts';
