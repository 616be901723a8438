/** Steps as lines, for the tests of worlds. */
import type { LaunchPlan, LaunchStep } from '../../../../src/api/generated/io-dynuser-allocator.ts';
import { planOf } from '../launches.ts';

/** A step as one line, with what of it matters. */
function line(step: LaunchStep): string {
  const {
    do: verb,
    path,
    slot,
    optional,
    straight,
    takeAway,
    single,
    idMap,
    set,
    mode,
    options,
    part,
    type,
    create,
    target,
  } = step;
  return [
    verb,
    path,
    slot === undefined ? '' : `#${slot}`,
    straight === true ? `straight:${step.device}:${step.inode}` : '',
    takeAway === true ? 'takeAway' : '',
    single === true ? 'single' : '',
    idMap === undefined ? '' : `map:${idMap.diskUid}:${idMap.diskGid}:${idMap.uid}:${idMap.gid}`,
    mode === undefined ? '' : mode.toString(8),
    ...(options ?? []),
    part === undefined ? '' : `part:${part}`,
    type === undefined ? '' : `type:${type}`,
    ...(set ?? []),
    create ?? '',
    target === undefined ? '' : `→${target}`,
    optional === true ? '?' : '',
  ]
    .filter(word => word !== '')
    .join(' ');
}

export function lines(plan: LaunchPlan): string[] {
  return plan.steps.map(line);
}

/** The steps without those of an empty, dynamic launch, which are in every one. */
export function beyond(plan: LaunchPlan): string[] {
  const usual = new Set(lines(planOf([])).map(text => text.replace(/ #\d+/, '')));
  return lines(plan).filter(text => !usual.has(text.replace(/ #\d+/, '')));
}
