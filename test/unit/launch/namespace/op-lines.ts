/** Steps as lines, for the tests of worlds. */
import type { LaunchPlan, MountOp } from '../../../../src/api/generated/io-dynuser-allocator.ts';
import { planOf } from '../launches.ts';

/** A step as one line, with what of it matters. */
function line(op: MountOp): string {
  const {
    kind,
    path,
    slot,
    optional,
    noSymlinks,
    detach,
    node,
    nonRecursive,
    idMap,
    set,
    clear,
    mode,
    options,
    scratch,
    type,
    exempt,
    create,
    target,
    text,
    unlessMounted,
  } = op;
  return [
    kind,
    path,
    slot === undefined ? '' : `#${slot}`,
    noSymlinks === true ? `noSymlinks:${op.device}:${op.inode}` : '',
    detach === true ? 'detach' : '',
    node === undefined ? '' : `node:${node}`,
    nonRecursive === true ? 'nonRecursive' : '',
    idMap === undefined ? '' : `map:${idMap.diskUid}:${idMap.diskGid}:${idMap.uid}:${idMap.gid}`,
    mode === undefined ? '' : mode.toString(8),
    ...(options ?? []),
    scratch === undefined ? '' : `scratch:${scratch}`,
    type === undefined ? '' : `type:${type}`,
    ...(set ?? []),
    ...(clear ?? []).map(flag => `not:${flag}`),
    ...(exempt ?? []).map(one => `exempt:${one}`),
    create ?? '',
    target === undefined ? '' : `→${target}`,
    text === undefined ? '' : JSON.stringify(text),
    text !== undefined && unlessMounted === true ? 'unlessMounted' : '',
    optional === true ? '?' : '',
  ]
    .filter(word => word !== '')
    .join(' ');
}

export function lines(plan: LaunchPlan): string[] {
  return plan.mountOps.map(line);
}

/** The steps without those of an empty, dynamic launch, which are in every one. */
export function beyond(plan: LaunchPlan): string[] {
  const usual = new Set(lines(planOf([])).map(text => text.replace(/ #\d+/, '')));
  return lines(plan).filter(text => !usual.has(text.replace(/ #\d+/, '')));
}
