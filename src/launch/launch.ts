/** The entry point of the folder: two stages, and the plan in words. */
export { explainPlan } from './plan/explain.ts';
export { planLaunch } from './plan/plan-launch.ts';
export { resolveLaunch } from './plan/resolve.ts';
