/** What the companion knows of the bindings: a watch keeps it up to date, and whoever asks for bindings hears of each change. */
import type { Change } from '../api/generated/io-dynuser-fleet.ts';
import type { KnownNames } from './fleet.ts';
import type { At, Changes, KeyStore } from './key-store.ts';
import { coolingOf, isCooling, lastPart, noticedHost, SUSPENSION_NOTICE, UIDS, uidOf } from './keys.ts';
import type { Member } from './seen-store.ts';

export interface BindingChange extends Change {
  /** of the transaction that has made it so */
  readonly revision: number;
}

export interface MirrorChanges extends At {
  /** what was known before is void: these are all */
  readonly reset: boolean;
  readonly changes: readonly BindingChange[];
}

/** Who is told of what the mirror hears. */
export interface MirrorListener {
  changed(changes: MirrorChanges): void;
  /** somebody has seen that the store went back to a backup */
  suspended?(): void;
  /** a host was given up; not told of each: who was away for long does not hear of it */
  fenced?(member: Member): void;
}

/** Changes that are kept for who comes back: more than happen while a daemon starts again. */
const KEPT_MAX = 4_096;

export class Mirror implements KnownNames {
  readonly #keys: KeyStore;
  readonly #uids = new Map<number, BindingChange>();
  readonly #names = new Map<string, number>();
  readonly #listeners = new Set<MirrorListener>();
  readonly #ends = new AbortController();
  /** the changes after a revision, oldest first */
  #kept: BindingChange[] = [];
  #keptAfter = Number.POSITIVE_INFINITY;
  #cluster: string | undefined;
  /** why nothing comes; undefined while changes do */
  trouble: string | undefined;

  constructor(keys: KeyStore) {
    this.#keys = keys;
  }

  /** @returns when stop() was called. @throws Error for a store that somebody else has written to */
  async run(): Promise<void> {
    const trouble = (reason: string) => {
      this.trouble = reason;
    };
    for await (const changes of this.#keys.changes(UIDS, this.#ends.signal, trouble)) {
      this.trouble = undefined;
      this.#take(changes);
    }
  }

  stop(): void {
    this.#ends.abort();
  }

  uidOf(name: string): number | undefined {
    return this.#names.get(name);
  }

  nameOf(uid: number): string | undefined {
    return this.#uids.get(uid)?.name;
  }

  /** @returns takes it back */
  listen(listener: MirrorListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** @returns what has changed since, as far as it is known; undefined if that cannot be said */
  since({ cluster, revision }: At): readonly BindingChange[] | undefined {
    return cluster === this.#cluster && revision >= this.#keptAfter
      ? this.#kept.filter(change => change.revision > revision)
      : undefined;
  }

  #take({ cluster, revision, reset, changes }: Changes): void {
    if (reset) {
      this.#uids.clear();
      this.#names.clear();
      this.#kept = [];
      this.#keptAfter = revision;
      this.#cluster = cluster;
    }
    const taken = changes.flatMap(change => bindingIn(change, this.#uids) ?? []);
    for (const change of taken) {
      this.#set(change);
    }
    if (!reset) {
      this.#kept.push(...taken);
      const dropped = this.#kept.splice(0, Math.max(0, this.#kept.length - KEPT_MAX));
      this.#keptAfter = dropped.at(-1)?.revision ?? this.#keptAfter;
    }
    this.#tell(listener => listener.changed({ cluster, revision, reset, changes: taken }));
    for (const { key, value } of changes) {
      const host = noticedHost(key);
      if (value !== undefined && key === SUSPENSION_NOTICE) {
        this.#tell(listener => listener.suspended?.());
      } else if (value !== undefined && host !== undefined) {
        this.#tell(listener => listener.fenced?.({ host, incarnation: value }));
      }
    }
  }

  #tell(what: (listener: MirrorListener) => void): void {
    for (const listener of this.#listeners) {
      what(listener);
    }
  }

  #set(change: BindingChange): void {
    const { name, uid, state } = change;
    const before = this.#uids.get(uid);
    if (before?.state === 'bound' && this.#names.get(before.name) === uid) {
      this.#names.delete(before.name);
    }
    if (state === 'free') {
      this.#uids.delete(uid);
      return;
    }
    this.#uids.set(uid, change);
    if (state === 'bound') {
      this.#names.set(name, uid);
    }
  }
}

/**
 * @param known what there was before: an entry that is gone does not say whose it was
 * @returns what an entry below UIDS says; undefined for what nobody of a fleet has written
 */
export function bindingIn(
  { key, value, revision }: Changes['changes'][number],
  known?: ReadonlyMap<number, BindingChange>,
): BindingChange | undefined {
  const uid = uidOf(lastPart(key));
  if (uid === undefined) {
    return undefined;
  }
  if (value === undefined) {
    const before = known?.get(uid);
    return before && { ...before, state: 'free', revision };
  }
  const cools = isCooling(value);
  return { name: cools ? value.slice(coolingOf('').length) : value, uid, state: cools ? 'cooling' : 'bound', revision };
}
