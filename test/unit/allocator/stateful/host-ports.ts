/** The ports of a daemon on a host in memory. */

import type {
  LockOutcome,
  NameAndUidCheck,
  PeekOutcome,
  Probe,
  Probes,
  Registry,
  RegistryContents,
  RegistryRecovery,
  UidLocks,
} from '../../../../src/allocator/ports.ts';
import type { AccountAnswer } from '../../../../src/core/account.ts';
import type { Evidence } from '../../../../src/core/evidence.ts';
import type { Uid, UserName } from '../../../../src/core/ids.ts';
import type { DynamicUser } from '../../../../src/core/lease.ts';
import type { Host } from './host.ts';

export class HostLocks implements UidLocks {
  readonly #host: Host;

  constructor(host: Host) {
    this.#host = host;
  }

  lock(uid: Uid): LockOutcome {
    const { held, lockOwner } = this.#host;
    return held.has(uid) || lockOwner.has(uid) ? { kind: 'taken' } : this.#take(uid);
  }

  relock(uid: Uid): LockOutcome {
    const { held, kept, lockOwner, lockFiles } = this.#host;
    const isKept = kept.has(uid) && lockOwner.get(uid) === 'dynuserd';
    if (held.has(uid) || (lockOwner.has(uid) && !isKept)) {
      return { kind: 'taken' };
    }
    return lockFiles.has(uid) ? this.#take(uid) : { kind: 'unusable', reason: 'its lock file is gone' };
  }

  #take(uid: Uid): LockOutcome {
    const { held, lockOwner, lockFiles } = this.#host;
    lockOwner.set(uid, 'dynuserd');
    lockFiles.add(uid);
    held.add(uid);
    return { kind: 'locked' };
  }

  keep(uid: Uid): void {
    if (this.#host.keeps && this.#host.held.has(uid)) {
      this.#host.kept.add(uid);
    }
  }

  confirm(uid: Uid): LockOutcome {
    return this.#host.held.has(uid) ? { kind: 'locked' } : { kind: 'taken' };
  }

  peek(uid: Uid): PeekOutcome {
    return this.#host.lockOwner.has(uid) ? { kind: 'taken' } : { kind: 'free' };
  }

  release(uid: Uid): void {
    if (this.#host.held.delete(uid)) {
      this.#unlock(uid);
    }
  }

  sweep(uid: Uid): void {
    const { held, kept, lockOwner, lockFiles } = this.#host;
    if (held.has(uid)) {
      return;
    }
    if (kept.has(uid)) {
      this.#unlock(uid);
    } else if (!lockOwner.has(uid)) {
      lockFiles.delete(uid);
    }
  }

  dropInherited(): void {
    for (const uid of [...this.#host.kept]) {
      this.sweep(uid);
    }
  }

  #unlock(uid: Uid): void {
    this.#host.kept.delete(uid);
    this.#host.lockOwner.delete(uid);
    this.#host.lockFiles.delete(uid);
  }
}

/** By UID, as the files are; static users by name. */
export class HostRegistry implements Registry, RegistryRecovery {
  readonly #host: Host;

  constructor(host: Host) {
    this.#host = host;
  }

  intend(user: DynamicUser): void {
    this.#host.files.intents.set(keyOf(user), user);
  }

  publish({ uid, name, dynamic }: DynamicUser): void {
    if (dynamic) {
      this.#host.byUid.set(uid, name);
      this.#host.byName.set(name, uid);
    }
  }

  commit(user: DynamicUser): void {
    this.#move('intents', 'leases', user);
  }

  tellMembers(): void {}

  tellGroups(): void {}

  forget(user: DynamicUser): void {
    this.#host.files.intents.delete(keyOf(user));
  }

  revoke(user: DynamicUser): void {
    this.#move('leases', 'ending', user);
  }

  unpublish({ uid, name, dynamic }: DynamicUser): void {
    if (dynamic) {
      this.#host.byName.delete(name);
      this.#host.byUid.delete(uid);
    }
  }

  erase(user: DynamicUser): void {
    this.#host.files.ending.delete(keyOf(user));
  }

  load(): RegistryContents {
    const { intents, leases, ending } = this.#host.files;
    const intended = [...intents.values()].filter(({ dynamic }) => dynamic).map(({ uid }) => uid);
    return { users: [...leases.values()], ending: [...ending.values()], intended };
  }

  compareLinks(users: readonly DynamicUser[]): void {
    for (const user of users) {
      this.publish(user);
    }
  }

  reconcile(users: readonly DynamicUser[]): void {
    this.#host.byUid.clear();
    this.#host.byName.clear();
    for (const user of users.filter(({ lost }) => lost === undefined)) {
      this.publish(user);
    }
    this.#host.files.intents.clear();
  }

  /** rename(2). */
  #move(from: keyof Host['files'], to: keyof Host['files'], user: DynamicUser): void {
    const key = keyOf(user);
    const file = this.#host.files[from].get(key);
    if (file === undefined) {
      this.#host.violations.push(`there is no ${from} of ${key} to be renamed`);
      return;
    }
    this.#host.files[from].delete(key);
    this.#host.files[to].set(key, file);
  }
}

function keyOf({ uid, name, dynamic }: DynamicUser): string {
  return dynamic ? String(uid) : name;
}

export class HostProbe implements Probe, Probes {
  readonly #host: Host;

  constructor(host: Host) {
    this.#host = host;
  }

  for(): Probe {
    return this;
  }

  async account(name: UserName): Promise<AccountAnswer> {
    await this.#host.answer();
    return this.#host.accounts.get(name) ?? {};
  }

  async evidence(uid: Uid): Promise<Evidence | undefined> {
    await this.#host.answer();
    if (this.#host.numbers.has(uid)) {
      return { kind: 'user', name: 'static' };
    }
    return this.#host.strangers.has(uid) ? { kind: 'process', pid: 7, command: 'other', as: 'user' } : undefined;
  }

  take(uid: Uid): Promise<Evidence | undefined> {
    return this.evidence(uid);
  }

  async check(name: UserName, uid: Uid): Promise<NameAndUidCheck> {
    const account = await this.account(name);
    return { account, evidence: await this.evidence(uid) };
  }
}
