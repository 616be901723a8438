/** A store of a fleet in this process, for tests of transactions that meet each other: what comes between two of them is the test's to say. */
import type {
  At,
  Changes,
  Condition,
  Entry,
  Expiry,
  KeyStore,
  Listing,
  Outcome,
  Transaction,
} from '../../../src/fleetd/key-store.ts';

export class MemoryStore implements KeyStore {
  readonly kind = 'directory';
  readonly entries = new Map<string, Entry>();
  /** which transactions were asked for, done or not */
  readonly asked: Transaction[] = [];
  /** of each expiry that was asked for */
  readonly seconds: number[] = [];
  cluster = 'one';
  revision = 0;
  /** comes before each transaction */
  before: (transaction: Transaction) => unknown = () => {};
  hostIsOff?: (host: string) => Promise<void>;

  /** Puts and deletes at once, as another host does it; undefined deletes. */
  change(values: Readonly<Record<string, string | undefined>>): void {
    this.revision++;
    for (const [key, value] of Object.entries(values)) {
      if (value === undefined) {
        this.entries.delete(key);
      } else {
        this.entries.set(key, { key, value, revision: this.revision });
      }
    }
  }

  /** @returns what there is below a prefix */
  below(prefix: string): Record<string, string> {
    return Object.fromEntries(
      [...this.entries].filter(([key]) => key.startsWith(prefix)).map(([key, { value }]) => [key, value]),
    );
  }

  async transact(transaction: Transaction): Promise<Outcome> {
    await this.before(transaction);
    this.asked.push(transaction);
    const { when, puts = [], deletes = [], otherwise = [] } = transaction;
    const done = when.every(condition => this.#holds(condition));
    if (done) {
      this.change(
        Object.fromEntries([...puts.map(({ key, value }) => [key, value]), ...deletes.map(key => [key, undefined])]),
      );
    }
    const isOther = when.some(condition => 'cluster' in condition && condition.cluster !== this.cluster);
    const found = done || isOther ? [] : otherwise.flatMap(key => this.entries.get(key) ?? []);
    return { ...this.#at(), done, found: new Map(found.map(({ key, value }) => [key, value])) };
  }

  async read({ keys = [], below = [] }: { keys?: readonly string[]; below?: readonly string[] }): Promise<Listing> {
    const wanted = [...this.entries.values()].filter(
      ({ key }) => keys.includes(key) || below.some(prefix => key.startsWith(prefix)),
    );
    return { ...this.#at(), entries: wanted.sort((one, other) => (one.key < other.key ? -1 : 1)) };
  }

  async expiry(seconds: number): Promise<Expiry> {
    this.seconds.push(seconds);
    return { renew: async () => true };
  }

  // biome-ignore lint/correctness/useYield: nobody watches this store
  async *changes(): AsyncIterable<Changes> {
    throw new Error('nobody watches this store');
  }

  close(): void {}

  #at(): At {
    return { cluster: this.cluster, revision: this.revision };
  }

  #holds(condition: Condition): boolean {
    if ('cluster' in condition) {
      return condition.cluster === this.cluster;
    }
    if ('exists' in condition) {
      return this.entries.has(condition.exists);
    }
    if ('nothingBelow' in condition) {
      return Object.keys(this.below(condition.nothingBelow)).length === 0;
    }
    const entry = this.entries.get(condition.key);
    return 'putBy' in condition ? (entry?.revision ?? 0) <= condition.putBy : entry?.value === condition.is;
  }
}
