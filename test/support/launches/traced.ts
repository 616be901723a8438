/**
 * Launches under strace(1): what system calls a start makes, and the same start with one of them tampered with. In a machine of
 * its own with the installed daemon, on a file system where directories are handed over by id-mapped mounts.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { DYNUSER_NSSWITCH, Installed } from '../installed.ts';
import type { RunResult } from '../machine/process.ts';
import { Machine } from '../machine.ts';

const TRACE = '/run/trace';
const STRACE = ['strace', '-f', '-qqq', '-o', TRACE];
/** How long a lease may take to end, in tries of 20 ms. */
const TRIES_MAX = 500;
/**
 * The same where a daemon died while it had directories locked. The next one takes a lock over when nobody can hold it any more, ten seconds
 * later (docs/directories.md), and what it ends waits for that.
 */
const LOCKED_TRIES_MAX = 2_000;
const LOCK = /^\..*\.dynuser-lock$/;
/** In so many tries one after the other there has to be none. */
const EMPTY_LOOKS = 3;
/** Prints what the kernel says of the program, and the mounts that it sees, in one process that has no children. */
export const WITNESS = ['cat', '/proc/self/status', '/proc/self/mountinfo'] as const;
const STATUS_LINES = /^(?:Umask|[UG]id|Groups|Cap\w+|NoNewPrivs|Seccomp\w*|Sig(?:Blk|Ign|Cgt)):/;

/** A system call of a start: the how-manieth of its name in its process. */
export interface TracedCall {
  readonly name: string;
  readonly count: number;
  /** as strace shows it */
  readonly line: string;
}

export class TracedLaunches {
  readonly installed: Installed;
  readonly #mounts: string;

  private constructor(installed: Installed) {
    this.installed = installed;
    this.#mounts = this.hostMounts();
  }

  /** With the daemon running. @param preparation a shell script that makes what the starts need */
  static async boot(preparation: string): Promise<TracedLaunches> {
    const machine = await Machine.boot({ init: 'plain', stage: true, nsswitch: DYNUSER_NSSWITCH, varLib: 'disk' });
    const launches = new TracedLaunches(new Installed(machine));
    await machine.sh(preparation);
    await launches.installed.startDaemon();
    return launches;
  }

  /** Runs a command to its end under strace. */
  run(argv: readonly string[]): Promise<RunResult> {
    return this.installed.machine.run([...STRACE, ...argv]);
  }

  /** The same, while one of its calls meets what strace can do to it, such as `error=EPERM` or `signal=SIGKILL`. */
  tamper(argv: readonly string[], { name, count }: TracedCall, how: string): Promise<RunResult> {
    // strace counts what comes after the execve(2) that it begins with.
    const when = name === 'execve' ? count - 1 : count;
    return this.installed.machine.run([...STRACE, '-e', `inject=${name}:${how}:when=${when}`, ...argv]);
  }

  /** Lets a start succeed. @returns its calls from the first connect(2) on, up to that which became the program */
  async record(argv: readonly string[]): Promise<TracedCall[]> {
    const { status, stderr } = await this.run(argv);
    if (status !== 0) {
      throw new Error(`${argv.join(' ')}: ${stderr}`);
    }
    return callsOf(readFileSync(this.installed.machine.path(TRACE), 'utf8'));
  }

  /** The mounts that the machine itself has. */
  hostMounts(): string {
    return mountsOf(readFileSync(`/proc/${this.installed.machine.pid}/mountinfo`, 'utf8')).join('\n');
  }

  /** Waits until no user is left. @returns what is not as it was before, in words */
  async remains(): Promise<string[]> {
    let left = this.#leases();
    // The request of a launcher that is gone may be on its way to the daemon still.
    for (let tries = 0, locked = 0, empty = 0; tries < TRIES_MAX && empty < EMPTY_LOOKS; ) {
      await sleep(20);
      left = this.#leases();
      empty = left.length === 0 ? empty + 1 : 0;
      if (locked < LOCKED_TRIES_MAX && this.#isLocked()) {
        locked++;
      } else {
        tries++;
      }
    }
    const mounts = this.hostMounts() === this.#mounts ? [] : ['mounts have changed on the host'];
    return [...left, ...mounts];
  }

  #leases(): string[] {
    return ['leases', 'by-uid', 'by-name'].flatMap(folder =>
      readdirSync(this.installed.machine.path(`/run/dynuser/${folder}`)).map(name => `${folder}/${name}`),
    );
  }

  #isLocked(): boolean {
    return ['/run', '/var/lib', '/var/cache'].some(base => {
      const path = this.installed.machine.path(`${base}/private`);
      return existsSync(path) && readdirSync(path).some(name => LOCK.test(name));
    });
  }

  stop(): Promise<void> {
    return this.installed.machine.stop();
  }
}

/** @returns what the witness says, without what is another in each run */
export function testimony(stdout: string): string[] {
  const lines = stdout.split('\n');
  return [...lines.filter(line => STATUS_LINES.test(line)), ...mountsOf(stdout)];
}

/** Mounts as proc_pid_mountinfo(5) has them, without their numbers and peers. */
function mountsOf(text: string): string[] {
  return text
    .split('\n')
    .filter(line => / - /.test(line))
    .map(line =>
      line
        .replace(/^\d+ \d+ \S+ /, '')
        // The machine has no node for each number that a loop device of the host may have: then it is known by a descriptor.
        .replace(/ - (\S+) (?:\/dev\/loop|\/proc\/self\/fd\/)\d+ /, ' - $1 /dev/loop ')
        .replace(/ (?:shared|master|propagate_from):\d+/g, ''),
    );
}

/**
 * What was made before the launcher had a connection is its loader's, and is left out with all later calls of the same name and
 * count: a child has counts of its own, so tampering with one of its calls would meet the loader first.
 */
function callsOf(trace: string): TracedCall[] {
  const counts = new Map<string, number>();
  const calls = new Map<string, TracedCall>();
  const loader = new Set<string>();
  let connected = false;
  for (const line of trace.split('\n')) {
    const [, pid, name, rest = ''] = /^(\d+) +(\w+)\((.*)$/.exec(line) ?? [];
    // strace tampers with calls that it has a name for. The probe of a filter is a number that no call has. A child's end is the first
    // of its kind, and so is the program's; neither can fail.
    if (pid === undefined || name === undefined || name.startsWith('syscall_0x') || /^exit(_group)?$/.test(name)) {
      continue;
    }
    const count = (counts.get(`${pid} ${name}`) ?? 0) + 1;
    counts.set(`${pid} ${name}`, count);
    connected ||= name === 'connect';
    const key = `${name} ${count}`;
    if (!connected) {
      loader.add(key);
    } else if (!calls.has(key) && !loader.has(key)) {
      calls.set(key, { name, count, line: line.replace(/^\d+ +/, '') });
    }
    if (connected && name === 'execve' && rest.endsWith(' = 0') && rest.includes(WITNESS.join('", "'))) {
      return [...calls.values()];
    }
  }
  throw new Error('the trace has no program at its end');
}
