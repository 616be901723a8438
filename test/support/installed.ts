/** A plain machine with dynuser installed and the daemon running, as most tests of the whole want it. */
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
  const machine = await Machine.boot({ init: 'plain', stage: true, nsswitch: options.nsswitch ?? DYNUSER_NSSWITCH });
  try {
    if (options.config !== undefined) {
      await machine.write('/etc/dynuser/dynuserd.conf', options.config);
    }
    await test(new Installed(machine));
  } finally {
    await machine.stop();
  }
}

export class Installed {
  readonly machine: Machine;

  constructor(machine: Machine) {
    this.machine = machine;
  }

  /** Starts the installed daemon and waits until it answers. */
  async startDaemon(env: Readonly<Record<string, string>> = {}): Promise<MachineProcess> {
    const daemon = await this.machine.spawn(['/usr/sbin/dynuserd'], { env });
    let log = '';
    daemon.stderr.setEncoding('utf8').on('data', (text: string) => {
      log += text;
    });
    await until(
      () => `dynuserd answers; its log: ${log}`,
      async () => (await this.ctl(['list', '--json=short'])).status === 0,
    );
    return daemon;
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
    const script =
      'cd /run && find dynuser/by-* dynuser/members dynuser/groups dynuser/leases dynuser/static systemd/dynamic-uid -mindepth 1; true';
    const text = await this.machine.sh(`{ ${script}; } 2>/dev/null`);
    return text.split('\n').filter(line => line !== '');
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
