/** A plain machine with dynuser installed and the daemon running, as most tests of the whole want it. */
import { readdir } from 'node:fs/promises';
import { type Client, connect, type Lease } from '../../src/client/connect.ts';
import { CHECKOUT } from '../../src/tooling/checkout.ts';
import type { MachineProcess, RunOptions, RunResult } from './machine/process.ts';
import { Machine } from './machine.ts';
import { until } from './until.ts';

export const DYNUSER_NSSWITCH = {
  passwd: 'files dynuser',
  group: 'files dynuser',
  shadow: 'files dynuser',
  gshadow: 'files dynuser',
};

/** Where the daemon keeps something of each user, below /run. */
const TRACES = ['by-uid', 'by-name', 'members', 'groups', 'leases', 'static'].map(name => `dynuser/${name}`);

/** How long the daemon may leave a call of this process without an answer, in milliseconds. */
const ANSWER_DEADLINE_MS = 20_000;

/** What came of one call. */
export type CallResult =
  | { readonly reply: Record<string, unknown> }
  | { readonly error: string; readonly parameters: Record<string, unknown> };

export interface InstalledOptions {
  readonly nsswitch?: Readonly<Record<string, string>>;
  /** the text of /etc/dynuser/dynuserd.conf */
  readonly config?: string;
}

/** Boots a machine, runs the test in it, and ends it whatever comes. */
export async function withInstalled(
  options: InstalledOptions,
  test: (host: Installed) => Promise<void>,
): Promise<void> {
  const host = await Installed.boot(options);
  try {
    await test(host);
  } finally {
    await host.machine.stop();
  }
}

/** @returns the paths of what is below a directory, relative to the directory that it is in; none if it is not there */
async function entriesBelow(parent: string, directory: string): Promise<string[]> {
  // With the types of the entries: without them Node 20 follows links to directories.
  const entries = await readdir(`${parent}${directory}`, { recursive: true, withFileTypes: true }).catch(error => {
    if (error.code === 'ENOENT') {
      return [];
    }
    throw error;
  });
  return entries.map(entry => `${entry.parentPath.slice(parent.length)}/${entry.name}`);
}

export class Installed {
  readonly machine: Machine;

  constructor(machine: Machine) {
    this.machine = machine;
  }

  /** For several tests that leave nothing behind; the caller must stop the machine. */
  static async boot({ nsswitch, config }: InstalledOptions = {}): Promise<Installed> {
    const machine = await Machine.boot({ init: 'plain', stage: true, nsswitch: nsswitch ?? DYNUSER_NSSWITCH });
    if (config !== undefined) {
      await machine.write('/etc/dynuser/dynuserd.conf', config);
    }
    return new Installed(machine);
  }

  /** Starts the installed daemon and waits until it answers. */
  async startDaemon(env: Readonly<Record<string, string>> = {}): Promise<MachineProcess> {
    const daemon = await this.machine.spawn(['/usr/sbin/dynuserd'], { env });
    let log = '';
    daemon.stderr.setEncoding('utf8').on('data', (text: string) => {
      log += text;
    });
    await this.untilAnswers(() => `; its log: ${log}`, env['DYNUSER_RUNTIME_DIRECTORY']);
    return daemon;
  }

  /**
   * Waits until a daemon answers, whoever started it.
   * @param more for the error if it does not
   */
  async untilAnswers(more = () => '', runtimeDirectory = '/run/dynuser'): Promise<void> {
    await until(
      () => `dynuserd answers${more()}`,
      () =>
        this.#client(runtimeDirectory).then(
          () => true,
          () => false,
        ),
    );
  }

  /** @returns the live leases */
  async leases(): Promise<Lease[]> {
    const leases: Lease[] = [];
    for await (const lease of (await this.#client()).list()) {
      leases.push(lease);
    }
    return leases;
  }

  /** Asks from here: each program that is started to ask costs a tenth of a second of a processor. */
  #client(runtimeDirectory = '/run/dynuser'): Promise<Client> {
    const path = this.machine.path(`${runtimeDirectory}/io.dynuser.DynamicUser`);
    return connect({ path, reconnect: false, timeoutMs: ANSWER_DEADLINE_MS });
  }

  ctl(argv: readonly string[], options: RunOptions = {}): Promise<RunResult> {
    return this.machine.run(['dynuserctl', ...argv], options);
  }

  /** Makes calls one after the other on one connection from inside the machine. */
  async calls(
    calls: readonly (readonly [method: string, parameters: Readonly<Record<string, unknown>>])[],
    options: Omit<RunOptions, 'input'> = {},
  ): Promise<CallResult[]> {
    const input = `${calls.map(call => JSON.stringify(call)).join('\n')}\n`;
    const text = await this.program('calls', { ...options, input });
    return text.split('\n').map(line => JSON.parse(line));
  }

  /** Runs one of test/support/programs to its end. @returns what it printed */
  program(name: string, options: RunOptions = {}, argv: readonly string[] = []): Promise<string> {
    const script = `${CHECKOUT}dist/test/support/programs/${name}.js`;
    return this.machine.output([process.execPath, script, ...argv], options);
  }

  /** The names of everything that the daemon keeps: links, lease files, and its lock files. */
  async traces(): Promise<string[]> {
    const run = this.machine.path('/run/');
    const all = await Promise.all([...TRACES, 'systemd/dynamic-uid'].map(directory => entriesBelow(run, directory)));
    return all.flat();
  }

  /** Waits until the daemon keeps nothing: the lease of a process ends with it, and nobody waits for that otherwise. */
  async untilNothingIsKept(): Promise<void> {
    let left: readonly string[] = [];
    await until(
      () => `the daemon keeps nothing; it keeps ${left.join(' ')}`,
      async () => {
        left = await this.traces();
        return left.length === 0;
      },
    );
  }
}

export function replyOf(result: CallResult | undefined): Record<string, unknown> {
  if (result === undefined || !('reply' in result)) {
    throw new Error(`not a reply: ${JSON.stringify(result)}`);
  }
  return result.reply;
}

export function errorOf(result: CallResult | undefined): { error: string; parameters: Record<string, unknown> } {
  if (result === undefined || !('error' in result)) {
    throw new Error(`not an error: ${JSON.stringify(result)}`);
  }
  return result;
}
