/**
 * Runs inside a machine: the system calls by which the daemon changes what outlives it, seen with strace(1), and its death
 * at any one of them: a SIGKILL on entry to a call, which then is not made. So the very daemon that is installed is
 * killed, and needs nothing in it for the purpose.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { createInterface } from 'node:readline';

const LOG = '/tmp/call-trace';
const FILES = ['openat', 'rename', 'symlink', 'unlink', 'mkdir', 'rmdir', 'link'];
const DESCRIPTORS = ['write', 'writev', 'pwrite64', 'ftruncate', 'flock', 'sendmsg', 'fchmod', 'fchown'];
const CALLS = [...FILES, ...DESCRIPTORS];
/** What Node has its other threads do for it (fs/promises): who waits for the disk. */
const CALLS_OF_THREADS = ['openat', 'rename', 'unlink', 'fsync'];

/** The n-th call of a name, from the beginning of a trace. */
export interface CallPoint {
  readonly name: string;
  readonly nth: number;
}

export interface TracedCall extends CallPoint {
  /** as strace prints it, with the paths of directories instead of numbers */
  readonly text: string;
  /** false of the call at which the daemon was killed */
  readonly made: boolean;
}

export class CallTrace {
  readonly #strace: ChildProcess;
  readonly #ended: Promise<unknown>;
  readonly #directories: ReadonlyMap<string, string>;

  private constructor(strace: ChildProcess, directories: ReadonlyMap<string, string>) {
    this.#strace = strace;
    this.#ended = once(strace, 'exit');
    this.#directories = directories;
  }

  /**
   * Begins to see the calls of the main thread, or those of all threads that wait for the disk.
   * @param kill where it is killed with all others; of several threads, the first that makes so many such calls
   */
  static async begin(pid: number, kill?: CallPoint, of: 'main' | 'threads' = 'main'): Promise<CallTrace> {
    const inject = kill === undefined ? [] : ['-e', `inject=${kill.name}:signal=SIGKILL:when=${kill.nth}`];
    const argv = [
      '-p',
      String(pid),
      '-o',
      LOG,
      '-s',
      '80',
      '-e',
      `trace=${(of === 'main' ? CALLS : CALLS_OF_THREADS).join()}`,
      '-e',
      'signal=none',
      ...(of === 'main' ? [] : ['-f']),
      ...inject,
    ];
    const strace = spawn('strace', argv, { stdio: ['ignore', 'ignore', 'pipe'] });
    const trace = new CallTrace(strace, directoriesOf(pid));
    let said = '';
    for await (const line of createInterface({ input: strace.stderr })) {
      said += line;
      if (/ attached(?: with \d+ threads)?$/.test(line)) {
        strace.stderr.resume();
        return trace;
      }
    }
    throw new Error(`strace does not attach: ${said}`);
  }

  /** Ends it. @returns what was seen */
  async end(): Promise<readonly TracedCall[]> {
    this.#strace.kill('SIGINT');
    await this.#ended;
    const counts = new Map<string, number>();
    const calls: TracedCall[] = [];
    for (const logged of readFileSync(LOG, 'utf8').split('\n')) {
      // Of several threads, each line begins with whose it is.
      const line = logged.replace(/^\d+ +/, '');
      const name = /^(\w+)\(/.exec(line)?.[1];
      if (name !== undefined) {
        const nth = (counts.get(name) ?? 0) + 1;
        counts.set(name, nth);
        calls.push({ name, nth, text: this.#named(line), made: !/\) += \?/.test(line) });
      }
    }
    return calls;
  }

  #named(line: string): string {
    return line.replace(/\/proc\/self\/fd\/(\d+)\//g, (whole, fd) => `${this.#directories.get(fd) ?? whole}/`);
  }
}

function directoriesOf(pid: number): Map<string, string> {
  const directories = new Map<string, string>();
  for (const fd of readdirSync(`/proc/${pid}/fd`)) {
    try {
      directories.set(fd, readlinkSync(`/proc/${pid}/fd/${fd}`));
    } catch {
      // It was closed meanwhile, and is not a directory that the daemon keeps.
    }
  }
  return directories;
}
