/**
 * The journal by its native protocol (systemd, docs/JOURNAL_NATIVE_PROTOCOL.md): one datagram of fields for each entry. Nothing here
 * waits: an entry for which there is no room is lost, and counted.
 */
import { fstatSync } from 'node:fs';
import { reasonOf } from '../../core/errors.ts';
import { systemErrorCode } from '../host-error.ts';
import { DescriptorSocket, SOCK_DGRAM } from '../libc/descriptor-socket.ts';

export const JOURNAL_SOCKET = '/run/systemd/journal/socket';
/** The longest value of a field, and the longest entry, in bytes. */
const VALUE_BYTES_MAX = 8 * 1024;
const ENTRY_BYTES_MAX = 64 * 1024;
const STANDARD_ERROR = 2;

/** The name of a field has capitals, digits and underscores. */
export type JournalField = readonly [name: string, value: string];

/**
 * @param stream $JOURNAL_STREAM, systemd.exec(5)
 * @returns whether standard error is the journal's
 */
export function logsToJournal(stream: string | undefined): boolean {
  const { dev, ino } = fstatSync(STANDARD_ERROR, { bigint: true });
  return stream === `${dev}:${ino}`;
}

export class Journal {
  readonly #path: string;
  #socket: DescriptorSocket;
  #lost = 0;

  /** @throws Error the system's: there is no journal at the path */
  constructor(path = JOURNAL_SOCKET) {
    this.#path = path;
    this.#socket = this.#connect();
  }

  /** How many entries were lost since this was asked before. */
  takeLost(): number {
    const lost = this.#lost;
    this.#lost = 0;
    return lost;
  }

  /** @returns whether the entry was taken; never throws */
  send(fields: readonly JournalField[]): boolean {
    const entry = encodeEntry(fields);
    let isSent = false;
    try {
      isSent = this.#socket.send(entry);
    } catch (error) {
      // Whoever made the socket anew has no connection to the former one.
      if (systemErrorCode(error) === 'ECONNREFUSED' || systemErrorCode(error) === 'ENOTCONN') {
        isSent = this.#sendAnew(entry);
      }
    }
    if (!isSent) {
      this.#lost++;
    }
    return isSent;
  }

  close(): void {
    this.#socket.close();
  }

  #sendAnew(entry: Buffer): boolean {
    try {
      const socket = this.#connect();
      this.#socket.close();
      this.#socket = socket;
      return socket.send(entry);
    } catch {
      return false;
    }
  }

  #connect(): DescriptorSocket {
    return DescriptorSocket.connect(this.#path, SOCK_DGRAM, ENTRY_BYTES_MAX);
  }
}

/** Fields that would make the entry too long are left out; a value that is too long is cut. */
export function encodeEntry(fields: readonly JournalField[]): Buffer {
  const parts: Buffer[] = [];
  let length = 0;
  for (const [name, value] of fields) {
    const bytes = Buffer.from(value).subarray(0, VALUE_BYTES_MAX);
    const part = bytes.includes('\n')
      ? Buffer.concat([Buffer.from(`${name}\n`), littleEndian(bytes.length), bytes, Buffer.from('\n')])
      : Buffer.concat([Buffer.from(`${name}=`), bytes, Buffer.from('\n')]);
    if (length + part.length <= ENTRY_BYTES_MAX) {
      parts.push(part);
      length += part.length;
    }
  }
  return Buffer.concat(parts);
}

function littleEndian(length: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(length));
  return bytes;
}

/**
 * @param stream $JOURNAL_STREAM
 * @returns the journal if standard error leads to it, or why it cannot be used although it does
 */
export function openJournal(stream: string | undefined): Journal | { readonly reason: string } | undefined {
  try {
    return logsToJournal(stream) ? new Journal() : undefined;
  } catch (error) {
    return { reason: reasonOf(error) };
  }
}
