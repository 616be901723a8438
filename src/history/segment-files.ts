/**
 * The files of the history on disk, written by one daemon. Everything is asynchronous: a disk that hangs holds up the history alone.
 * Lines are written at places that are known, so that what a failed write has left is overwritten by the next one.
 */
import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rename, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { checkOwn, hasCode } from '../files/pinned-directory.ts';
import { decodeRecord, type HistoryRecord, LINE_BYTES, type SegmentName, segmentName, segmentsOf } from './format.ts';

const DIRECTORY_MODE = 0o700;
const PARENT_MODE = 0o755;
const FILE_MODE = 0o600;
/** Lines that are decoded before the event loop has its turn. */
const LINES_A_TURN = 2_048;
/** No segment that was written here is larger; what is, is not read. */
export const SEGMENT_BYTES_MAX = 512 * 1024 * 1024;

/** The end of the name of a segment until it has its first lines. */
const UNFINISHED = '.new';

/** What may stay of the history; 0 is not a limit. */
export interface HistoryLimits {
  readonly bytes: number;
  readonly ms: number;
}

export class SegmentFiles {
  readonly #path: string;
  readonly #directory: FileHandle;
  #segments: (SegmentName & { bytes: number })[] = [];
  #file: FileHandle | undefined;

  private constructor(path: string, directory: FileHandle) {
    this.#path = path;
    this.#directory = directory;
  }

  /**
   * Opens the directory, and makes it if it is missing.
   * @throws Error the system's, or that it is not root's alone
   */
  static async open(path: string): Promise<SegmentFiles> {
    await mkdir(dirname(path), { recursive: true, mode: PARENT_MODE });
    await mkdir(path, { mode: DIRECTORY_MODE }).catch((error: unknown) => {
      if (!hasCode(error, 'EEXIST')) {
        throw error;
      }
    });
    const directory = await open(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
    try {
      checkOwn(path, await directory.stat());
      await directory.chmod(DIRECTORY_MODE);
      const files = new SegmentFiles(path, directory);
      await files.#list();
      return files;
    } catch (error) {
      await directory.close();
      throw error;
    }
  }

  /** The segment that is written to. */
  get last(): Readonly<SegmentName & { bytes: number }> | undefined {
    return this.#segments.at(-1);
  }

  /**
   * Opens the last segment to continue it, and cuts off what a power cut left of its last lines.
   * @param use gets each line that is whole, in order
   */
  async resume(use: (record: HistoryRecord) => void): Promise<void> {
    const last = this.#segments.at(-1);
    if (last === undefined) {
      return;
    }
    const file = await open(this.#entry(last.name), constants.O_RDWR | constants.O_NOFOLLOW);
    try {
      const { size } = await file.stat();
      if (size > SEGMENT_BYTES_MAX) {
        throw new Error(`${this.#path}/${last.name} has ${size} bytes, which is not a segment of the history`);
      }
      const bytes = Buffer.alloc(size);
      const { bytesRead } = await file.read(bytes, 0, size, 0);
      last.bytes = await this.#readLines(bytes.subarray(0, bytesRead), use);
      await file.truncate(last.bytes);
    } catch (error) {
      await file.close();
      throw error;
    }
    this.#file = file;
  }

  /** Begins a new segment. @param lines its first ones */
  async begin(time: number, isSetBack: boolean, lines: Buffer): Promise<void> {
    const number = (this.#segments.at(-1)?.number ?? 0) + 1;
    const name = segmentName(number, time, isSetBack);
    const unfinished = this.#entry(`${name}${UNFINISHED}`);
    const flags = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
    const file = await open(unfinished, flags, FILE_MODE);
    try {
      await writeWhole(file, lines, 0);
      await file.datasync();
      // A segment without its users would tell that nobody was live: it has its name only with all of them.
      await rename(unfinished, this.#entry(name));
      await this.#directory.sync();
    } catch (error) {
      await file.close();
      await unlink(unfinished).catch(() => undefined);
      throw error;
    }
    await this.#file?.datasync().catch(() => undefined);
    await this.#file?.close();
    this.#file = file;
    this.#segments.push({ name, number, time, isSetBack, bytes: lines.length });
  }

  /** Appends lines to the last segment. @throws Error the system's; what was written of them is overwritten by the next */
  async append(lines: Buffer): Promise<void> {
    const last = this.#segments.at(-1);
    if (last === undefined || this.#file === undefined) {
      throw new Error('no segment was begun');
    }
    await writeWhole(this.#file, lines, last.bytes);
    last.bytes += lines.length;
  }

  async sync(): Promise<void> {
    await this.#file?.datasync();
  }

  /** Removes the oldest segments as long as there is more than may stay. The last one stays. */
  async trim({ bytes, ms }: HistoryLimits, now: number): Promise<void> {
    let sum = this.#segments.reduce((total, segment) => total + segment.bytes, 0);
    for (;;) {
      const [oldest, next] = this.#segments;
      // Its last line is not later than the first one of the next.
      const isOld = next !== undefined && ms > 0 && next.time < now - ms;
      const isTooMuch = bytes > 0 && sum > bytes;
      if (oldest === undefined || next === undefined || !(isOld || isTooMuch)) {
        return;
      }
      await unlink(this.#entry(oldest.name)).catch((error: unknown) => {
        if (!hasCode(error, 'ENOENT')) {
          throw error;
        }
      });
      sum -= oldest.bytes;
      this.#segments = this.#segments.slice(1);
    }
  }

  async close(): Promise<void> {
    await this.#file?.close();
    await this.#directory.close();
  }

  #entry(name: string): string {
    return `/proc/self/fd/${this.#directory.fd}/${name}`;
  }

  async #list(): Promise<void> {
    const names = await readdir(`/proc/self/fd/${this.#directory.fd}`);
    for (const name of names.filter(each => each.endsWith(UNFINISHED))) {
      await unlink(this.#entry(name)).catch(() => undefined);
    }
    for (const segment of segmentsOf(names)) {
      const file = await open(this.#entry(segment.name), constants.O_RDONLY | constants.O_NOFOLLOW);
      try {
        this.#segments.push({ ...segment, bytes: (await file.stat()).size });
      } finally {
        await file.close();
      }
    }
  }

  /** @returns the length of the lines up to the last one that is whole: damaged ones before it stay, and are skipped by every reader */
  async #readLines(bytes: Buffer, use: (record: HistoryRecord) => void): Promise<number> {
    let whole = 0;
    for (let offset = 0; offset + LINE_BYTES <= bytes.length; offset += LINE_BYTES) {
      const record = decodeRecord(bytes, offset);
      if (record !== undefined) {
        use(record);
        whole = offset + LINE_BYTES;
      }
      if (offset % (LINES_A_TURN * LINE_BYTES) === 0) {
        await new Promise(resolve => setImmediate(resolve));
      }
    }
    return whole;
  }
}

/** write(2) may take a part; on a full disk the rest fails. */
async function writeWhole(file: FileHandle, bytes: Buffer, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, position + done);
    if (bytesWritten === 0) {
      throw new Error('nothing more could be written');
    }
    done += bytesWritten;
  }
}
