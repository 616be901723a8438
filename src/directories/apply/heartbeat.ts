/**
 * Says again how far a handover is while nothing happens: it may wait for another that works on the tree, or for its turn
 * among many, for longer than a caller stays with a daemon that is silent.
 */
import type { HandoverProgress } from '../../allocator/directory-ports.ts';

export interface Heartbeat {
  readonly onProgress: (progress: HandoverProgress) => void;
  stop(): void;
}

/**
 * @param publicPath the directory that is told of until there is progress
 * @param everyMs how long it may be silent, in milliseconds
 */
export function heartbeat(publicPath: string, tell: (progress: HandoverProgress) => void, everyMs: number): Heartbeat {
  let last: HandoverProgress = { publicPath, inodes: 0, changed: 0 };
  const start = () => setInterval(() => tell(last), everyMs);
  let timer = start();
  return {
    onProgress(progress) {
      last = progress;
      clearInterval(timer);
      timer = start();
      tell(progress);
    },
    stop: () => clearInterval(timer),
  };
}
