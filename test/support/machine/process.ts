/** Processes inside a machine: entering its namespaces, running a program there to its end, or leaving it running. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';

/** How long a program may run unless the test says otherwise, in milliseconds, and how much it may print, in bytes. */
const RUN_DEADLINE_MS = 30_000;
const OUTPUT_MAX = 64 * 1024 * 1024;
/** How long entering the namespaces may take, in milliseconds. */
const ENTER_DEADLINE_MS = 20_000;

const PATH = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', dirname(process.execPath)].join(':');

export interface RunOptions {
  /** The environment is empty but for PATH and LANG; these are added. */
  readonly env?: Readonly<Record<string, string>>;
  /** The user and group, without supplementary groups, that the program runs as; root unless said. */
  readonly uid?: number;
  /** milliseconds */
  readonly timeoutMs?: number;
  /** what the program reads from its standard input */
  readonly input?: string;
}

export interface RunResult {
  /** the exit status; 128 and the signal's number where a signal ended it, as a shell has it */
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface MachineProcess {
  /** as the host numbers it */
  readonly pid: number;
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** the exit status, once it has ended */
  readonly ended: Promise<number>;
  /** Sends a signal to the program itself; nothing where it has ended. */
  kill(signal: NodeJS.Signals): void;
}

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

/** @returns the only child of a process that has at most one, or undefined where it has none */
export function firstChild(pid: number): number | undefined {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
    return children === '' ? undefined : Number(children.split(' ')[0]);
  } catch {
    // The process is gone, and with it its children.
    return undefined;
  }
}

/** @param machine process 1 of the machine */
export async function runToEnd(machine: number, argv: readonly string[], options: RunOptions): Promise<RunResult> {
  const child = enter(machine, argv, options);
  const deadline = options.timeoutMs ?? RUN_DEADLINE_MS;
  let failure: string | undefined;
  const give = (reason: string): void => {
    failure = reason;
    killProgram(child);
    // A process that it left behind may have them open for ever.
    child.stdout.destroy();
    child.stderr.destroy();
  };
  const timer = setTimeout(() => give(`still running after ${deadline} ms`), deadline);
  const stdout = collect(child.stdout, give);
  const stderr = collect(child.stderr, give);
  // A program that ends without reading all of its input is not a failure of the machine's.
  child.stdin.on('error', () => undefined);
  child.stdin.end(options.input ?? '');
  const status = await exitStatus(child, 'close');
  clearTimeout(timer);
  if (failure !== undefined) {
    throw new Error(`${argv.join(' ')}: ${failure}\n${stdout()}${stderr()}`);
  }
  return { status, stdout: stdout(), stderr: stderr() };
}

/** @param machine process 1 of the machine */
export async function start(
  machine: number,
  argv: readonly string[],
  options: Pick<RunOptions, 'env' | 'uid'>,
): Promise<MachineProcess> {
  const child = enter(machine, argv, options);
  const ended = exitStatus(child, 'exit');
  const pid = await programOf(child, argv);
  return {
    pid,
    stdin: child.stdin,
    stdout: child.stdout,
    stderr: child.stderr,
    ended,
    kill(signal) {
      // nsenter reaps the program before it ends itself, so a number that nsenter still has as its child is not reused.
      if (child.pid !== undefined && firstChild(child.pid) === pid) {
        process.kill(pid, signal);
      }
      // nsenter has stopped itself with its program, and does not see that it continues.
      if (signal === 'SIGCONT') {
        child.kill(signal);
      }
    },
  };
}

/** @returns the first that a program prints @throws Error where it ends without */
export async function firstOutput({ stdout, ended }: MachineProcess): Promise<string> {
  const silent = ended.then(status => {
    throw new Error(`it ended with status ${status} and printed nothing`);
  });
  return String(await Promise.race([once(stdout, 'data').then(([chunk]) => chunk), silent]));
}

/** @param machine process 1 of the machine */
export async function attach(
  machine: number,
  argv: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<number> {
  // In the session of the terminal: a shell controls its jobs by it.
  const child = spawn('nsenter', [...enterArguments(machine), ...argv], {
    env: { PATH, LANG: 'C.UTF-8', ...env },
    stdio: 'inherit',
  });
  const [status] = await once(child, 'exit');
  return status ?? 128;
}

function enter(machine: number, argv: readonly string[], options: Pick<RunOptions, 'env' | 'uid'>): Child {
  const identity =
    options.uid === undefined
      ? []
      : ['setpriv', `--reuid=${options.uid}`, `--regid=${options.uid}`, '--clear-groups', '--'];
  // A session of its own, so that a program that runs too long can be killed together with its children.
  return spawn('nsenter', [...enterArguments(machine), 'setsid', ...identity, ...argv], {
    env: { PATH, LANG: 'C.UTF-8', ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
}

function enterArguments(machine: number): readonly string[] {
  // Credentials are left as they are: root stays root, and whoever made a user namespace is root in it.
  const user = process.getuid?.() === 0 ? [] : ['--user', '--preserve-credentials'];
  // The root too: where the tests themselves run in a chroot, that of the mount namespace is another.
  const namespaces = [...user, '--mount', '--uts', '--ipc', '--net', '--pid', '--cgroup', '--root', '--wdns=/'];
  return ['--target', String(machine), ...namespaces, '--'];
}

/** Waits until nsenter has made the program's process: its child, since only a child is in the PID namespace. */
async function programOf(child: Child, argv: readonly string[]): Promise<number> {
  const deadline = Date.now() + ENTER_DEADLINE_MS;
  while (child.pid !== undefined && child.exitCode === null && Date.now() < deadline) {
    const pid = firstChild(child.pid);
    if (pid !== undefined) {
      return pid;
    }
    await sleep(1);
  }
  throw new Error(`${argv.join(' ')}: it did not start, or ended at once`);
}

/** @returns a function that gives what came so far */
function collect(stream: Readable, give: (reason: string) => void): () => string {
  const chunks: Buffer[] = [];
  let size = 0;
  stream.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size > OUTPUT_MAX) {
      give(`it printed more than ${OUTPUT_MAX} bytes`);
    } else {
      chunks.push(chunk);
    }
  });
  return () => Buffer.concat(chunks).toString('utf8');
}

/**
 * Kills the program and its children, but not nsenter: that reaps the program, which would otherwise fall to process 1
 * of the host.
 */
function killProgram(child: Child): void {
  const pid = child.pid === undefined ? undefined : firstChild(child.pid);
  if (pid === undefined) {
    child.kill('SIGKILL');
    return;
  }
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has no session yet, and so no children.
    process.kill(pid, 'SIGKILL');
  }
}

/** @param event exit: the program has ended. close: and nobody has its output open any more. */
function exitStatus(child: Child, event: 'exit' | 'close'): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once(event, (code: number | null, signal: NodeJS.Signals | null) => {
      resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
    });
  });
}
