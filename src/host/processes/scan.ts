/**
 * Whether processes run with a UID. One scan of the host answers everybody who waits: it takes as long as the host has processes,
 * for one UID as for many. A request that comes during a scan is in the next one.
 */
import type { Uid } from '../../core/ids.ts';

/** UIDs that one scan can be about (NUMBERS_MAX of native/helper/processes.h). */
export const SCAN_UIDS_MAX = 64;

/** Scans once. @returns those of the UIDs that a process runs with; undefined if that is not known, or @throws */
type Scan = (uids: readonly Uid[]) => Promise<ReadonlySet<Uid> | undefined>;

interface Request {
  readonly uid: Uid;
  resolve(mayRun: boolean): void;
}

export class ProcessScans {
  readonly #scan: Scan;
  readonly #waiting: Request[] = [];
  #isScanning = false;

  constructor(scan: Scan) {
    this.#scan = scan;
  }

  /** @returns false if no process ran with the UID at some moment after the call; true also if that is not known */
  mayRun(uid: Uid): Promise<boolean> {
    return new Promise(resolve => {
      this.#waiting.push({ uid, resolve });
      if (!this.#isScanning) {
        void this.#scanAll();
      }
    });
  }

  async #scanAll(): Promise<void> {
    this.#isScanning = true;
    while (this.#waiting.length > 0) {
      const requests = this.#waiting.splice(0, SCAN_UIDS_MAX);
      const running = await this.#scan(requests.map(({ uid }) => uid)).catch(() => undefined);
      for (const { uid, resolve } of requests) {
        resolve(running?.has(uid) ?? true);
      }
    }
    this.#isScanning = false;
  }
}
