/**
 * The store as this companion has seen it: whoever reads or writes here notices if it went back to a backup, and then nobody binds names
 * until somebody resumes (restoring.ts). It also has what a transaction of a member needs.
 */
import { FleetError } from './errors.ts';
import type { At, Condition, KeyStore, Listing, Outcome, Transaction } from './key-store.ts';
import { CONFIRMED, incarnationKey, SUSPENDED, SUSPENSION_NOTICE } from './keys.ts';

/** Transactions for one name: each that is refused has told what changed meanwhile. */
export const TRIES_MAX = 512;

/** A host, and the text by which its transactions are told from those of whoever had its id before. */
export interface Member {
  readonly host: string;
  readonly incarnation: string;
}

/** What was read, by key. */
export type Values = ReadonlyMap<string, string>;

export class SeenStore {
  readonly #keys: KeyStore;
  /** the highest revision of a cluster that an answer had */
  #last: At | undefined;

  constructor(keys: KeyStore) {
    this.#keys = keys;
  }

  /** @returns which one it is, as far as is known. @throws StoreUnavailable */
  async cluster(): Promise<string> {
    return this.#last?.cluster ?? (await this.read({ keys: [CONFIRMED] })).cluster;
  }

  async read(wanted: Parameters<KeyStore['read']>[0]): Promise<Listing & { readonly values: Values }> {
    const before = this.#last;
    const listing = await this.#keys.read(wanted);
    await this.#notice(before, listing);
    return { ...listing, values: new Map(listing.entries.map(({ key, value }) => [key, value])) };
  }

  /**
   * A transaction of a host itself, as long as it is a member.
   * @param cluster which store it is for; undefined: the one that answers
   * @throws FleetError NotMember; Restoring for another store, and if the transaction has read that bindings may be missing; StoreUnavailable
   */
  async transactAs(member: Member, cluster: string | undefined, transaction: Transaction): Promise<Outcome> {
    const outcome = await this.transact({
      ...transaction,
      when: [...(cluster === undefined ? [] : [{ cluster }]), own(member), ...transaction.when],
      otherwise: [incarnationKey(member.host), ...(transaction.otherwise ?? [])],
    });
    checkFound(outcome, member, cluster);
    return outcome;
  }

  async transact(transaction: Transaction): Promise<Outcome> {
    const before = this.#last;
    const outcome = await this.#keys.transact(transaction);
    await this.#notice(before, outcome);
    return outcome;
  }

  /** @param before what was known when the answer was asked for: answers may overtake each other */
  async #notice(before: At | undefined, { cluster, revision }: At): Promise<void> {
    const last = this.#last;
    if (last === undefined || last.cluster !== cluster || last.revision < revision) {
      this.#last = { cluster, revision };
    }
    if (before !== undefined) {
      await this.suspendIfBehind({ cluster, revision }, before);
    }
  }

  /** @returns whether the store went back behind what was seen of it; then nobody binds names until somebody resumes */
  async suspendIfBehind(at: At, seen: At | undefined): Promise<boolean> {
    if (seen === undefined || (seen.cluster === at.cluster && seen.revision <= at.revision)) {
      return false;
    }
    if (seen.cluster === at.cluster) {
      this.#last = at;
      await this.#keys.transact({
        when: [{ key: SUSPENDED, is: undefined }],
        puts: [SUSPENDED, SUSPENSION_NOTICE].map(key => ({ key, value: `${at.revision}.${seen.revision}` })),
      });
    }
    return true;
  }
}

/** What has to hold for a name to be bound or held: nobody has gone back to a backup since all bindings were there. */
export function whole(cluster: string): Condition[] {
  return [
    { key: CONFIRMED, is: cluster },
    { key: SUSPENDED, is: undefined },
  ];
}

export function own({ host, incarnation }: Member): Condition {
  return { key: incarnationKey(host), is: incarnation };
}

/** @param expected the store that was asked for. @throws FleetError if what was found says why nothing was done */
export function checkFound({ done, found, cluster }: Outcome, { host, incarnation }: Member, expected = cluster): void {
  if (done) {
    return;
  }
  if (cluster !== expected) {
    throw new FleetError('Restoring', {});
  }
  const current = found.get(incarnationKey(host));
  if (current !== incarnation) {
    throw new FleetError('NotMember', current === undefined ? {} : { incarnation: current });
  }
  const confirmed = found.get(CONFIRMED);
  if (found.has(SUSPENDED) || (confirmed !== undefined && confirmed !== cluster)) {
    throw new FleetError('Restoring', {});
  }
}

export function isIncomplete(values: Values, cluster: string): boolean {
  return values.get(CONFIRMED) !== cluster || values.has(SUSPENDED);
}

/** @returns what tells what was put again since the store last went back from what was put before */
export function tokenOf(values: Values, cluster: string): string {
  return `${cluster} ${values.get(SUSPENDED) ?? ''}`;
}
