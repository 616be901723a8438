/** Keys in etcd, below a prefix. Every read is answered by the majority of the members; the ids of leases are those of etcd. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type EtcdClient, EtcdRefused, EtcdReplaced, EtcdUnavailable } from '../etcd/client.ts';
import { CompareResult, CompareTarget, EventType, type HeaderMessage } from '../etcd/messages.ts';
import {
  type At,
  type Changes,
  type Condition,
  type Entry,
  type Expiry,
  type KeyStore,
  type Listing,
  type Outcome,
  StoreUnavailable,
  type Transaction,
} from './key-store.ts';

/** Keys in one answer. */
const PAGE = 5_000;
/** etcd takes 128 operations in a transaction (--max-txn-ops). */
const RANGES_PER_TRANSACTION = 100;
/** After a watch has ended: at random up to a bound, which doubles up to another, in milliseconds. */
const BACK_OFF_MS = 50;
const BACK_OFF_MAX_MS = 5_000;

const encode = (text: string): Uint8Array => Buffer.from(text);
const decode = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

class EtcdExpiry implements Expiry {
  readonly lease: bigint;
  readonly #client: EtcdClient;

  constructor(lease: bigint, client: EtcdClient) {
    this.lease = lease;
    this.#client = client;
  }

  async renew(): Promise<boolean> {
    return (await asStore(this.#client.leaseKeepAlive(this.lease))) > 0;
  }
}

export class EtcdKeys implements KeyStore {
  readonly kind = 'etcd';
  readonly #client: EtcdClient;
  readonly #prefix: string;

  /** @param prefix ends in "/" */
  constructor(client: EtcdClient, prefix: string) {
    this.#client = client;
    this.#prefix = prefix;
  }

  async transact({ when, puts = [], deletes = [], otherwise = [] }: Transaction): Promise<Outcome> {
    const cluster = when.flatMap(condition => ('cluster' in condition ? [BigInt(`0x${condition.cluster}`)] : []))[0];
    const request = {
      compare: when.flatMap(condition => ('cluster' in condition ? [] : [this.#compare(condition)])),
      success: [
        ...puts.map(({ key, value, expiry }) => ({
          put: {
            ...{ key: this.#bytes(key), value: encode(value) },
            ...(expiry instanceof EtcdExpiry ? { lease: expiry.lease } : {}),
          },
        })),
        ...deletes.map(key => ({ deleteRange: { key: this.#bytes(key) } })),
      ],
      failure: otherwise.map(key => ({ range: { key: this.#bytes(key) } })),
    };
    const answer = await asStore(this.#client.txn(request, cluster)).catch((error: unknown) => {
      if (error instanceof EtcdReplaced) {
        return { succeeded: false, responses: [], header: error };
      }
      throw error;
    });
    const found = new Map<string, string>();
    if (!answer.succeeded) {
      for (const { key, value } of answer.responses.flatMap(({ range }) => range?.kvs ?? [])) {
        found.set(this.#name(key), decode(value));
      }
    }
    return { done: answer.succeeded, found, ...at(answer.header) };
  }

  async read({ keys = [], below = [] }: { keys?: readonly string[]; below?: readonly string[] }): Promise<Listing> {
    const prefixes = below.map(prefix => rangeBelow(this.#prefix + prefix));
    const ranges = [...keys.map(key => ({ key: this.#bytes(key) })), ...prefixes];
    const { place, responses } = await this.#readRanges(ranges);
    const entries: Entry[] = [];
    for (const [index, { range }] of responses.entries()) {
      let page = range;
      for (;;) {
        const kvs = page?.kvs ?? [];
        const read = kvs.map(({ key, value, modRevision }) => ({
          ...{ key: this.#name(key), value: decode(value), revision: Number(modRevision) },
        }));
        entries.push(...read);
        const last = kvs.at(-1);
        const rangeEnd = prefixes[index - keys.length]?.rangeEnd;
        if (page?.more !== true || last === undefined || rangeEnd === undefined) {
          break;
        }
        // The rest is read at the same revision, which stays until somebody compacts it.
        const key = Buffer.concat([last.key, Buffer.of(0)]);
        page = await asStore(
          this.#client.range({ key, rangeEnd, limit: BigInt(PAGE), revision: BigInt(place.revision) }),
        );
      }
    }
    return { ...place, entries };
  }

  /** @returns the first page of each range, all as they are in one moment, which is that of the first of them */
  async #readRanges(ranges: readonly { readonly key: Uint8Array; readonly rangeEnd?: Uint8Array }[]) {
    let place: At | undefined;
    const responses: Awaited<ReturnType<EtcdClient['txn']>>['responses'] = [];
    for (let from = 0; place === undefined || from < ranges.length; from += RANGES_PER_TRANSACTION) {
      const revision = place === undefined ? {} : { revision: BigInt(place.revision) };
      const success = ranges
        .slice(from, from + RANGES_PER_TRANSACTION)
        .map(range => ({ range: { ...range, limit: BigInt(PAGE), ...revision } }));
      const answer = await asStore(this.#client.txn({ success }));
      place ??= at(answer.header);
      responses.push(...answer.responses);
    }
    return { place, responses };
  }

  async expiry(seconds: number): Promise<Expiry> {
    const { id } = await asStore(this.#client.leaseGrant(seconds));
    return new EtcdExpiry(id, this.#client);
  }

  async *changes(prefix: string, signal: AbortSignal, onTrouble: (reason: string) => void): AsyncIterable<Changes> {
    const { key, rangeEnd } = rangeBelow(this.#prefix + prefix);
    let wait = BACK_OFF_MS;
    while (!signal.aborted) {
      try {
        // Everything each time, and not what has happened since the last watch: a store that was put back from a backup may have come further
        // meanwhile than what was seen of it, and the watch would leave out what happened until then.
        const { entries, ...listed } = await this.read({ below: [prefix] });
        yield { ...listed, reset: true, changes: entries };
        let seen: At = listed;
        for await (const message of this.#client.watch(
          { key, rangeEnd, startRevision: BigInt(listed.revision + 1) },
          signal,
        )) {
          const place = at(message.header);
          // It was put back between the list and the watch, or its history is not kept so long.
          if (place.cluster !== seen.cluster || place.revision < seen.revision || message.compactRevision > 0n) {
            break;
          }
          if (message.canceled) {
            throw new EtcdUnavailable(message.cancelReason);
          }
          wait = BACK_OFF_MS;
          if (message.events.length > 0) {
            seen = place;
            yield {
              ...place,
              reset: false,
              changes: message.events.flatMap(({ type, kv }) =>
                kv === undefined
                  ? []
                  : [
                      {
                        key: this.#name(kv.key),
                        value: type === EventType.DELETE ? undefined : decode(kv.value),
                        revision: Number(kv.modRevision),
                      },
                    ],
              ),
            };
          }
        }
      } catch (error) {
        if (!(error instanceof EtcdUnavailable || error instanceof EtcdRefused || error instanceof StoreUnavailable)) {
          throw error;
        }
        onTrouble(error.message);
      }
      await sleep(Math.random() * wait, undefined, { signal }).catch(() => undefined);
      wait = Math.min(2 * wait, BACK_OFF_MAX_MS);
    }
  }

  close(): void {
    this.#client.close();
  }

  #compare(condition: Exclude<Condition, { cluster: string }>) {
    if ('nothingBelow' in condition) {
      return {
        ...{ result: CompareResult.EQUAL, target: CompareTarget.CREATE },
        ...rangeBelow(this.#prefix + condition.nothingBelow),
      };
    }
    if ('exists' in condition) {
      const key = this.#bytes(condition.exists);
      return { result: CompareResult.NOT_EQUAL, target: CompareTarget.CREATE, key };
    }
    const key = this.#bytes(condition.key);
    if ('putBy' in condition) {
      const modRevision = BigInt(condition.putBy + 1);
      return { result: CompareResult.LESS, target: CompareTarget.MOD, key, modRevision };
    }
    return condition.is === undefined
      ? { result: CompareResult.EQUAL, target: CompareTarget.CREATE, key }
      : { result: CompareResult.EQUAL, target: CompareTarget.VALUE, key, value: encode(condition.is) };
  }

  #bytes(key: string): Uint8Array {
    return encode(this.#prefix + key);
  }

  #name(key: Uint8Array): string {
    return decode(key).slice(this.#prefix.length);
  }
}

/** @param prefix ends in "/": the range ends at the next character */
function rangeBelow(prefix: string): { readonly key: Uint8Array; readonly rangeEnd: Uint8Array } {
  return { key: encode(prefix), rangeEnd: encode(`${prefix.slice(0, -1)}0`) };
}

function at(header: Pick<HeaderMessage, 'clusterId' | 'revision'> | undefined): At {
  if (header === undefined) {
    throw new StoreUnavailable('etcd has answered without a header; is it etcd that listens there?');
  }
  return { cluster: header.clusterId.toString(16), revision: Number(header.revision) };
}

/** @throws StoreUnavailable for what the client throws */
async function asStore<Result>(answer: Promise<Result>): Promise<Result> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof EtcdUnavailable) {
      throw new StoreUnavailable(
        `etcd does not answer (${error.message}); check it, the network and the certificates`,
        error,
      );
    }
    if (error instanceof EtcdRefused) {
      throw new StoreUnavailable(`etcd refuses (${error.message}); check the rights of the certificate's user`, error);
    }
    throw error;
  }
}
