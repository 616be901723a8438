/**
 * How this host gives names back: those that were not used for a long time and have no files here, those that an operator asks for, and all of
 * them when it leaves. Nobody else frees anything, and no clock that can be set is read for it.
 */
import type { StatusReply } from '../api/generated/io-dynuser-fleet.ts';
import type { UserName } from '../core/ids.ts';
import { conflictOf, wordsOf } from './answers.ts';
import type { Bindings } from './bindings.ts';
import type { FleetDeps } from './deps.ts';
import { type Membership, NOT_LEFT } from './membership.ts';
import type { Tasks } from './tasks.ts';
import type { NameUses } from './uses.ts';

/** How often the time is counted for which names were not used. */
const IDLE_EVERY_MS = 3_600_000;
const notForgotten = (name: string): string => `this host cannot forget ${name}`;

export class Forgetting {
  readonly #deps: FleetDeps;
  readonly #bindings: Bindings;
  readonly #membership: Membership;
  readonly #uses: NameUses;
  readonly #tasks: Tasks;
  /** how long each name was not used, in seconds */
  readonly #idle: Map<string, number>;
  #countedAt: number;

  constructor(deps: FleetDeps, bindings: Bindings, membership: Membership, uses: NameUses, tasks: Tasks) {
    this.#deps = deps;
    this.#bindings = bindings;
    this.#membership = membership;
    this.#uses = uses;
    this.#tasks = tasks;
    this.#idle = new Map(deps.records.idle);
    this.#countedAt = deps.monotonic();
  }

  start(): void {
    this.#tasks.later('idle', IDLE_EVERY_MS, () => this.countIdle());
  }

  async stop(): Promise<void> {
    await this.#tasks.keep(() => this.#countIdleNow());
  }

  /** The user of a name was given out. */
  used(name: UserName): void {
    this.#idle.delete(name);
  }

  /** Counts how long names were not used, and forgets those that were not used for long enough and have no files here. */
  async countIdle(): Promise<void> {
    this.#tasks.later('idle', IDLE_EVERY_MS, () => this.countIdle());
    await this.#countIdleNow();
    const { forgetMs } = this.#deps.settings();
    if (forgetMs === 0 || this.#membership.state !== 'member') {
      return;
    }
    for (const [name, seconds] of [...this.#idle]) {
      const record = this.#deps.records.byName.get(name as UserName);
      if (record === undefined || seconds * 1_000 < forgetMs || this.#uses.isUsed(record.name)) {
        continue;
      }
      const mayHaveFiles = record.directories === 'many' || (await this.#directoryOf(record.name)) !== undefined;
      // Somebody may have begun to use it meanwhile.
      if (!mayHaveFiles && !this.#uses.isUsed(record.name)) {
        await this.#tasks.keep(() => this.#giveBack(record.name));
      }
    }
  }

  async #countIdleNow(): Promise<void> {
    const now = this.#deps.monotonic();
    const seconds = (now - this.#countedAt) / 1_000;
    this.#countedAt = now;
    const { byName } = this.#deps.records;
    for (const name of byName.keys()) {
      if (this.#uses.isUsed(name)) {
        this.#idle.delete(name);
      } else {
        this.#idle.set(name, Math.round((this.#idle.get(name) ?? 0) + seconds));
      }
    }
    for (const name of this.#idle.keys()) {
      if (!byName.has(name as UserName)) {
        this.#idle.delete(name);
      }
    }
    await this.#deps.records.putIdle(this.#idle);
  }

  /** Forgets a name: this host may not run its user any more, before it has asked again. @throws DynuserError FleetConflict, FleetUnavailable */
  async forget(name: UserName): Promise<void> {
    if (!this.#deps.records.byName.has(name)) {
      throw conflictOf(`this host does not hold ${name}`, 'name');
    }
    this.#checkUnused(name);
    const directory = await this.#directoryOf(name);
    if (directory !== undefined) {
      const reason = `${directory} has files of ${name}, which another user of its UID could read; remove them first`;
      throw conflictOf(reason, 'name');
    }
    // While a store is restored, a name that contradicts it can be forgotten: nothing else may end that.
    if (this.#membership.state !== 'restoring' || !this.#membership.conflicts.has(name)) {
      await this.#membership.need(notForgotten(name));
    }
    // Somebody may have begun to use it meanwhile.
    this.#checkUnused(name);
    await this.#giveBack(name);
  }

  #checkUnused(name: UserName): void {
    if (this.#uses.isUsed(name)) {
      throw conflictOf(`${name} lives on this host; release it first`, 'name');
    }
  }

  /** Ends the membership, with all holds. @throws DynuserError FleetConflict, FleetUnavailable */
  async leave(): Promise<void> {
    const { records } = this.#deps;
    for (const name of records.byName.keys()) {
      this.#checkUnused(name);
    }
    await this.#membership.need(NOT_LEFT);
    for (const name of [...records.byName.keys()]) {
      await this.forget(name);
    }
    await this.#membership.leave();
  }

  async #directoryOf(name: UserName): Promise<string | undefined> {
    const directories = this.#deps.records.byName.get(name)?.directories;
    for (const path of directories === undefined || directories === 'many' ? [] : directories) {
      if (await this.#deps.exists(path)) {
        return path;
      }
    }
    return undefined;
  }

  /** Here first, then in the store: a crash in between leaves a hold that is taken up again, and never a record without a hold. */
  async #giveBack(name: UserName): Promise<void> {
    const { records, companion } = this.#deps;
    try {
      await this.#uses.forgetting(name, async () => {
        const { position, reason } = await companion.call<StatusReply>('Status', {});
        if (position === undefined) {
          throw new Error(reason ?? 'dynuser-fleetd does not say how far the store is');
        }
        await records.remove(name);
        this.#membership.forgotten(name);
        this.#idle.delete(name);
        await companion.call('Forget', { ...records.member, name, seen: { ...position } });
      });
    } catch (error) {
      throw this.#membership.unavailable(notForgotten(name), wordsOf(error));
    } finally {
      this.#bindings.publishSoon();
    }
  }
}
