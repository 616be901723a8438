/**
 * What the companion needs of a store: keys with texts, and transactions that happen whole or not at all. There are two, etcd and a
 * directory on shared storage; one test file tries both. Keys are paths with "/" between their parts, and a prefix is one that ends in "/".
 */

/** Where an answer is from: a store that was put back from a backup shows by another cluster, or by a lower revision. */
export interface At {
  /** which store it is; another text after it was made anew */
  readonly cluster: string;
  /** how many transactions have changed it */
  readonly revision: number;
}

export interface Entry {
  readonly key: string;
  readonly value: string;
  /** of the last transaction that put it */
  readonly revision: number;
}

/** A time after which keys that were put with it go by themselves, unless it is renewed. No decision about a UID rests on it. */
export interface Expiry {
  /** @returns false if the time has run out: the keys are gone. @throws StoreUnavailable */
  renew(): Promise<boolean>;
}

export type Condition =
  | { readonly key: string; readonly is: string | undefined }
  | { readonly exists: string }
  /** nobody has put it after a revision; it may be gone */
  | { readonly key: string; readonly putBy: number }
  /** the store is that one: else nothing is asked of it, and nothing is found */
  | { readonly cluster: string }
  /** no key begins with the prefix */
  | { readonly nothingBelow: string };

export interface Put {
  readonly key: string;
  readonly value: string;
  readonly expiry?: Expiry;
}

/** The puts and deletes of one transaction have different keys. */
export interface Transaction {
  readonly when: readonly Condition[];
  readonly puts?: readonly Put[];
  readonly deletes?: readonly string[];
  /** keys that are read in the same moment if a condition does not hold */
  readonly otherwise?: readonly string[];
}

export interface Outcome extends At {
  readonly done: boolean;
  /** what was read: a value for each key of `otherwise` that exists */
  readonly found: ReadonlyMap<string, string>;
}

export interface Listing extends At {
  readonly entries: readonly Entry[];
}

/** What has happened to the keys below a prefix; all of one transaction are in one of these. */
export interface Changes extends At {
  /** everything that is known is to be forgotten first */
  readonly reset: boolean;
  readonly changes: readonly { readonly key: string; readonly value: string | undefined; readonly revision: number }[];
}

export interface KeyStore {
  readonly kind: 'etcd' | 'directory';
  /**
   * Does what is asked if all conditions hold. To ask again after StoreUnavailable has to be harmless: what was asked may have happened.
   * @throws StoreUnavailable
   */
  transact(transaction: Transaction): Promise<Outcome>;
  /** @returns what there is of several keys and below several prefixes, all in one moment. @throws StoreUnavailable */
  read(wanted: { readonly keys?: readonly string[]; readonly below?: readonly string[] }): Promise<Listing>;
  /** @throws StoreUnavailable */
  expiry(seconds: number): Promise<Expiry>;
  /**
   * First everything below the prefix, as a reset, then what happens to it. A store that is away is waited for: only the signal ends it.
   * @param onTrouble told why nothing comes, when that begins
   */
  changes(prefix: string, signal: AbortSignal, onTrouble: (reason: string) => void): AsyncIterable<Changes>;
  /** A host will not go on with what it was at: an operator says that it is powered off. @throws StoreUnavailable */
  hostIsOff?(host: string): Promise<void>;
  close(): void;
}

/** The store gave no answer: what was asked may have happened or not. */
export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable';

  /** @param reason what is wrong and what to do */
  constructor(reason: string, cause?: unknown) {
    super(reason, cause === undefined ? undefined : { cause });
  }
}

/** @param reason what is wrong and what to do, if it takes longer. @throws StoreUnavailable then: it may still be done; and what it throws */
export async function within<Result>(ms: number, reason: string, work: Promise<Result>): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new StoreUnavailable(reason)), ms);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
