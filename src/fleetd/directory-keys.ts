/**
 * Keys in a directory of the shared storage itself, for a handful of hosts without etcd: who reaches the storage reaches them. Every
 * transaction has the lock. What it will do is in the journal before it does any of it, so that whoever has the lock next finishes what a
 * crash interrupted.
 *
 *     id          which store this is
 *     revision    how many transactions there were
 *     lock/       which process is working on it
 *     journal     what is being done
 *     keys/…      a file for each key: the revision, the seconds that it lasts or "-", and the value
 */
import { createHash, randomBytes } from 'node:crypto';
import { link, mkdir, open, readdir, readFile, rename, unlink } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { reasonOf } from '../core/errors.ts';
import { systemErrorCode } from '../host/host-error.ts';
import { DirectoryLock, type DirectoryLockOptions } from './directory-lock.ts';
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
  within,
} from './key-store.ts';
import { askAnew, DIRECTORY_MODE, FILE_MODE, ignoring, isHidden } from './shared-files.ts';

/** How long a call waits for the storage, in milliseconds: longer than for the lock. */
const DEADLINE_MS = 3_500;
const POLL_MS = 1_000;
const READ_TRIES = 20;
/** Between two tries to read while nobody writes. */
const READ_POLL_MS = 5;
/** The longest key part, and the longest value: what a file system takes for a name, and what is read at once. */
const PART_MAX = 200;
const FILE_BYTES_MAX = 64 * 1024;
const VALUE_BYTES_MAX = 32 * 1024;

export interface DirectoryOptions extends DirectoryLockOptions {
  /** the directory; it is made, and what is above it has to be there */
  readonly path: string;
  readonly pollMs?: number;
}

/** What a transaction does, as the journal has it. */
interface Plan {
  readonly revision: number;
  readonly puts: readonly { readonly key: string; readonly value: string; readonly seconds?: number }[];
  readonly deletes: readonly string[];
}

interface KeyFile {
  readonly revision: number;
  readonly seconds?: number | undefined;
  readonly value: string;
}

export class DirectoryKeys implements KeyStore {
  readonly kind = 'directory';
  readonly #path: string;
  readonly #host: string;
  readonly #pollMs: number;
  readonly #lock: DirectoryLock;
  /** transactions of this process come one after the other */
  #queue: Promise<unknown> = Promise.resolve();
  #cluster: string | undefined;
  #isClosed = false;

  constructor({ path, pollMs = POLL_MS, ...lock }: DirectoryOptions) {
    this.#path = path;
    this.#host = lock.host;
    this.#pollMs = pollMs;
    this.#lock = new DirectoryLock(path, lock);
  }

  async transact(transaction: Transaction): Promise<Outcome> {
    // What is in the journal is done by whoever comes next: nothing may be in it that cannot be done.
    for (const { key, value } of transaction.puts ?? []) {
      keyPath(key);
      if (Buffer.byteLength(value) > VALUE_BYTES_MAX) {
        throw new Error(`${key}: its value has more than ${VALUE_BYTES_MAX} bytes`);
      }
    }
    transaction.deletes?.forEach(keyPath);
    return this.#bounded(() => this.#locked((cluster, now) => this.#transactLocked(transaction, cluster, now)));
  }

  read({ keys = [], below = [] }: { keys?: readonly string[]; below?: readonly string[] }): Promise<Listing> {
    return this.#bounded(async () => {
      const cluster = await this.#open();
      const readAll = async (): Promise<Entry[]> => {
        const now = await this.#now();
        const names = [...keys, ...(await Promise.all(below.map(prefix => this.#namesBelow(prefix)))).flat()];
        const files = await Promise.all(names.map(key => this.#readKey(key, now)));
        return names.flatMap((key, index) => {
          const file = files[index];
          return file === undefined ? [] : [{ key, value: file.value, revision: file.revision }];
        });
      };
      for (let tries = 0; tries < READ_TRIES; tries++) {
        const before = await this.#revision();
        const entries = (await this.#isAtWork()) ? undefined : await readAll();
        if (entries !== undefined && !(await this.#isAtWork()) && (await this.#revision()) === before) {
          return { cluster, revision: before, entries };
        }
        await sleep(READ_POLL_MS);
      }
      return this.#locked(async () => ({ cluster, revision: await this.#revision(), entries: await readAll() }));
    });
  }

  async expiry(seconds: number): Promise<Expiry> {
    return new FileExpiry(seconds, key => this.#renew(key));
  }

  async *changes(prefix: string, signal: AbortSignal, onTrouble: (reason: string) => void): AsyncIterable<Changes> {
    let known: Map<string, Entry> | undefined;
    let at: At | undefined;
    let seen: string | undefined;
    while (!signal.aborted && !this.#isClosed) {
      try {
        const last = await this.#bounded(() => this.#lastTransaction());
        if (known === undefined || last !== seen || (await this.#open()) !== at?.cluster) {
          const listing = await this.read({ below: [prefix] });
          const { cluster, revision } = listing;
          const isReset = known === undefined || cluster !== at?.cluster || revision < at.revision;
          const now = new Map(listing.entries.map(entry => [entry.key, entry]));
          const put = listing.entries.filter(({ key, value, revision }) => {
            const before = known?.get(key);
            return isReset || before?.revision !== revision || before.value !== value;
          });
          const gone = isReset ? [] : [...(known?.keys() ?? [])].filter(key => !now.has(key));
          at = { cluster, revision };
          known = now;
          seen = last;
          yield {
            ...at,
            reset: isReset,
            changes: [...put, ...gone.map(key => ({ key, value: undefined, revision }))],
          };
        }
      } catch (error) {
        if (!(error instanceof StoreUnavailable)) {
          throw error;
        }
        onTrouble(error.message);
      }
      await sleep(this.#pollMs, undefined, { signal }).catch(() => undefined);
    }
  }

  /** A host will not come back to its lock: an operator says that it is powered off. */
  hostIsOff(host: string): Promise<void> {
    return this.#bounded(() => this.#lock.hostIsOff(host));
  }

  close(): void {
    this.#isClosed = true;
  }

  async #transactLocked(
    { when, puts = [], deletes = [], otherwise = [] }: Transaction,
    cluster: string,
    now: number,
  ): Promise<Outcome> {
    const revision = await this.#revision();
    await this.#refresh([...when.flatMap(keysAskedFor), ...otherwise]);
    for (const condition of when) {
      if (!(await this.#holds(condition, now, cluster))) {
        const found = new Map<string, string>();
        for (const key of otherwise) {
          const file = await this.#readKey(key, now);
          if (file !== undefined) {
            found.set(key, file.value);
          }
        }
        return { done: false, found, cluster, revision };
      }
    }
    const plan: Plan = {
      revision: revision + 1,
      puts: puts.map(({ key, value, expiry }) => ({
        ...{ key, value },
        ...(expiry instanceof FileExpiry ? { seconds: expiry.seconds } : {}),
      })),
      deletes,
    };
    await this.#write('journal', JSON.stringify(plan));
    await this.#apply(plan);
    for (const { key, expiry } of puts) {
      if (expiry instanceof FileExpiry) {
        expiry.keys.add(key);
      }
    }
    return { done: true, found: new Map(), cluster, revision: plan.revision };
  }

  async #holds(condition: Condition, nowMs: number, cluster: string): Promise<boolean> {
    if ('cluster' in condition) {
      return condition.cluster === cluster;
    }
    if ('key' in condition) {
      const file = await this.#readKey(condition.key, nowMs);
      return 'putBy' in condition ? (file?.revision ?? 0) <= condition.putBy : file?.value === condition.is;
    }
    if ('exists' in condition) {
      return (await this.#readKey(condition.exists, nowMs)) !== undefined;
    }
    return (await this.#namesBelow(condition.nothingBelow)).length === 0;
  }

  /** Can be done again from its start. */
  async #apply({ revision, puts, deletes }: Plan): Promise<void> {
    for (const { key, value, seconds } of puts) {
      await this.#makeParents(key);
      await this.#write(keyPath(key), keyText({ revision, seconds, value }));
    }
    for (const key of deletes) {
      await ignoring(['ENOENT', 'ENOTDIR'], unlink(this.#at(keyPath(key))));
    }
    await this.#write('revision', String(revision));
    await unlink(this.#at('journal'));
  }

  /** Runs what needs the lock, after what was interrupted before. */
  async #locked<Result>(work: (cluster: string, nowMs: number) => Promise<Result>): Promise<Result> {
    const turn = this.#queue.then(async () => {
      const cluster = await this.#open();
      return this.#lock.with(async () => {
        const now = await this.#now();
        const journal = await this.#readText('journal');
        if (journal !== undefined) {
          await this.#apply(JSON.parse(journal));
        }
        return work(cluster, now);
      });
    });
    this.#queue = turn.catch(() => undefined);
    return turn;
  }

  /** Makes what is missing. @returns which store it is */
  async #open(): Promise<string> {
    const known = await this.#readText('id');
    if (known !== undefined) {
      this.#cluster = known;
      return known;
    }
    if (this.#cluster !== undefined) {
      throw new StoreUnavailable(`${this.#path}: it is empty now; mount the shared storage there`);
    }
    await ignoring(['EEXIST'], mkdir(this.#path, { mode: DIRECTORY_MODE }));
    await ignoring(['EEXIST'], mkdir(this.#at('keys'), { mode: DIRECTORY_MODE }));
    const draft = `draft-id.${randomBytes(8).toString('hex')}`;
    await this.#write(draft, randomBytes(8).toString('hex'));
    await ignoring(['EEXIST'], link(this.#at(draft), this.#at('id')));
    await unlink(this.#at(draft));
    const made = await this.#readText('id');
    if (made === undefined) {
      throw new StoreUnavailable(`${this.#path}: what was written there cannot be read; check its file system`);
    }
    this.#cluster = made;
    return made;
  }

  async #revision(): Promise<number> {
    return Number((await this.#readText('revision')) ?? '0');
  }

  /**
   * @returns a text that differs after each transaction: a directory that was put back from a backup may have had as many transactions
   * since as it had lost, and the revision is the same then
   */
  async #lastTransaction(): Promise<string> {
    // Opened, since NFS asks the server then (nfs(5), "Close-to-open cache consistency").
    const file = await ignoring(['ENOENT', 'ESTALE'], open(this.#at('revision'), 'r'));
    if (file === undefined) {
      return '';
    }
    try {
      const { ino, mtimeNs } = await file.stat({ bigint: true });
      return `${ino} ${mtimeNs}`;
    } finally {
      await file.close();
    }
  }

  async #isAtWork(): Promise<boolean> {
    return (await this.#readText('journal')) !== undefined;
  }

  async #refresh(keys: readonly string[]): Promise<void> {
    for (const directory of new Set(keys.map(key => parentOf(keyPath(key))))) {
      await askAnew(this.#at(directory), this.#host);
    }
  }

  /**
   * It changes the directory, so that the server itself answers the next read (askAnew()).
   * @returns what the server's clock says, in milliseconds: times of files are compared with it
   */
  async #now(): Promise<number> {
    const probe = this.#at(`clock.${this.#host}.${randomBytes(4).toString('hex')}`);
    const file = await open(probe, 'wx', FILE_MODE);
    try {
      return (await file.stat()).mtimeMs;
    } finally {
      await file.close();
      await unlink(probe);
    }
  }

  async #readKey(key: string, nowMs: number): Promise<KeyFile | undefined> {
    const path = this.#at(keyPath(key));
    try {
      const file = await open(path, 'r');
      try {
        const { size, mtimeMs } = await file.stat();
        if (size > FILE_BYTES_MAX) {
          throw new StoreUnavailable(
            `${path}: it is longer than ${FILE_BYTES_MAX} bytes, and somebody else has written it; remove it`,
          );
        }
        const read = parseKeyFile(await file.readFile('utf8'));
        if (read === undefined) {
          throw new StoreUnavailable(`${path}: it is not a key, and somebody else has written it; remove it`);
        }
        const isOver = read.seconds !== undefined && nowMs - mtimeMs > read.seconds * 1_000;
        return isOver ? undefined : read;
      } finally {
        await file.close();
      }
    } catch (error) {
      if (['ENOENT', 'ENOTDIR', 'EISDIR', 'ESTALE'].includes(systemErrorCode(error) ?? '')) {
        return undefined;
      }
      throw error;
    }
  }

  /** @returns the keys below a prefix, at any depth */
  async #namesBelow(prefix: string): Promise<string[]> {
    const list = async (directory: string): Promise<string[]> => {
      const entries = await ignoring(
        ['ENOENT', 'ENOTDIR'],
        readdir(this.#at(keyPath(directory)), { withFileTypes: true }),
      );
      const lists = (entries ?? [])
        .filter(({ name }) => !isHidden(name))
        .map(entry => (entry.isDirectory() ? list(`${directory}/${entry.name}`) : [`${directory}/${entry.name}`]));
      return (await Promise.all(lists)).flat();
    };
    return list(prefix.replace(/\/$/, ''));
  }

  async #makeParents(key: string): Promise<void> {
    const parts = keyPath(key).split('/').slice(0, -1);
    for (let count = 1; count <= parts.length; count++) {
      const directory = parts.slice(0, count).join('/');
      await ignoring(['EEXIST'], mkdir(this.#at(directory), { mode: DIRECTORY_MODE }));
    }
  }

  /** Puts a file in place, whole, and on the disk before it is there. */
  async #write(name: string, text: string): Promise<void> {
    const path = this.#at(name);
    const fresh = this.#at(`fresh.${this.#host}.${createHash('sha256').update(name).digest('hex').slice(0, 16)}`);
    // A file that a former companion of this host left may belong to another user.
    await ignoring(['ENOENT'], unlink(fresh));
    const file = await open(fresh, 'wx', FILE_MODE);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(fresh, path);
    const directory = await open(parentOf(path), 'r');
    try {
      await directory.sync();
    } finally {
      await directory.close();
    }
  }

  async #renew(key: string): Promise<boolean> {
    return this.#bounded(() =>
      this.#locked(async (_, now) => {
        const file = await this.#readKey(key, now);
        if (file !== undefined) {
          await this.#write(keyPath(key), keyText(file));
        }
        return file !== undefined;
      }),
    );
  }

  async #readText(name: string): Promise<string | undefined> {
    return ignoring(['ENOENT', 'ESTALE'], readFile(this.#at(name), 'utf8'));
  }

  #at(name: string): string {
    return `${this.#path}/${name}`;
  }

  /** @throws StoreUnavailable for what the storage refuses, and if it does not answer */
  async #bounded<Result>(work: () => Promise<Result>): Promise<Result> {
    const late = `${this.#path}: the storage does not answer; check its server and the network`;
    try {
      return await within(DEADLINE_MS, late, work());
    } catch (error) {
      if (error instanceof StoreUnavailable || systemErrorCode(error) === undefined) {
        throw error;
      }
      throw new StoreUnavailable(`${this.#path}: ${reasonOf(error)}; check the shared storage`, error);
    }
  }
}

class FileExpiry implements Expiry {
  readonly seconds: number;
  readonly keys = new Set<string>();
  readonly #renew: (key: string) => Promise<boolean>;

  constructor(seconds: number, renew: (key: string) => Promise<boolean>) {
    this.seconds = seconds;
    this.#renew = renew;
  }

  async renew(): Promise<boolean> {
    let isThere = true;
    for (const key of this.keys) {
      isThere = (await this.#renew(key)) && isThere;
    }
    return isThere;
  }
}

/** @throws Error for a key that is not a path below the directory */
function keyPath(key: string): string {
  const parts = key.split('/');
  if (parts.some(part => part === '' || part.startsWith('.') || part.length > PART_MAX || part.includes('\0'))) {
    throw new Error(`not a key: ${JSON.stringify(key)}`);
  }
  return `keys/${key}`;
}

/** @returns a key in the directory that a condition is about, if it is about one */
function keysAskedFor(condition: Condition): string[] {
  if ('cluster' in condition) {
    return [];
  }
  if ('key' in condition) {
    return [condition.key];
  }
  return ['exists' in condition ? condition.exists : `${condition.nothingBelow}any`];
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'));
}

function keyText({ revision, seconds, value }: KeyFile): string {
  return `${revision}\n${seconds ?? '-'}\n${value}`;
}

function parseKeyFile(text: string): KeyFile | undefined {
  const [, revision, seconds, value] = /^(\d{1,15})\n(-|\d{1,9})\n(.*)$/s.exec(text) ?? [];
  if (revision === undefined || seconds === undefined || value === undefined) {
    return undefined;
  }
  return { revision: Number(revision), seconds: seconds === '-' ? undefined : Number(seconds), value };
}
