/** The entry point of the folder: two stages, and the plan in words. */

export { judgeExtension } from './images/extension.ts';
export { coveredPaths } from './namespace/layout.ts';
export { explainPlan } from './plan/explain.ts';
export { type DirectoryPlace, findDirectories, type Judgement, judgeLaunch } from './plan/judge.ts';
export { planLaunch } from './plan/plan-launch.ts';
export type { PathFact } from './plan/questions.ts';
export { resolveLaunch } from './plan/resolve.ts';
export { outsideCommands } from './syntax/command-line.ts';
export { type FileVariable, parseEnvironmentFile } from './syntax/environment-file.ts';
export { architectureOf } from './syntax/specifiers.ts';
export { parseUnitFile } from './syntax/unit-file.ts';
