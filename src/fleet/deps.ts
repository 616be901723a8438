/** What the life of a host in a fleet needs of the daemon, as src/daemon/fleet.ts puts it together. */
import type { FleetMode, SharedStorage } from '../core/fleet.ts';
import type { Uid, UserName } from '../core/ids.ts';
import type { UidRange } from '../core/range.ts';
import type { Companion } from './companion.ts';
import type { RecordFiles } from './records.ts';

/** How long to wait for what depends on others, in milliseconds. */
export interface FleetWaits {
  /** after a boot, a request for a recorded name, for the first look at the store */
  readonly bootMs: number;
  /** any other request, for a companion that has just gone or has not started yet: one that is restarted is there within this time */
  readonly contactMs: number;
  /** before the companion is tried again: the wait is drawn from 0 up to these, twice as long each time */
  readonly retryFirstMs: number;
  readonly retryMaxMs: number;
  /** between two checks of a member that it still is one: it may have been fenced while it was cut off */
  readonly verifyMs: number;
  /** between two checks whether a restore of the store is over */
  readonly restoringMs: number;
}

export const FLEET_WAITS: FleetWaits = {
  bootMs: 20_000,
  contactMs: 10_000,
  retryFirstMs: 200,
  retryMaxMs: 15_000,
  verifyMs: 300_000,
  restoringMs: 5_000,
};

export interface FleetSettings {
  readonly mode: Exclude<FleetMode, 'off'>;
  readonly names: readonly string[];
  readonly range: UidRange;
  readonly storages: readonly SharedStorage[];
  /** how long a name is not used before it is forgotten, in milliseconds; 0: never */
  readonly forgetMs: number;
  /** the records count after a boot without a look at the store */
  readonly trustsBoot: boolean;
}

export interface FleetDeps {
  /** as it is configured now */
  readonly settings: () => FleetSettings;
  readonly records: RecordFiles;
  readonly companion: Pick<Companion, 'call' | 'list' | 'connect' | 'close'>;
  /** which host this is, what it is called, and its boot */
  readonly identity: {
    readonly host: string;
    readonly hostName: string;
    readonly boot: string;
    readonly version: string;
  };
  /** Replaces the snapshot that lookups read. @throws Error */
  readonly publish: (snapshot: string) => void;
  /** Whether a user of a name lives here, or is ending. */
  readonly isLive: (name: UserName) => boolean;
  /** Ends a user with its processes. @returns what is left of it, in words; undefined: nothing */
  readonly endUser: (name: UserName, uid: Uid) => Promise<string | undefined>;
  readonly exists: (path: string) => Promise<boolean>;
  readonly waits: FleetWaits;
  readonly monotonic: () => number;
  /** a number from 0 up to 1 */
  readonly random: () => number;
  /** digits that nobody else draws */
  readonly nonce: () => string;
  readonly log: Readonly<Record<'info' | 'warn' | 'error', (what: string, cause?: unknown) => void>>;
}
