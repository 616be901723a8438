/** What NSS says of the name of a request: asked once, by itself or together with the first UID that is tried for it. */
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
   * @returns what speaks against a UID, undefined where nothing does; 'known' where the host has the name, whatever is to be
   * said of the UID then
   * @throws DynuserError ProbeFailed, LimitReached
   */
  async check(uid: Uid): Promise<Evidence | 'known' | undefined> {
    if (this.#account !== undefined) {
      return isKnown(await this.#account) ? 'known' : this.#probe.take(uid);
    }
    const claim = this.#probe.check(this.#name, uid);
    this.#account = claim.then(({ account }) => account);
    // It may be that nobody asks for it again.
    this.#account.catch(() => {});
    const { account, evidence } = await claim;
    return isKnown(account) ? 'known' : evidence;
  }
}

/** What a lock that cannot be had says of its UID. */
export function evidenceOfLock(outcome: Exclude<LockOutcome, { readonly kind: 'locked' }>): Evidence {
  return outcome.kind === 'taken' ? { kind: 'systemd-lock' } : { kind: 'lock-unusable', reason: outcome.reason };
}

/** @returns a probe that looks alone: it removes nothing, whatever it is asked */
export function readOnlyProbe(probe: Probe): Probe {
  return {
    account: name => probe.account(name),
    evidence: uid => probe.evidence(uid),
    take: uid => probe.evidence(uid),
    check: (name, uid) => probe.check(name, uid, 'look'),
  };
}
