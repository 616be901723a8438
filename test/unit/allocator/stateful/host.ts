/**
 * A host in memory, for the stateful tests: lock files as the kernel has them, a registry, accounts and processes. It outlives the daemons
 * that run on it. It can kill a daemon on either side of any step, and notes whatever a daemon must never do.
 */

import type { Registry } from '../../../../src/allocator/ports.ts';
import type { AccountAnswer } from '../../../../src/core/account.ts';
import { DynuserError } from '../../../../src/core/errors.ts';
import type { Uid, UserName } from '../../../../src/core/ids.ts';
import type { DynamicUser } from '../../../../src/core/lease.ts';

/** What every call of a daemon that was killed ends with. */
export class Killed extends Error {}

export type Step = keyof Registry | 'lock' | 'keep' | 'release';

type LockOwner = 'dynuserd' | 'somebody else';

export class Host {
  /** who has the lock of a UID */
  readonly lockOwner = new Map<Uid, LockOwner>();
  /** lock files that are there */
  readonly lockFiles = new Set<Uid>();
  /** locks that the daemon holds, and those of which the store has a duplicate */
  readonly held = new Set<Uid>();
  readonly kept = new Set<Uid>();
  /** whether there is a store */
  keeps = true;
  readonly accounts = new Map<string, AccountAnswer>();
  readonly numbers = new Set<Uid>();
  /** UIDs that have processes of others, and those of which a process cannot be killed */
  readonly strangers = new Set<Uid>();
  readonly stubborn = new Set<Uid>();
  readonly files = { intents: map(), leases: map(), ending: map() };
  readonly byUid = new Map<Uid, UserName>();
  readonly byName = new Map<UserName, Uid>();
  /** what was done that must never be done */
  readonly violations: string[] = [];
  now = 0;
  /** where the daemon dies */
  death: { readonly step: Step; readonly after: boolean } | undefined;
  /** the step that has no room, once */
  full: Step | undefined;
  /** how many turns the next answers of the host take, in a circle */
  turns: readonly number[] = [0];
  #asked = 0;
  #daemon = 0;

  /** Which daemon runs: a number that each kill makes another. */
  get daemon(): number {
    return this.#daemon;
  }

  kill(): void {
    this.#daemon++;
    this.death = undefined;
    this.full = undefined;
    this.held.clear();
    for (const [uid, owner] of this.lockOwner) {
      if (owner === 'dynuserd' && !this.kept.has(uid)) {
        this.lockOwner.delete(uid);
      }
    }
  }

  /** Somebody else starts to use a UID, if it is not locked. */
  take(uid: Uid): void {
    if (!this.lockOwner.has(uid)) {
      this.lockOwner.set(uid, 'somebody else');
      this.lockFiles.add(uid);
      this.strangers.add(uid);
    }
  }

  /** It ends that, with its processes or without. */
  leave(uid: Uid, processesStay: boolean): void {
    if (this.lockOwner.get(uid) === 'somebody else') {
      this.lockOwner.delete(uid);
      this.lockFiles.delete(uid);
    }
    if (!processesStay && this.lockOwner.get(uid) !== 'somebody else') {
      this.strangers.delete(uid);
    }
  }

  /** Whether a UID could be given out, by what the host has. */
  isFree(uid: Uid): boolean {
    return !this.lockOwner.has(uid) && !this.strangers.has(uid) && !this.numbers.has(uid);
  }

  async answer(): Promise<void> {
    const turns = this.turns[this.#asked++ % this.turns.length] ?? 0;
    for (let turn = 0; turn < turns; turn++) {
      await undefined;
    }
  }

  /** A port as one daemon has it: killed, it can do nothing any more, neither good nor bad. */
  portOf<Port extends object>(port: Port): Port {
    const daemon = this.#daemon;
    return new Proxy(port, {
      get: (target, key) => {
        const value: unknown = Reflect.get(target, key);
        if (typeof value !== 'function') {
          return value;
        }
        return (...given: unknown[]) => this.#step(daemon, String(key), () => Reflect.apply(value, target, given));
      },
    });
  }

  #step(daemon: number, name: string, act: () => unknown): unknown {
    if (daemon !== this.#daemon) {
      throw new Killed();
    }
    if (this.full === name) {
      this.full = undefined;
      throw new DynuserError('LimitReached', `no room for ${name}`, { field: 'registry' });
    }
    if (this.death?.step !== name) {
      return act();
    }
    if (this.death.after) {
      act();
    }
    this.kill();
    throw new Killed();
  }
}

function map(): Map<string, DynamicUser> {
  return new Map();
}
