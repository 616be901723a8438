/** Starts the installed daemon inside a machine and ends it, for programs that need to do so many times. */
import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, type VarlinkClient } from '../../../src/varlink/client.ts';

/** Of the daemon whose runtime directory this program was told, as dynuserctl is. */
export const SOCKET = `${process.env['DYNUSER_RUNTIME_DIRECTORY'] ?? '/run/dynuser'}/io.dynuser.DynamicUser`;
const START_DEADLINE_MS = 30_000;

export class DaemonProcess {
  #child: ChildProcess | undefined;
  #ended: Promise<void> = Promise.resolve();

  /** The daemon ends with this program, however that ends: what reads the program's output waits for both. */
  constructor() {
    process.on('exit', () => this.#child?.kill('SIGKILL'));
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** settles when the present daemon has ended, however */
  get ended(): Promise<void> {
    return this.#ended;
  }

  /** @throws Error when it ends or does not answer within the deadline */
  async start(deadlineMs = START_DEADLINE_MS): Promise<void> {
    const child = spawn('/usr/sbin/dynuserd', [], { stdio: ['ignore', 'ignore', 'inherit'] });
    this.#child = child;
    this.#ended = new Promise(resolve => child.once('exit', () => resolve()));
    const deadline = Date.now() + deadlineMs;
    for (;;) {
      try {
        const client = await connect(SOCKET);
        await client.call('org.varlink.service.GetInfo');
        client.close();
        return;
      } catch (error) {
        if (child.exitCode !== null || Date.now() > deadline) {
          throw new Error('dynuserd did not start', { cause: error });
        }
        await sleep(5);
      }
    }
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const child = this.#child;
    if (child === undefined) {
      return;
    }
    child.kill(signal);
    await this.#ended;
    this.#child = undefined;
  }
}

/** One connection, one call. */
export async function callOnce(method: string, parameters: Parameters<VarlinkClient['call']>[1] = {}) {
  const client = await connect(SOCKET);
  try {
    return await client.call(method, parameters);
  } finally {
    client.close();
  }
}
