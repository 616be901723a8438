/**
 * Starts `dynuser-helper tree`, one process for one job on one tree, and reads what it says. The process gets the tree's
 * top as an open descriptor and never a path; it can be killed at any moment, and the next one finishes what it began.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { Semaphore } from '../core/semaphore.ts';
import { errnoWords } from '../files/errno.ts';
import { directoryFailed } from './errors.ts';
import type { HeldDirectory } from './held-directory.ts';
import { COUNTS_MAX, HELPER_LINE_MAX, HELPER_SILENCE_MS, HELPER_WORDS_MAX, PROBES_MAX, WALKS_MAX } from './limits.ts';

export interface TreeCounts {
  readonly inodes: number;
  readonly changed: number;
}

/** What a walk through a whole tree found. */
export interface TreeResult extends TreeCounts {
  /** the first inodes with several links that belong to somebody else, and were left as they are */
  readonly leftPaths: readonly string[];
  /** the first mount points below the top, which are never entered */
  readonly mountPaths: readonly string[];
}

export interface WalkOptions {
  readonly onProgress?: ((counts: TreeCounts) => void) | undefined;
  /** Ends the process; the promise is rejected then. */
  readonly signal?: AbortSignal | undefined;
}

/** What can be done with a tree. All throw DynuserError DirectoryFailed, which names the path. */
export interface TreeHelper {
  /** Gives every inode to an owner, the top last and with the mode. */
  chown(top: HeldDirectory, uid: number, gid: number, mode: number, options: WalkOptions): Promise<TreeResult>;
  /** Counts the inodes, and as changed those that chown() would change. */
  count(top: HeldDirectory, uid: number, gid: number, options: WalkOptions): Promise<TreeResult>;
  /** Removes all that is below the top. */
  removeContents(top: HeldDirectory, options?: WalkOptions): Promise<TreeResult>;
  /**
   * Bounds what a tree takes of its file system, by a project quota. @param bytes 0: no bound, and so for inodes
   * @returns undefined if it is bounded, or why it cannot be: the call that was refused, in words; or that it is in a project already
   */
  limit(
    top: HeldDirectory,
    bytes: number,
    inodes: number,
    options: WalkOptions,
  ): Promise<'project' | { readonly refused: string } | undefined>;
  /** Whether an id-mapped mount of the tree can be made. */
  canMap(top: HeldDirectory): Promise<boolean>;
}

/** @param program the path of dynuser-helper */
export function treeHelper(program: string, silenceMs: number = HELPER_SILENCE_MS): TreeHelper {
  const walks = new Semaphore(WALKS_MAX);
  const counts = new Semaphore(COUNTS_MAX);
  const probes = new Semaphore(PROBES_MAX);
  const walk = async (top: HeldDirectory, verb: readonly string[], options: WalkOptions, limit = walks) =>
    resultOf(await limit.run(() => runHelper(program, top, verb, options, silenceMs)), top);
  return {
    chown: (top, uid, gid, mode, options) => walk(top, ['chown', String(uid), String(gid), mode.toString(8)], options),
    count: (top, uid, gid, options) => walk(top, ['count', String(uid), String(gid)], options, counts),
    removeContents: (top, options = {}) => walk(top, ['remove'], options),
    async limit(top, bytes, inodes, options) {
      const lines = await walks.run(() => runHelper(program, top, ['limit', `${bytes},${inodes}`], options, silenceMs));
      const last = lines.at(-1);
      if (last?.kind === 'no') {
        return last.call === 'project' ? last.call : { refused: `${last.call}: ${errnoWords(last.errno)}` };
      }
      resultOf(lines, top);
      return undefined;
    },
    async canMap(top) {
      const lines = await probes.run(() => runHelper(program, top, ['probe'], {}, silenceMs));
      return lines.at(-1)?.kind === 'yes';
    },
  };
}

function resultOf(lines: readonly TreeLine[], top: HeldDirectory): TreeResult {
  const { field } = top;
  const last = lines.at(-1);
  const paths = (kind: 'left' | 'mount') => lines.flatMap(line => (line.kind === kind ? [line.path] : []));
  if (last?.kind === 'done') {
    const { inodes, changed } = last;
    return { inodes, changed, leftPaths: paths('left'), mountPaths: paths('mount') };
  }
  if (last?.kind === 'failed') {
    const mount = paths('mount')[0];
    const hint = mount === undefined ? '' : `; ${top.path}/${mount} is a mount point`;
    throw directoryFailed(field, `${last.call} ${top.path}/${last.path}: ${errnoWords(last.errno)}${hint}`);
  }
  if (last?.kind === 'changed') {
    const reason = `${top.path}/${last.path} was changed while the tree was handed over: end what still uses it, and try again`;
    throw directoryFailed(field, reason);
  }
  throw directoryFailed(field, `the helper for ${top.path} ended without an answer`);
}

/** @returns all lines but those of progress; the last says how it ended */
function runHelper(
  program: string,
  top: HeldDirectory,
  verb: readonly string[],
  options: WalkOptions,
  silenceMs: number,
): Promise<readonly TreeLine[]> {
  const { field } = top;
  const { onProgress, signal } = options;
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(directoryFailed(field, `the handover of ${top.path} was given up`));
      return;
    }
    const child = spawn(program, ['tree', ...verb], {
      cwd: '/',
      env: {},
      stdio: ['ignore', 'pipe', 'pipe', top.descriptor],
    });
    const lines: TreeLine[] = [];
    let failure: string | undefined;
    let words = '';
    const stop = (reason: string) => {
      failure ??= reason;
      child.kill('SIGKILL');
    };
    const silence = setTimeout(() => stop(`said nothing for ${silenceMs / 1000} s`), silenceMs);
    const onAbort = () => stop('was given up');
    signal?.addEventListener('abort', onAbort, { once: true });
    readLines(child, stop, line => {
      silence.refresh();
      if (line.kind === 'progress') {
        onProgress?.({ inodes: line.inodes, changed: line.changed });
      } else {
        lines.push(line);
      }
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      words = (words + text).slice(0, HELPER_WORDS_MAX);
    });
    child.on('error', error => stop(`cannot be started: ${error.message}`));
    child.on('close', (code, killed) => {
      clearTimeout(silence);
      signal?.removeEventListener('abort', onAbort);
      const ended = lines.some(line => !['mount', 'left'].includes(line.kind));
      if (failure === undefined && !ended) {
        failure = `ended with ${killed ?? `status ${code}`}${words === '' ? '' : `: ${words.trim()}`}`;
      }
      if (failure === undefined) {
        resolve(lines);
      } else {
        reject(
          directoryFailed(field, `the helper for ${top.path} ${failure}; the next handover finishes what it began`),
        );
      }
    });
  });
}

function readLines(child: ChildProcess, stop: (reason: string) => void, take: (line: TreeLine) => void): void {
  let rest = '';
  child.stdout?.setEncoding('latin1').on('data', (text: string) => {
    const pieces = (rest + text).split('\n');
    rest = pieces.pop() ?? '';
    for (const piece of pieces) {
      const line = parseTreeLine(piece);
      if (line === undefined) {
        stop('gave an answer that is not understood');
        return;
      }
      take(line);
    }
    if (rest.length > HELPER_LINE_MAX) {
      stop('gave an answer that is not understood');
    }
  });
}

/** The fields of a helper's lines (native/helper/tree/report.h), and those that each kind of line has. */
const FIELDS = {
  ...{ inodes: readNumber, changed: readNumber, left: readNumber, mounts: readNumber, errno: readNumber },
  ...{ path: readPath, call: (text: string) => text },
};
const LINES = {
  progress: ['inodes', 'changed'],
  done: ['inodes', 'changed', 'left', 'mounts'],
  mount: ['path'],
  left: ['path'],
  changed: ['path'],
  yes: [],
  no: ['call', 'errno'],
  failed: ['call', 'errno', 'path'],
} as const satisfies Readonly<Record<string, readonly (keyof typeof FIELDS)[]>>;

type LineKind = keyof typeof LINES;
type LineOf<Kind extends LineKind> = { readonly kind: Kind } & {
  readonly [Field in (typeof LINES)[Kind][number]]: NonNullable<ReturnType<(typeof FIELDS)[Field]>>;
};
export type TreeLine = { [Kind in LineKind]: LineOf<Kind> }[LineKind];

/** @returns undefined if it is not a line of a helper */
export function parseTreeLine(text: string): TreeLine | undefined {
  const [kind = '', ...words] = text.split(' ');
  const names: readonly (keyof typeof FIELDS)[] | undefined = Object.hasOwn(LINES, kind)
    ? LINES[kind as LineKind]
    : undefined;
  if (names?.length !== words.length) {
    return undefined;
  }
  const fields = names.map((name, index) => [name, FIELDS[name](words[index] ?? '')]);
  return fields.every(([, value]) => value !== undefined)
    ? ({ kind, ...Object.fromEntries(fields) } as TreeLine)
    : undefined;
}

function readNumber(text: string): number | undefined {
  return /^[0-9]{1,15}$/.test(text) ? Number(text) : undefined;
}

/** A path is for people: what a log or a terminal would take for something else stays escaped, as does what is not UTF-8. */
function readPath(text: string): string {
  return text.replace(/(?:%[0-9A-F]{2})+/g, run => {
    const decoded = Buffer.from(run.replaceAll('%', ''), 'hex').toString('utf8');
    return /^[\p{L}\p{N}\p{P}\p{S} ]*$/u.test(decoded) && !decoded.includes('\ufffd') ? decoded : run;
  });
}
