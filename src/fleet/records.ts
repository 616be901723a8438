/**
 * What this host knows of itself in a fleet, on disk: which incarnation it is, what it holds, and how far it has seen the store go. A hold
 * that is written here is the right to run processes as that user at any time, without asking; so each file is written whole, and is on
 * disk before anybody acts on it.
 */
import { closeSync, constants, fsync, openSync, readFileSync } from 'node:fs';
import { open, rename, unlink } from 'node:fs/promises';
import { promisify } from 'node:util';
import { HOST_ID, INCARNATION } from '../core/fleet.ts';
import { asUid, type Uid, type UserName } from '../core/ids.ts';
import { parseUserName } from '../core/name.ts';
import { hasCode, PinnedDirectory } from '../files/pinned-directory.ts';

const PRIVATE_MODE = 0o700;
const HOLDS = 'holds';
const HOST = 'host';
const SEEN = 'seen';
const IDLE = 'idle';
const SNAPSHOT = 'snapshot';
/** A file that is being written, until it is renamed. User names have no dot. */
const NEW = '.new';
/** The same for a hold that the store is still asked for. */
const ASKED = '.asked.new';
/** The holds of another machine, of whose disk this one is a copy. */
const STRANGE = 'holds.of';

const WRITE_NEW = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW;
/** A record is smaller: two numbers and the directories. */
const RECORD_BYTES_MAX = 256 * 1024;
/** Directories that a record names; a name with more is never forgotten by itself. */
export const RECORDED_DIRECTORIES_MAX = 64;
/** Of a snapshot: SNAPSHOT_USERS_MAX users, twice. */
const SNAPSHOT_BYTES_MAX = 16 * 1024 * 1024;

/** That this host holds a name. */
export interface HoldRecord {
  readonly name: UserName;
  readonly uid: Uid;
  /** where it had directories here that outlive it; 'many': more than are recorded */
  readonly directories: readonly string[] | 'many';
  /** directories on shared storage that are its own on all hosts, "STORAGE PATH" */
  readonly shared: readonly string[];
}

export interface HostRecord {
  /** which host this is: records of another host count for nothing */
  readonly host: string;
  /** the incarnation by which the store knows it */
  readonly incarnation?: string | undefined;
  /** the incarnation that it asks for, until it has an answer: the store may have it already */
  readonly next?: string | undefined;
  /** the boot in which the store last said that this host is a member */
  readonly boot?: string | undefined;
}

export interface StorePosition {
  readonly cluster: string;
  readonly revision: number;
}

/** A record that is being written while the store is asked for the hold. It counts from commit() on: a start before that removes it. */
export interface PreparedRecord {
  /** When it returns, the record is on disk. @throws Error as put() does, or why it could not be written */
  commit(): Promise<void>;
  /** The store has refused: nothing is left. */
  drop(): Promise<void>;
}

/** Told of a file that is not what it should be, and of what becomes of it. */
export type OnStrange = (file: string, reason: string) => void;

export class RecordFiles implements Disposable {
  readonly #directory: PinnedDirectory;
  readonly #holds: PinnedDirectory;
  readonly #byName = new Map<UserName, HoldRecord>();
  readonly #byUid = new Map<Uid, HoldRecord>();
  readonly #onStrange: OnStrange;
  /** the last write of each file: they follow one another */
  readonly #writing = new Map<string, Promise<void>>();
  /** how long each name was not used while daemons before ran, in seconds */
  readonly idle: ReadonlyMap<string, number>;
  /** how far they saw the store go */
  readonly seen: StorePosition | undefined;
  /** the snapshot of the last of them */
  readonly snapshot: string | undefined;
  #host: HostRecord;

  /**
   * Reads what there is, once, at the start.
   * @param host which one this is
   * @throws Error what open(2) and its kin throw: without its records the daemon must not make users of a fleet
   */
  constructor(path: string, host: string, onStrange: OnStrange) {
    this.#onStrange = onStrange;
    this.#directory = PinnedDirectory.open(path, { create: { mode: PRIVATE_MODE } });
    const recorded = parseHost(this.#read(this.#directory, HOST, RECORD_BYTES_MAX));
    if (recorded !== undefined && recorded.host !== host) {
      this.#setApart(recorded.host);
    }
    this.#host = recorded?.host === host ? recorded : { host };
    this.seen = parsePosition(this.#read(this.#directory, SEEN, RECORD_BYTES_MAX));
    this.idle = parseIdle(this.#read(this.#directory, IDLE, SNAPSHOT_BYTES_MAX));
    this.snapshot = this.#read(this.#directory, SNAPSHOT, SNAPSHOT_BYTES_MAX);
    this.#holds = this.#directory.subdirectory(HOLDS, PRIVATE_MODE);
    for (const name of this.#holds.names()) {
      this.#load(name);
    }
  }

  get host(): HostRecord {
    return this.#host;
  }

  /** what the store knows this host by */
  get member(): { readonly host: string; readonly incarnation: string } {
    const { host, incarnation = '' } = this.#host;
    return { host, incarnation };
  }

  get byName(): ReadonlyMap<UserName, HoldRecord> {
    return this.#byName;
  }

  get byUid(): ReadonlyMap<Uid, HoldRecord> {
    return this.#byUid;
  }

  /** When it returns, the record is on disk. A UID that another record has is refused. @throws Error */
  put(record: HoldRecord): Promise<void> {
    return this.#record(record, () => this.#write(this.#holds, record.name, encodeRecord(record)));
  }

  /** Begins to write a record that may be dropped. One of its two methods has to be called before the next record of the name. */
  prepare(record: HoldRecord): PreparedRecord {
    const file = `${record.name}${ASKED}`;
    const written = this.#inTurn(`${HOLDS}/${file}`, () => writeWhole(this.#holds.entry(file), encodeRecord(record)));
    // Whoever commits is told.
    written.catch(() => undefined);
    return {
      commit: () =>
        this.#record(record, async () => {
          await written;
          await this.#inTurn(`${HOLDS}/${record.name}`, () => replace(this.#holds, file, record.name));
        }),
      drop: () => this.#inTurn(`${HOLDS}/${file}`, () => unlink(this.#holds.entry(file)).catch(ignoreMissing)),
    };
  }

  async #record(record: HoldRecord, write: () => Promise<void>): Promise<void> {
    const former = this.#byName.get(record.name);
    const owner = this.#byUid.get(record.uid);
    if ((owner !== undefined && owner.name !== record.name) || (former !== undefined && former.uid !== record.uid)) {
      throw new Error(`the records of ${record.name} and of ${owner?.name ?? record.name} cannot both be right`);
    }
    // In memory first: nobody else may come to hold the UID while it is being written.
    this.#byName.set(record.name, record);
    this.#byUid.set(record.uid, record);
    try {
      await write();
    } catch (error) {
      if (former === undefined) {
        this.#byName.delete(record.name);
        this.#byUid.delete(record.uid);
      } else {
        this.#byName.set(record.name, former);
      }
      throw error;
    }
  }

  /** When it returns, the record is gone from the disk. @throws Error */
  async remove(name: UserName): Promise<void> {
    const record = this.#byName.get(name);
    if (record === undefined) {
      return;
    }
    await this.#inTurn(`${HOLDS}/${name}`, async () => {
      await unlink(this.#holds.entry(name)).catch(ignoreMissing);
      await synced(this.#holds.descriptor);
    });
    this.#byName.delete(name);
    this.#byUid.delete(record.uid);
  }

  async putHost(changes: Omit<HostRecord, 'host'>): Promise<void> {
    const host = { ...this.#host, ...changes };
    await this.#write(this.#directory, HOST, `${JSON.stringify(host)}\n`);
    this.#host = host;
  }

  putSeen(seen: StorePosition): Promise<void> {
    return this.#write(this.#directory, SEEN, `${JSON.stringify(seen)}\n`);
  }

  putIdle(idle: ReadonlyMap<string, number>): Promise<void> {
    return this.#write(this.#directory, IDLE, `${JSON.stringify(Object.fromEntries(idle))}\n`);
  }

  putSnapshot(text: string): Promise<void> {
    return this.#write(this.#directory, SNAPSHOT, text);
  }

  /** Waits until every write that was begun is done or has failed. */
  async close(): Promise<void> {
    while (this.#writing.size > 0) {
      await Promise.all([...this.#writing.values()].map(writing => writing.catch(() => undefined)));
    }
  }

  [Symbol.dispose](): void {
    this.#holds.close();
    this.#directory.close();
  }

  #load(name: string): void {
    if (name.endsWith(NEW)) {
      // It was being written when the daemon ended: nobody has acted on it.
      this.#holds.remove(name);
      return;
    }
    const record = parseRecord(name, this.#read(this.#holds, name, RECORD_BYTES_MAX));
    if (record === undefined || this.#byUid.has(record.uid)) {
      // The store has the hold still, and it is taken up from there.
      const reason = record === undefined ? 'it is not a record' : 'another record has its UID';
      this.#onStrange(`${this.#holds.path}/${name}`, `${reason}; it is left out`);
      return;
    }
    this.#byName.set(record.name, record);
    this.#byUid.set(record.uid, record);
  }

  #setApart(host: string): void {
    const path = `${this.#directory.path}/${HOLDS}`;
    this.#onStrange(path, `they are of another machine (${host}), of whose disk this is a copy; they are set apart`);
    try {
      this.#directory.rename(HOLDS, `${STRANGE}.${host}`);
    } catch (error) {
      if (!hasCode(error, 'ENOENT')) {
        throw error;
      }
    }
    // Before this host's id is recorded: from then on they would count as its own.
    this.#directory.remove(SEEN);
    this.#directory.remove(IDLE);
  }

  #read(directory: PinnedDirectory, name: string, most: number): string | undefined {
    try {
      const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY;
      const descriptor = openSync(directory.entry(name), flags);
      try {
        const text = readFileSync(descriptor, 'utf8');
        return text.length <= most ? text : undefined;
      } finally {
        closeSync(descriptor);
      }
    } catch (error) {
      if (!hasCode(error, 'ENOENT')) {
        this.#onStrange(`${directory.path}/${name}`, `it cannot be read: ${String(error)}`);
      }
      return undefined;
    }
  }

  #write(directory: PinnedDirectory, name: string, text: string): Promise<void> {
    return this.#inTurn(`${directory === this.#holds ? `${HOLDS}/` : ''}${name}`, async () => {
      await writeWhole(directory.entry(name + NEW), text);
      await replace(directory, name + NEW, name);
    });
  }

  async #inTurn(file: string, task: () => Promise<void>): Promise<void> {
    const mine = (this.#writing.get(file) ?? Promise.resolve()).then(task, task);
    this.#writing.set(file, mine);
    try {
      await mine;
    } finally {
      if (this.#writing.get(file) === mine) {
        this.#writing.delete(file);
      }
    }
  }
}

const synced = promisify(fsync);

/** When it returns, the text is on disk, but perhaps not the name of its file. */
async function writeWhole(path: string, text: string): Promise<void> {
  const file = await open(path, WRITE_NEW, 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** When it returns, the file has its name on disk. */
async function replace(directory: PinnedDirectory, fresh: string, name: string): Promise<void> {
  await rename(directory.entry(fresh), directory.entry(name));
  await synced(directory.descriptor);
}

function ignoreMissing(error: unknown): void {
  if (!hasCode(error, 'ENOENT')) {
    throw error;
  }
}

function encodeRecord({ uid, directories, shared }: HoldRecord): string {
  return `${JSON.stringify({ uid, directories, shared })}\n`;
}

function parseRecord(name: string, text: string | undefined): HoldRecord | undefined {
  const parsed = parseUserName(name);
  const value = parseObject(text);
  const uid = asUid(Number(value?.['uid']));
  const [directories, shared] = [value?.['directories'], value?.['shared']];
  if (!('name' in parsed) || uid === undefined || typeof value?.['uid'] !== 'number' || !isTexts(shared)) {
    return undefined;
  }
  return directories === 'many' || isTexts(directories) ? { name: parsed.name, uid, directories, shared } : undefined;
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every(text => typeof text === 'string');
}

function parseHost(text: string | undefined): HostRecord | undefined {
  const value = parseObject(text);
  const host = value?.['host'];
  const optional = (key: 'incarnation' | 'next' | 'boot') => {
    const found = value?.[key];
    // The companion would refuse anything else, each time it is asked.
    return typeof found === 'string' && (key === 'boot' || INCARNATION.test(found)) ? { [key]: found } : {};
  };
  return typeof host === 'string' && HOST_ID.test(host)
    ? { host, ...optional('incarnation'), ...optional('next'), ...optional('boot') }
    : undefined;
}

function parsePosition(text: string | undefined): StorePosition | undefined {
  const value = parseObject(text);
  const [cluster, revision] = [value?.['cluster'], value?.['revision']];
  return typeof cluster === 'string' && cluster !== '' && isCount(revision) ? { cluster, revision } : undefined;
}

function parseIdle(text: string | undefined): Map<string, number> {
  const entries = Object.entries(parseObject(text) ?? {});
  return new Map(entries.filter((entry): entry is [string, number] => isCount(entry[1])));
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

function parseObject(text: string | undefined): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = text === undefined ? undefined : JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value))
      : undefined;
  } catch {
    return undefined;
  }
}
