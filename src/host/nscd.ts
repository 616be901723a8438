/**
 * nscd(8), if it runs: it remembers users and groups for minutes, those that were there and those that were not, and
 * answers programs in front of every NSS module. Its caches of both are dropped when a user comes or goes.
 */
import { statSync } from 'node:fs';
import { connect } from 'node:net';
import type { NameCache } from '../allocator/ports.ts';
import { DynuserError } from '../core/errors.ts';
import { systemErrorCode } from './host-error.ts';

/** paths.h of glibc's nscd, by way of /var/run. */
export const NSCD_SOCKET = '/run/nscd/socket';
/** nscd-client.h: the version of the protocol, and the request that only root may make. */
const VERSION = 2;
const INVALIDATE = 10;
/** Databases of nscd.conf(5). */
const DATABASES = ['passwd', 'group'] as const;
/** It answers a request with one 32-bit number, 0 or an errno. */
const ANSWER_BYTES = 4;
const DEADLINE_MS = 2_000;
/** No socket, or one that nobody listens to any more. */
const ABSENT: ReadonlySet<string> = new Set(['ENOENT', 'ECONNREFUSED']);

/** For a host whose users nothing remembers. */
export const NO_CACHE: NameCache = { present: () => false, flush: async () => {} };

export class Nscd implements NameCache {
  readonly #path: string;

  /** @param path its socket, NSCD_SOCKET but for tests */
  constructor(path: string) {
    this.#path = path;
  }

  present(): boolean {
    try {
      return statSync(this.#path, { throwIfNoEntry: false }) !== undefined;
    } catch {
      // Whatever keeps us from seeing it: asking it tells.
      return true;
    }
  }

  async flush(): Promise<void> {
    // A connection for each: nscd closes it after its answer.
    await Promise.all(DATABASES.map(database => this.#invalidate(database)));
  }

  #invalidate(database: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const fail = (reason: string, cause?: unknown): void =>
        reject(new DynuserError('HostFailed', `nscd has not dropped its cache of ${database}: ${reason}`, {}, cause));
      const socket = connect(this.#path);
      const timer = setTimeout(() => {
        fail(`it did not answer within ${DEADLINE_MS / 1_000} s`);
        socket.destroy();
      }, DEADLINE_MS);
      let answer = Buffer.alloc(0);
      socket.on('connect', () => socket.write(request(database)));
      socket.on('data', bytes => {
        answer = Buffer.concat([answer, bytes]);
        if (answer.length >= ANSWER_BYTES) {
          socket.destroy();
        }
      });
      // Of the calls that follow one another here, the first settles the promise.
      socket.on('error', error => (ABSENT.has(systemErrorCode(error) ?? '') ? resolve() : fail(error.message, error)));
      socket.on('close', () => {
        clearTimeout(timer);
        const errno = answer.length < ANSWER_BYTES ? undefined : answer.readInt32LE(0);
        if (errno === 0) {
          resolve();
        } else {
          fail(errno === undefined ? 'it closed the connection' : `it answered with error ${errno}`);
        }
      });
    });
  }
}

/** The header of nscd-client.h, then the key: the name of the database with its NUL. Numbers are in the host's order. */
function request(database: string): Buffer {
  const key = Buffer.from(`${database}\0`);
  const header = Buffer.from(new Int32Array([VERSION, INVALIDATE, key.length]).buffer);
  return Buffer.concat([header, key]);
}
