/**
 * What holds while users attack the daemon with all that they get, measured on a real systemd with the units as they are installed.
 * For the stress tier alone: times are asserted. What a launch and a handover take is compared with a daemon that nobody asks, on
 * processors that as many users keep as busy: how a kernel shares its processors is not what is tested.
 */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { CHECKOUT } from '../../src/tooling/checkout.ts';
import type { MachineProcess } from './machine/process.ts';
import { Machine } from './machine.ts';

/** Each is a flood of programs/flood.ts. */
export const FLOODS = [
  'lookups',
  'large',
  'lists',
  'storm',
  'open-close',
  'explain',
  'explain-directories',
  'bus',
] as const;

export type Flood = (typeof FLOODS)[number];

const SOCKETS = {
  allocator: '/run/dynuser/io.dynuser.Allocator',
  everybody: '/run/dynuser/io.dynuser.DynamicUser',
};
const BUS = '/run/dbus/system_bus_socket';
/**
 * Root's way is the socket of those who may acquire: its times are held to the bounds, and those of the public socket are told beside
 * them. On that one each question of root has to be answered all the same, but in floods of connections: the kernel has one queue of
 * them for all who connect to it, and a full one refuses root as it does anybody (EAGAIN).
 */
const CONNECTION_FLOODS: ReadonlySet<Flood> = new Set(['storm', 'open-close']);
/** More than MaxConnectionsPerUser=, so that each has all that it can have. */
const CONNECTIONS = 600;
const FIRST_UID = 2_000;
const GOING_MS = 20_000;
/** How long a flood lasts before it is measured. */
const WARM_UP_MS = 1_000;
const PROGRAM_MS = 120_000;

const TRIES = 200;
const ACQUIRES = 20;
const RUNS = 11;
const HANDOVERS = 5;
const FILES = 100;

/** The bounds, in milliseconds and as multiples of what it takes with a quiet daemon on busy processors. */
const MEDIAN_MS_MAX = 100;
const WORST_MS_MAX = 500;
const RUN_TIMES_MAX = 5;
const HANDOVER_TIMES_MAX = 10;

export interface Measured {
  /** from connect(2) to the answer, of each new connection of root */
  readonly answers: Readonly<Record<keyof typeof SOCKETS, readonly number[]>>;
  /** what failed of root's questions and requests */
  readonly failures: Readonly<Record<keyof typeof SOCKETS, readonly string[]>>;
  /** of `dynuser-run true`, in milliseconds */
  readonly runs: readonly number[];
  /** of an Acquire that gives a directory of FILES files to another user */
  readonly handovers: readonly number[];
}

export class UnderFire {
  readonly #machine: Machine;
  readonly #users: number;
  #quiet: Pick<Measured, 'runs' | 'handovers'> | undefined;

  private constructor(machine: Machine, users: number) {
    this.#machine = machine;
    this.#users = users;
  }

  /** Boots a machine, starts the daemon in it, and measures it while so many users keep the processors busy, and ask nothing. */
  static async start(users: number): Promise<UnderFire> {
    const machine = await Machine.boot({ init: 'systemd', stage: true, nsswitch: { passwd: 'files dynuser' } });
    const fire = new UnderFire(machine, users);
    try {
      await machine.output(['systemctl', 'daemon-reload']);
      await machine.output([
        'systemctl',
        'start',
        'dbus.socket',
        'dbus.service',
        'dynuserd.socket',
        'dynuserd.service',
      ]);
      const make = `mkdir -p /var/lib/private/fire && cd /var/lib/private/fire && i=0; while [ $i -lt ${FILES} ]; do : >$i; i=$((i + 1)); done`;
      await machine.sh(make);
      // The first of everything loads and compiles.
      await fire.#measure(10);
      fire.#quiet = await fire.#beside('busy', async () => ({
        runs: await fire.#runs(),
        handovers: await fire.#handovers(),
      }));
      return fire;
    } catch (error) {
      await machine.stop();
      throw error;
    }
  }

  async stop(): Promise<void> {
    await this.#machine.stop();
  }

  /** Measures during a flood, and holds what was measured against the bounds. @returns a line about it */
  during(flood: Flood): Promise<string> {
    return this.#beside(flood, async () =>
      this.#hold(await this.#measure(TRIES), CONNECTION_FLOODS.has(flood) ? ['allocator'] : ['allocator', 'everybody']),
    );
  }

  async #beside<Result>(what: Flood | 'busy', measure: () => Promise<Result>): Promise<Result> {
    const attackers = await Promise.all(
      Array.from({ length: this.#users }, (_, index) => this.#attack(what, FIRST_UID + index)),
    );
    try {
      await sleep(WARM_UP_MS);
      return await measure();
    } finally {
      for (const attacker of attackers) {
        attacker.kill('SIGKILL');
      }
      await Promise.all(attackers.map(({ ended }) => ended));
    }
  }

  async #attack(flood: Flood | 'busy', uid: number): Promise<MachineProcess> {
    const script = `${CHECKOUT}dist/test/support/programs/flood.js`;
    const path = flood === 'bus' ? BUS : SOCKETS.everybody;
    const attacker = await this.#machine.spawn([process.execPath, script, flood, path, String(CONNECTIONS)], { uid });
    const going = new Promise<boolean>(resolve => attacker.stdout.once('data', () => resolve(true)));
    // A flood that is never answered is a flood all the same.
    await Promise.race([going, sleep(GOING_MS)]);
    return attacker;
  }

  async #measure(tries: number): Promise<Measured> {
    const answers = { allocator: [] as number[], everybody: [] as number[] };
    const failures = { allocator: [] as string[], everybody: [] as string[] };
    for (const name of ['allocator', 'everybody'] as const) {
      const script = `${CHECKOUT}dist/test/support/programs/root-answers.js`;
      const argv = [process.execPath, script, SOCKETS[name], String(tries), String(ACQUIRES)];
      const result = JSON.parse(await this.#machine.output(argv, { timeoutMs: PROGRAM_MS }));
      answers[name].push(...result.answers);
      failures[name].push(...result.failures);
    }
    return { answers, failures, runs: await this.#runs(), handovers: await this.#handovers() };
  }

  #runs(): Promise<number[]> {
    return this.#timed(Array.from({ length: RUNS }, () => 'dynuser-run true'));
  }

  async #handovers(): Promise<number[]> {
    const acquire = (user: string) =>
      `dynuserctl acquire --lifetime=explicit --user=${user} --state-directory=fire ${user}.service >/dev/null`;
    const users = Array.from({ length: HANDOVERS + 1 }, (_, index) => `fire${index % 2}`);
    const commands = users.flatMap(user => [acquire(user), `dynuserctl release ${user} >/dev/null`]);
    const times = await this.#timed(commands);
    // Every second one is a release, and the first gives the directory to nobody's successor.
    return times.filter((_, index) => index % 2 === 0).slice(1);
  }

  /** @returns how long each of the commands took, in milliseconds; each has to succeed */
  async #timed(commands: readonly string[]): Promise<number[]> {
    const timed = commands.map(command => `s=$(date +%s%N); ${command} || exit; e=$(date +%s%N); echo $((e - s))`);
    const text = await this.#machine.sh(timed.join('\n'), { timeoutMs: PROGRAM_MS });
    return text.split('\n').map(line => Number(line) / 1e6);
  }

  /** @param answering the sockets on which each question of root has to be answered */
  #hold({ answers, failures, runs, handovers }: Measured, answering: readonly (keyof typeof SOCKETS)[]): string {
    const quiet = this.#quiet;
    assert.ok(quiet);
    const figures = {
      ...Object.fromEntries(
        Object.entries(answers).map(([name, times]) => [
          `${name} ms`,
          `${median(times).toFixed(1)}/${Math.max(...times).toFixed(1)}`,
        ]),
      ),
      'run times': (median(runs) / median(quiet.runs)).toFixed(1),
      'handover times': (median(handovers) / median(quiet.handovers)).toFixed(1),
    };
    const line = JSON.stringify(figures);
    for (const name of answering) {
      assert.deepEqual(failures[name], [], line);
    }
    const times = answers.allocator;
    assert.ok(median(times) <= MEDIAN_MS_MAX && Math.max(...times) <= WORST_MS_MAX, line);
    assert.ok(median(runs) <= RUN_TIMES_MAX * median(quiet.runs), line);
    assert.ok(median(handovers) <= HANDOVER_TIMES_MAX * median(quiet.handovers), line);
    return line;
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? Number.NaN;
}
