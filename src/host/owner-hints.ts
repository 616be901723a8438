/**
 * Owns the extended attribute that says whose a directory was: trusted.dynuser.uid (xattr(7)), which root alone reads and
 * writes. A tree that is shown by id-mapped mounts belongs to 65534 on disk, which says nothing of its user; with the hint
 * the next one can be given the same UID, also after a reboot. A file system without such attributes has no hints.
 */
import { asUid, type Uid } from '../core/ids.ts';
import { ForeignFunction } from './libc/libc.ts';

const NAME = Buffer.from('trusted.dynuser.uid\0');
/** Digits of the greatest UID. */
const VALUE_BYTES_MAX = 10;

export class HostOwnerHints {
  readonly #getHere = new ForeignFunction('fgetxattr', ['int32', 'pointer', 'pointer', 'size_t']);
  readonly #valueHere = Buffer.alloc(VALUE_BYTES_MAX);

  constructor() {
    this.#getHere.lay(1, NAME, this.#valueHere, this.#valueHere.length);
  }

  /**
   * @param descriptor an open directory
   * @param inMemory whether its file system cannot keep anybody waiting: then it is asked on this thread
   * @returns the UID in its hint, or undefined if it has none
   */
  async read(descriptor: number, inMemory = false): Promise<Uid | undefined> {
    if (inMemory) {
      return uidOf(this.#valueHere, this.#getHere.tryCall(descriptor));
    }
    // A frame of its own for each call: it is read on another thread, and a file system may take its time.
    const get = new ForeignFunction('fgetxattr', ['int32', 'pointer', 'pointer', 'size_t']);
    const value = Buffer.alloc(VALUE_BYTES_MAX);
    return uidOf(value, await get.callOnThread(descriptor, NAME, value, value.length));
  }

  /** Writes the hint of an open directory; nothing happens if it cannot have one, or has this one. */
  async write(descriptor: number, uid: Uid): Promise<void> {
    if ((await this.read(descriptor)) === uid) {
      return;
    }
    const set = new ForeignFunction('fsetxattr', ['int32', 'pointer', 'pointer', 'size_t', 'int32']);
    const value = Buffer.from(String(uid));
    await set.callOnThread(descriptor, NAME, value, value.length);
  }
}

/** @param length of the value; negative if there is none, whatever the reason */
function uidOf(value: Buffer, length: number): Uid | undefined {
  const text = length > 0 ? value.toString('latin1', 0, length) : '';
  return /^[1-9]\d*$/.test(text) ? asUid(Number(text)) : undefined;
}
