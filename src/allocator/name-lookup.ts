/** The NSS lookup of a request's name: made once, alone or together with the first UID that is checked for it. */
import { type AccountAnswer, isKnown } from '../core/account.ts';
import type { Evidence } from '../core/evidence.ts';
import type { Uid, UserName } from '../core/ids.ts';
import type { LockOutcome, Probe } from './ports.ts';

export class NameLookup {
  readonly #probe: Probe;
  readonly #name: UserName;
  #account: Promise<AccountAnswer> | undefined;

  constructor(probe: Probe, name: UserName) {
    this.#probe = probe;
    this.#name = name;
  }

  /** @throws DynuserError ProbeFailed, LimitReached; the same each time */
  account(): Promise<AccountAnswer> {
    this.#account ??= this.#probe.account(this.#name);
    return this.#account;
  }

  /**
   * A user of the host needs no UID, and a name that cannot be had neither: what NSS says comes before what a search failed with.
   * @returns if the host has the name
   * @throws the error if it has not; DynuserError ProbeFailed, LimitReached
   */
  async comesBefore(error: unknown): Promise<undefined> {
    if (!isKnown(await this.account())) {
      throw error;
    }
  }

  /**
   * @returns the evidence against a UID, or undefined; 'known' if the host has the name, whatever the evidence is
   * @throws DynuserError ProbeFailed, LimitReached
   */
  async check(uid: Uid): Promise<Evidence | 'known' | undefined> {
    if (this.#account !== undefined) {
      return isKnown(await this.#account) ? 'known' : this.#probe.take(uid);
    }
    const claim = this.#probe.check(this.#name, uid);
    this.#account = claim.then(({ account }) => account);
    // Nobody may ask for it again: its failure is then told by the check.
    this.#account.catch(() => {});
    const { account, evidence } = await claim;
    return isKnown(account) ? 'known' : evidence;
  }
}

/** The evidence that a lock is if it cannot be taken. */
export function evidenceOfLock(outcome: Exclude<LockOutcome, { readonly kind: 'locked' }>): Evidence {
  return outcome.kind === 'taken' ? { kind: 'systemd-lock' } : { kind: 'lock-unusable', reason: outcome.reason };
}

/** @returns a probe that never removes anything */
export function readOnlyProbe(probe: Probe): Probe {
  return {
    account: name => probe.account(name),
    evidence: uid => probe.evidence(uid),
    take: uid => probe.evidence(uid),
    check: (name, uid) => probe.check(name, uid, 'look'),
  };
}
