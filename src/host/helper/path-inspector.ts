/**
 * Inspects paths below a directory in a helper process: a file system may take its time, and from here each step would be a
 * hop to another thread and back. A separate pool, so that a file system that hangs keeps no question to NSS waiting.
 */
import type { DirectoryStatus, PathStatus } from '../../core/directory.ts';
import { asUid } from '../../core/ids.ts';
import { HelperPool } from './pool.ts';
import type { HelperCommand } from './process.ts';
import { decodeExactly, encodeText, parseNumber, parseRefusal, QUESTION_BYTES_MAX } from './protocol.ts';

/** Opening a few directories takes microseconds; a disk that has to spin up, some seconds. */
const QUESTION_DEADLINE_MS = 5_000;
/** TEXT_MAX of native/helper/protocol.h, in bytes. */
const PATH_BYTES_MAX = 255;
const MODE_MAX = 0o7777;

type InspectedPaths = readonly (readonly PathStatus[])[];

export class HelperPathInspector {
  readonly #pool: HelperPool;

  /** Starts nothing: many hosts never give out a directory. @param command the helper: its absolute path, alone but for tests */
  constructor(command: HelperCommand) {
    this.#pool = new HelperPool([...command, 'inspect'], { deadlineMs: QUESTION_DEADLINE_MS });
  }

  /** @returns undefined if there is no answer, whatever the reason: who then looks by other means meets it too */
  async inspect(base: string, paths: readonly string[]): Promise<InspectedPaths | undefined> {
    const words = [base, ...paths];
    const line = `inspect ${words.map(encodeText).join(' ')}\n`;
    if (line.length > QUESTION_BYTES_MAX || words.some(word => Buffer.byteLength(word) > PATH_BYTES_MAX)) {
      return undefined;
    }
    const outcome = await this.#pool.ask<InspectedPaths | undefined>(line, text => {
      const fields = text.split(' ');
      if (fields.length === 1 && fields[0] === 'again') {
        return 'again';
      }
      if (parseRefusal(fields) !== undefined) {
        return { answer: undefined };
      }
      const answer = parsePaths(fields, paths);
      return answer === undefined ? 'nonsense' : { answer };
    });
    return outcome.kind === 'answered' ? outcome.answer : undefined;
  }

  /** Ends the helpers. @returns when their processes are gone */
  close(): Promise<void> {
    return this.#pool.close();
  }
}

function parsePaths([word, ...rest]: readonly string[], paths: readonly string[]): InspectedPaths | undefined {
  const fields = rest.values();
  const all: PathStatus[][] = [];
  for (const path of paths) {
    const statuses: PathStatus[] = [];
    for (const _ of path.split('/')) {
      const status = parseStatus(fields);
      if (status === undefined) {
        return undefined;
      }
      statuses.push(status);
      if (status.kind !== 'directory') {
        break;
      }
    }
    all.push(statuses);
  }
  return word === 'inspect' && fields.next().done === true ? all : undefined;
}

function parseStatus(fields: Iterator<string, unknown, undefined>): PathStatus | undefined {
  const next = (): string => {
    const { value, done } = fields.next();
    return done === true ? '' : value;
  };
  const kind = next();
  switch (kind) {
    case 'directory':
      return parseDirectory([next(), next(), next(), next(), next(), next()]);
    case 'link': {
      const text = decodeExactly(next());
      return text === undefined ? undefined : { kind, text };
    }
    case 'nothing':
    case 'other':
      return { kind };
    default:
      return undefined;
  }
}

type SixFields = readonly [string, string, string, string, string, string];

function parseDirectory([owner, group, bits, device, inode, hint]: SixFields): DirectoryStatus | undefined {
  const [uid, gid, mode] = [parseNumber(owner), parseNumber(group), parseNumber(bits)];
  const ownerHint = parseHint(hint);
  if (uid === undefined || gid === undefined || mode === undefined || mode > MODE_MAX || ownerHint === undefined) {
    return undefined;
  }
  return isLong(device) && isLong(inode) ? { kind: 'directory', uid, gid, mode, device, inode, ownerHint } : undefined;
}

function parseHint(text: string): DirectoryStatus['ownerHint'] | undefined {
  if (text === '-') {
    return 'none';
  }
  return text === 'unsupported' ? text : asUid(parseNumber(text) ?? Number.NaN);
}

/** 64 bits, which a number may not hold exactly. */
function isLong(text: string): boolean {
  return /^(?:0|[1-9]\d{0,19})$/.test(text);
}
