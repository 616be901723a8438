import type { AccountsLock, LockOutcome, PeekOutcome, UidLocks } from '../../../src/allocator/ports.ts';
import type { Uid } from '../../../src/core/ids.ts';

/** Locks as the kernel has them: others' locks outlive a daemon, ours are gone when it is killed, files stay. */
export class FakeLocks implements UidLocks {
  readonly files = new Set<Uid>();
  readonly foreign = new Set<Uid>();
  readonly strange = new Map<Uid, string>();
  /** whether locks outlive a daemon */
  keeps = false;
  readonly held = new Set<Uid>();
  /** what outlives a crash beside its lock: UIDs that keep() was called for */
  readonly kept = new Set<Uid>();

  relock(number: Uid): LockOutcome {
    if (!this.files.has(number)) {
      return { kind: 'unusable', reason: 'its lock file is gone' };
    }
    if (this.kept.has(number)) {
      this.held.add(number);
      return { kind: 'locked' };
    }
    return this.lock(number);
  }

  lock(number: Uid): LockOutcome {
    const peeked = this.peek(number);
    if (peeked.kind !== 'free') {
      return peeked;
    }
    this.files.add(number);
    this.held.add(number);
    return { kind: 'locked' };
  }

  keep(number: Uid): void {
    if (this.keeps) {
      this.kept.add(number);
    }
  }

  /** foreign beside held: somebody has removed the file of ours, and locked another */
  confirm(number: Uid): LockOutcome {
    if (this.held.has(number) && !this.foreign.has(number)) {
      return { kind: 'locked' };
    }
    this.held.delete(number);
    return { kind: 'taken' };
  }

  peek(number: Uid): PeekOutcome {
    const reason = this.strange.get(number);
    if (reason !== undefined) {
      return { kind: 'unusable', reason };
    }
    return this.foreign.has(number) || this.held.has(number) ? { kind: 'taken' } : { kind: 'free' };
  }

  release(number: Uid): void {
    this.kept.delete(number);
    if (this.held.delete(number)) {
      this.files.delete(number);
    }
  }

  sweep(number: Uid): void {
    if (this.peek(number).kind === 'free') {
      this.files.delete(number);
    }
  }

  dropInherited(): void {
    for (const number of this.kept) {
      if (!this.held.has(number)) {
        this.kept.delete(number);
        this.files.delete(number);
      }
    }
  }

  /** What a SIGKILL does: the locks are gone, the files stay. */
  crash(): void {
    this.held.clear();
  }
}

/** Counts who holds it. */
export class FakeAccountsLock implements AccountsLock {
  holders = 0;
  /** awaited before it is taken */
  gate: () => Promise<void> = async () => undefined;

  async take(): Promise<() => void> {
    await this.gate();
    this.holders++;
    let isHeld = true;
    return () => {
      this.holders -= isHeld ? 1 : 0;
      isHeld = false;
    };
  }
}
