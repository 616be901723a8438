/** The helper processes of a daemon, by the classes of questions that each kind answers. */
import type { Uid } from '../../core/ids.ts';
import type { UidRange } from '../../core/range.ts';
import type { RemovedGifts } from './ipc-gifts.ts';
import { HelperPathInspector } from './path-inspector.ts';
import type { PoolSettings } from './pool.ts';
import { ACQUIRING_LIMITS, PUBLIC_LIMITS } from './pool-limits.ts';
import { HelperProbe } from './probe.ts';
import { HelperReaper } from './reaper.ts';

/**
 * Starts those that the first request would wait for.
 * @param program the path of dynuser-helper
 * @param range of the UIDs of dynamic users
 * @param settings of those that search
 * @param onGifts told of IPC objects that strangers gave to a UID, and that were removed
 */
export function openHelpers(
  program: string,
  range: UidRange,
  settings: PoolSettings,
  onGifts: (uid: Uid, removed: RemovedGifts) => void,
) {
  const searching = [program, String(range.first), String(range.last)] as const;
  const reaper = new HelperReaper(searching, onGifts);
  // Only the reaper's helpers have the rights that it takes to remove anything.
  const probes = new HelperProbe(searching, settings, ACQUIRING_LIMITS, uid => reaper.removeGifts(uid));
  probes.warm();
  return {
    reaper,
    probes,
    publicProbes: new HelperProbe(searching, settings, PUBLIC_LIMITS),
    pathInspector: new HelperPathInspector([program]),
  };
}
