/** A host of a fleet for tests: the real life of one, with the use cases that make users, in a separate directory. */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FleetUser, SharedStorage } from '../../../src/core/fleet.ts';
import { decodeSnapshot } from '../../../src/core/fleet-snapshot.ts';
import type { UserName } from '../../../src/core/ids.ts';
import { parseRange, type UidRange } from '../../../src/core/range.ts';
import { Companion } from '../../../src/fleet/companion.ts';
import type { FleetSettings, FleetWaits } from '../../../src/fleet/deps.ts';
import { Fleet } from '../../../src/fleet/fleet.ts';
import { RecordFiles } from '../../../src/fleet/records.ts';
import { FakeCompanion, FakeStore } from '../../support/fleet/fake-store.ts';
import { until } from '../../support/until.ts';
import { buildUseCases, type UseCases } from '../allocator/use-cases.ts';

export const RANGE = '70000-70003';
const WAITS: FleetWaits = {
  ...{ bootMs: 100, contactMs: 50, retryFirstMs: 5, retryMaxMs: 20, verifyMs: 60_000, restoringMs: 20 },
};

export interface HostOptions {
  readonly host?: string;
  readonly boot?: string;
  readonly range?: string;
  readonly mode?: FleetSettings['mode'];
  readonly trustsBoot?: boolean;
  readonly storages?: readonly SharedStorage[];
  readonly waits?: Partial<FleetWaits>;
}

/** The disk, the companion and the store that outlive a daemon. */
export class FleetWorld implements AsyncDisposable {
  readonly directory = mkdtempSync(join(tmpdir(), 'dynuser-fleet-'));
  readonly companion: FakeCompanion;
  readonly daemons: FleetDaemon[] = [];
  readonly store: FakeStore;

  constructor(store = new FakeStore()) {
    this.store = store;
    this.companion = new FakeCompanion(this.socket, store);
  }

  get socket(): string {
    return `${this.directory}/socket`;
  }

  /** Starts a daemon on the disk. */
  start(options: HostOptions = {}): FleetDaemon {
    const daemon = new FleetDaemon(this, options);
    this.daemons.push(daemon);
    daemon.fleet.start();
    return daemon;
  }

  /** A daemon on the disk that is a member. */
  async member(options: HostOptions = {}): Promise<FleetDaemon> {
    const daemon = this.start(options);
    await daemon.becomes('member');
    return daemon;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const daemon of this.daemons) {
      await daemon.stop();
    }
    await this.companion.stop();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

export class FleetDaemon {
  readonly fleet: Fleet;
  readonly cases: UseCases;
  readonly log: string[] = [];
  readonly ended: string[] = [];
  /** what lookups see */
  snapshot = '';
  /** what keeps users from ending */
  left: string | undefined;
  /** whether there is something at a path */
  exists = async (path: string): Promise<boolean> => existsSync(path);
  /** in milliseconds, which nothing but a test moves */
  clock: number | undefined;
  settings: FleetSettings;
  #records: RecordFiles;
  #stopped: Promise<void> | undefined;

  constructor(world: FleetWorld, options: HostOptions) {
    const { host = '0123456789abcdef', boot = 'boot1', mode = 'required', trustsBoot = false, storages = [] } = options;
    const range = parseRange(options.range ?? RANGE) as UidRange;
    this.settings = { mode, names: ['*'], range, storages, forgetMs: 30_000, trustsBoot };
    this.#records = new RecordFiles(`${world.directory}/records`, host, (file, reason) =>
      this.log.push(`${file}: ${reason}`),
    );
    const companion = new Companion({ path: world.socket, problemOf: () => undefined });
    const say = (what: string): void => {
      this.log.push(what);
    };
    this.fleet = new Fleet({
      ...{ records: this.#records, companion, settings: () => this.settings, waits: { ...WAITS, ...options.waits } },
      identity: { host, hostName: 'host1', boot, version: '1' },
      publish: text => {
        this.snapshot = text;
      },
      isLive: name => this.cases.users.byName(name) !== undefined,
      endUser: async (name, uid) => {
        this.ended.push(`${name} ${uid}`);
        for (const { id } of this.cases.users.byName(name)?.leases ?? []) {
          await this.cases.release(id);
        }
        return this.left;
      },
      exists: path => this.exists(path),
      monotonic: () => this.clock ?? performance.now(),
      random: () => 0.5,
      nonce: () => randomBytes(8).toString('hex'),
      log: { info: say, warn: say, error: say },
    });
    this.cases = buildUseCases('61184-61190', undefined, { fleet: this.fleet });
  }

  get records(): RecordFiles {
    return this.#records;
  }

  async becomes(state: string): Promise<void> {
    await until(
      () => `${state}: ${JSON.stringify(this.fleet.status().state)} ${this.log.join('; ')}`,
      () => this.fleet.status().state === state,
      5_000,
    );
  }

  /** Acquires a user of the fleet. @returns its UID */
  async acquire(name: string, more: Parameters<UseCases['acquire']>[1] = {}): Promise<number> {
    return (await this.cases.acquire(`${name}.service`, more)).user.uid;
  }

  async release(name: string): Promise<void> {
    for (const { id } of this.cases.users.byName(name as UserName)?.leases ?? []) {
      await this.cases.release(id);
    }
  }

  lookups(): readonly FleetUser[] | undefined {
    return decodeSnapshot(this.snapshot);
  }

  /** As a stop; the disk stays. */
  stop(): Promise<void> {
    this.#stopped ??= this.fleet.stop().then(() => this.#records[Symbol.dispose]());
    return this.#stopped;
  }
}
