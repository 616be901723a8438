/**
 * Inspects paths below a directory in a helper process: a file system may take its time, and from here each step would be a
 * hop to another thread and back. A separate pool, so that a file system that hangs keeps no question to NSS waiting.
 */
import type { PathStatus } from '../../core/directory.ts';
import { HelperPool } from './pool.ts';
import type { HelperCommand } from './process.ts';
import { encodeText, Fields, QUESTION_BYTES_MAX } from './protocol.ts';

/** Opening a few directories takes microseconds; a disk that has to spin up, some seconds. */
const QUESTION_DEADLINE_MS = 5_000;
/** TEXT_MAX of native/helper/protocol.h, in bytes. */
const PATH_BYTES_MAX = 255;
const MODE_MAX = 0o7777;
/** 64 bits, which a number may not hold exactly. */
const LONG = /^(?:0|[1-9]\d{0,19})$/;

type InspectedPaths = readonly (readonly PathStatus[])[];

export class HelperPathInspector {
  readonly #pool: HelperPool;

  /** Starts nothing: many hosts never give out a directory. @param command the helper: its absolute path, alone but for tests */
  constructor(command: HelperCommand) {
    this.#pool = new HelperPool([...command, 'inspect'], () => QUESTION_DEADLINE_MS);
  }

  /** @returns undefined if there is no answer, whatever the reason: who then looks by other means meets it too */
  async inspect(base: string, paths: readonly string[]): Promise<InspectedPaths | undefined> {
    const words = [base, ...paths];
    const text = `inspect ${words.map(encodeText).join(' ')}`;
    if (text.length >= QUESTION_BYTES_MAX || words.some(word => Buffer.byteLength(word) > PATH_BYTES_MAX)) {
      return undefined;
    }
    const read = (fields: Fields) => readPaths(fields, paths);
    const outcome = await this.#pool.ask([{ text, subject: `paths below ${base}`, read }]);
    return outcome.kind === 'answered' ? outcome.answers[0] : undefined;
  }

  /** Ends the helpers. @returns when their processes are gone */
  close(): Promise<void> {
    return this.#pool.close();
  }
}

function readPaths(fields: Fields, paths: readonly string[]): InspectedPaths {
  fields.oneOf('inspect');
  return paths.map(path => {
    const statuses: PathStatus[] = [];
    for (const _ of path.split('/')) {
      const status = readStatus(fields);
      statuses.push(status);
      if (status.kind !== 'directory') {
        break;
      }
    }
    return statuses;
  });
}

function readStatus(fields: Fields): PathStatus {
  const kind = fields.oneOf('directory', 'link', 'nothing', 'other');
  switch (kind) {
    case 'directory': {
      const [uid, gid, mode] = [fields.number(), fields.number(), fields.number(MODE_MAX)];
      const [device, inode] = [fields.matching(LONG), fields.matching(LONG)];
      const hint = fields.matching(/^(?:-|unsupported|\d+)$/);
      const ownerHint =
        hint === '-' ? 'none' : hint === 'unsupported' ? hint : Fields.read(hint, ' ', own => own.uid());
      return { kind, uid, gid, mode, device, inode, ownerHint };
    }
    case 'link':
      return { kind, text: fields.exactText() };
    case 'nothing':
    case 'other':
      return { kind };
  }
}
