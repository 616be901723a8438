/** The service `web` of the examples in docs/: its program, and all that can be seen of it from outside. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Lease } from '../../../src/client/connect.ts';
import type { Installed } from '../installed.ts';
import type { Machine } from '../machine.ts';

/** How long what a supervisor does may take, in milliseconds. */
const DEADLINE_MS = 30_000;
const POLL_MS = 50;
const LOG = '/run/supervisor.log';

/**
 * Writes down what it is and what it is told. Every signal leaves it one sleeping child more, none of which it ends: what
 * a service leaves behind is the daemon's to end.
 */
const PROGRAM = `#!/bin/sh
cd "$STATE_DIRECTORY" || exit
for signal in HUP USR1; do
	trap "echo signal $signal >>log" "$signal"
done
trap 'echo signal TERM >>log; exit 0' TERM
trap 'exit 1' USR2
env >environment
echo "start $$ $(id -u) $(id -un)" >>log
while :; do
	sleep 3600 &
	wait "$!"
done
`;

/** Starts a supervisor in the foreground, with its output where a test that fails shows it. */
export async function runSupervisor(machine: Machine, argv: readonly string[]): Promise<void> {
  await machine.spawn(['sh', '-c', `exec "$@" >>${LOG} 2>&1`, 'sh', ...argv]);
}

/** One start of the program, as it saw it. */
export interface Start {
  readonly pid: number;
  readonly uid: number;
  readonly user: string;
  /** the signals that reached it */
  readonly signals: readonly string[];
}

export class WebService {
  readonly #host: Installed;

  constructor(host: Installed) {
    this.#host = host;
  }

  async install(): Promise<void> {
    await this.#host.machine.write('/usr/local/bin/web-server', PROGRAM, 0o755);
  }

  /** @returns every start so far, the first one first */
  async starts(): Promise<readonly Start[]> {
    const { stdout } = await this.#host.machine.run(['cat', '/var/lib/web/log']);
    const starts: (Omit<Start, 'signals'> & { signals: string[] })[] = [];
    for (const line of stdout.split('\n')) {
      const [word, first = '', uid, user = ''] = line.split(' ');
      if (word === 'start') {
        starts.push({ pid: Number(first), uid: Number(uid), user, signals: [] });
      } else if (word === 'signal') {
        starts.at(-1)?.signals.push(first);
      }
    }
    return starts;
  }

  /** @returns the last start, once there have been so many */
  async start(count: number): Promise<Start> {
    const starts = await this.until(`start ${count} of the service`, async () => {
      const present = await this.starts();
      return present.length >= count ? present : undefined;
    });
    assert.equal(starts.length, count, 'it was started more often than it should be');
    const last = starts.at(-1);
    assert.ok(last !== undefined);
    return last;
  }

  async environment(): Promise<readonly string[]> {
    return (await this.#host.machine.output(['cat', '/var/lib/web/environment'])).split('\n');
  }

  leases(): Promise<readonly Lease[]> {
    return this.#host.leases();
  }

  /** @returns the processes with an effective UID, among them those that have not been reaped */
  async processes(uid: number): Promise<readonly number[]> {
    // A process that ends meanwhile is an error of stat's, and no matter.
    const script = 'stat -c "%u %n" /proc/[0-9]* 2>/dev/null | sed -n "s|^$1 /proc/||p"';
    const { stdout } = await this.#host.machine.run(['sh', '-c', script, 'sh', String(uid)]);
    return stdout.split('\n').filter(Boolean).map(Number);
  }

  async resolves(): Promise<boolean> {
    return (await this.#host.machine.run(['getent', 'passwd', 'web'])).status === 0;
  }

  kill(signal: string, pid: number): Promise<string> {
    return this.#host.machine.output(['kill', '-s', signal, String(pid)]);
  }

  /** Asks until there is an answer. @throws Error that says what did not come */
  async until<T>(what: string, ask: () => Promise<T | undefined | false>): Promise<T> {
    const deadline = Date.now() + DEADLINE_MS;
    for (;;) {
      const answer = await ask();
      if (answer !== undefined && answer !== false) {
        return answer;
      }
      if (Date.now() > deadline) {
        const { stdout } = await this.#host.machine.run(['tail', '-n', '40', LOG]);
        throw new Error(`${what} did not come in ${DEADLINE_MS} ms\n${stdout}`);
      }
      await sleep(POLL_MS);
    }
  }
}
