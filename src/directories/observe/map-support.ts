/**
 * Remembers for a short while which file systems can have id-mapped mounts: asking takes a process of its own, and the
 * answer is the same for all of a file system. An answer that has become wrong, because another file system got the
 * number meanwhile, costs the launches of that while a clear error, and no data.
 */
import type { HeldDirectory } from '../held-directory.ts';
import { MAPPABLE_MAX, MAPPABLE_TTL_MS } from '../limits.ts';
import type { TreeHelper } from '../tree-helper.ts';

interface Answer {
  readonly canMap: Promise<boolean>;
  /** what it was, once it is known */
  known: boolean | undefined;
  /** of the monotonic clock, in milliseconds */
  readonly until: number;
}

export interface RememberingHelper extends TreeHelper {
  /** Whether id-mapped mounts can be made on a file system; undefined where that is not remembered. @param device its number */
  couldMap(device: number): boolean | undefined;
}

/** @returns the helper with such a memory. @param now the monotonic clock, in milliseconds */
export function remembering(helper: TreeHelper, now: () => number = () => performance.now()): RememberingHelper {
  const answers = new Map<number, Answer>();
  return {
    ...helper,
    couldMap(device) {
      const answer = answers.get(device);
      return answer !== undefined && answer.until > now() ? answer.known : undefined;
    },
    async canMap(top: HeldDirectory, field: string) {
      const { dev } = await top.status();
      const known = answers.get(dev);
      if (known !== undefined && known.until > now()) {
        return known.canMap;
      }
      if (answers.size >= MAPPABLE_MAX) {
        answers.clear();
      }
      const canMap = helper.canMap(top, field);
      const answer: Answer = { canMap, known: undefined, until: now() + MAPPABLE_TTL_MS };
      answers.set(dev, answer);
      canMap.then(
        known => {
          answer.known = known;
        },
        // A question that failed is no answer.
        () => answers.delete(dev),
      );
      return canMap;
    },
  };
}
