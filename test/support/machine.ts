/**
 * A disposable machine for a test: namespaces of its own over a throw-away copy of the host's file tree, or of another system's, with a bare
 * process 1 or with the real systemd. What a test does in it never reaches the host, and nothing of it outlives the
 * test process, however that ends. machine/supervise.sh and machine/boot.sh make it; this file is their handle.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { CHECKOUT } from '../../src/tooling/checkout.ts';
import {
  attach,
  firstChild,
  type MachineProcess,
  type RunOptions,
  type RunResult,
  runToEnd,
  start,
} from './machine/process.ts';
import { STAGED_VARIABLE } from './staged.ts';

/** How long a machine may take to boot, and to go away, in milliseconds: several do at a time, on two processors. */
const BOOT_DEADLINE_MS = 60_000;
const STOP_DEADLINE_MS = 20_000;
const POLL_MS = 20;

export interface MachineOptions {
  /** plain: process 1 does nothing but reap. systemd: the real one, up to basic.target. */
  readonly init: 'plain' | 'systemd';
  /** Installs what was built, as `npm run stage -- /` does. */
  readonly stage?: boolean;
  /** Lines of nsswitch.conf to set, such as { passwd: 'files dynuser' }; other databases keep theirs. */
  readonly nsswitch?: Readonly<Record<string, string>>;
  /** disk: /var/lib is an empty directory of the host's /var/tmp, where mounts can be id-mapped (test/support/disk.sh). */
  readonly varLib?: 'disk';
  /** the directory with another system than the host's, whose Node and init it then has; it is not changed */
  readonly system?: string;
  /** It boots with an empty /etc and /var, and its /usr is read-only. */
  readonly stateless?: true;
  /** a directory of the host that it shows at /srv/shared, as other machines may do: storage that several hosts have */
  readonly shared?: string;
}

type Supervisor = ChildProcessByStdio<Writable, Readable, Readable>;

export class Machine {
  readonly #supervisor: Supervisor;
  /** Process 1 of the machine, as the host numbers it. */
  readonly pid: number;

  private constructor(supervisor: Supervisor, pid: number) {
    this.#supervisor = supervisor;
    this.pid = pid;
  }

  /**
   * Boots a machine; the caller must stop() it. Needs root, or a kernel that lets others make user namespaces.
   * @throws Error that says what the kernel or systemd refused
   */
  static async boot(options: MachineOptions): Promise<Machine> {
    const supervisor = supervise(options);
    try {
      const machine = new Machine(supervisor, await processOne(supervisor));
      // boot.sh made it: whatever a kernel or nsenter does otherwise, no test writes to the host's files.
      await machine.output(['test', '-e', '/run/disposable-machine']);
      if (options.init === 'systemd') {
        await machine.#untilSystemdRuns();
      }
      if (options.stage === true) {
        await install(machine);
      }
      if (options.nsswitch !== undefined) {
        await machine.#configureNsswitch(options.nsswitch);
      }
      return machine;
    } catch (error) {
      await endSupervisor(supervisor);
      throw error;
    }
  }

  /** Runs a program to its end. @throws Error where it takes longer than it may, or prints without end */
  run(argv: readonly string[], options: RunOptions = {}): Promise<RunResult> {
    return runToEnd(this.pid, argv, options);
  }

  /** Runs a program that has to succeed. @returns its standard output, without the last line's end */
  async output(argv: readonly string[], options: RunOptions = {}): Promise<string> {
    const { status, stdout, stderr } = await this.run(argv, options);
    if (status !== 0) {
      throw new Error(`${argv.join(' ')}: exit status ${status}\n${stdout}${stderr}`);
    }
    return stdout.replace(/\n$/, '');
  }

  /** Runs a shell script that has to succeed. @returns its standard output, without the last line's end */
  sh(script: string, options: RunOptions = {}): Promise<string> {
    return this.output(['sh', '-c', script], options);
  }

  /** Starts a program and leaves it running; it ends with the machine at the latest. */
  spawn(argv: readonly string[], options: Pick<RunOptions, 'env' | 'uid'> = {}): Promise<MachineProcess> {
    return start(this.pid, argv, options);
  }

  /** Runs a program with the terminal of this process, to its end. @returns its exit status */
  attach(argv: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<number> {
    return attach(this.pid, argv, env);
  }

  /** Writes a file inside the machine, making its directory. @param mode such as 0o644, the default */
  async write(path: string, text: string, mode = 0o644): Promise<void> {
    // Put in place with mv: without root, a file of the host's can be replaced, but not written to.
    const script = 'mkdir -p "$(dirname "$1")" && cat >"$1.new" && chmod "$2" "$1.new" && mv -f "$1.new" "$1"';
    await this.output(['sh', '-c', script, 'sh', path, mode.toString(8)], { input: text });
  }

  /**
   * Where the host sees a path of the machine: to read a file, or to connect to a socket. An absolute link on the way
   * would lead to the host's file of that name, so never write through it.
   */
  path(path: string): string {
    return `/proc/${this.pid}/root${path}`;
  }

  /** Ends everything in the machine and waits until nothing of it is left. */
  async stop(): Promise<void> {
    await endSupervisor(this.#supervisor);
  }

  async #untilSystemdRuns(): Promise<void> {
    const deadline = Date.now() + BOOT_DEADLINE_MS;
    for (;;) {
      // It waits for the end of the start, once process 1 listens.
      const waiting = ['systemctl', 'is-system-running', '--wait'];
      const { stdout, stderr } = await this.run(waiting, { timeoutMs: BOOT_DEADLINE_MS });
      if (/^(?:running|degraded)$/m.test(stdout)) {
        return;
      }
      if (Date.now() > deadline) {
        throw new Error(`systemd did not come up in ${BOOT_DEADLINE_MS} ms: ${stdout}${stderr}`);
      }
      await sleep(POLL_MS);
    }
  }

  async #configureNsswitch(lines: Readonly<Record<string, string>>): Promise<void> {
    const path = '/etc/nsswitch.conf';
    const present = (await this.output(['cat', path])).split('\n');
    const kept = present.filter(line => !Object.keys(lines).some(database => line.startsWith(`${database}:`)));
    const added = Object.entries(lines).map(([database, sources]) => `${database}: ${sources}`);
    await this.write(path, `${[...kept, ...added].join('\n')}\n`);
  }
}

/** Installs what was built: as it was laid out for all machines of this run, or, for a file that runs by itself, by `npm run stage`. */
async function install(machine: Machine): Promise<void> {
  const staged = process.env[STAGED_VARIABLE];
  await (staged === undefined
    ? machine.output([process.execPath, `${CHECKOUT}dist/src/tooling/stage.js`, '/'])
    : machine.sh(`umask 022; exec cp -dR "$STAGED/." /`, { env: { STAGED: staged } }));
}

function supervise(options: MachineOptions): Supervisor {
  // In a user namespace of one's own, whoever one is, one may mount.
  const privileged = process.getuid?.() === 0;
  const namespaces = privileged ? ['--mount'] : ['--user', '--map-root-user', '--mount'];
  const script = `${CHECKOUT}test/support/machine/supervise.sh`;
  const checkout = CHECKOUT.replace(/\/$/, '');
  // In a session of its own: what ends the test with all of its process group must not end what cleans up after it.
  return spawn(
    'unshare',
    [
      ...namespaces,
      'sh',
      script,
      checkout,
      process.execPath,
      options.init,
      options.varLib ?? 'none',
      options.system ?? '/',
      options.stateless === true ? 'stateless' : 'none',
      options.shared ?? '',
    ],
    { stdio: ['pipe', 'pipe', 'pipe'], cwd: '/', detached: true },
  );
}

/** Waits for the machine to say that it is up. @returns its process 1 */
async function processOne(supervisor: Supervisor): Promise<number> {
  let complaints = '';
  supervisor.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaints += text;
  });
  const timer = setTimeout(() => supervisor.stdin.end(), BOOT_DEADLINE_MS);
  let unshare: number | undefined;
  for await (const line of createInterface(supervisor.stdout)) {
    const started = /^supervised (\d+)$/.exec(line);
    if (started !== null) {
      unshare = Number(started[1]);
    } else if (line === 'failed') {
      break;
    } else if (line === 'booted' && unshare !== undefined) {
      const pid = firstChild(unshare);
      if (pid !== undefined) {
        clearTimeout(timer);
        return pid;
      }
      break;
    }
  }
  clearTimeout(timer);
  throw new Error(`the machine did not boot: ${complaints.trim() || 'it says nothing'}`);
}

async function endSupervisor(supervisor: Supervisor): Promise<void> {
  if (supervisor.exitCode !== null || supervisor.signalCode !== null) {
    return;
  }
  const ended = once(supervisor, 'exit');
  supervisor.stdin.end();
  const timer = setTimeout(() => supervisor.kill('SIGKILL'), STOP_DEADLINE_MS);
  await ended;
  clearTimeout(timer);
}
