/**
 * Runs inside a machine and measures how users end: from the call of Release until the UID is free, seen from outside by
 * inotify(7); and with thousands of leases that are bound to processes, from the end of one more process until its
 * lease is released, and what the daemon does while nothing happens. Prints one line of JSON; life.bench.ts reads it.
 *
 * usage: life-load RELEASES PROCESSES EXITS IDLE_SECONDS
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, type FSWatcher, readdirSync, readFileSync, watch } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, type VarlinkClient } from '../../src/varlink/client.ts';
import { DaemonProcess, SOCKET } from '../../test/support/programs/daemon-process.ts';
import { median } from '../support/statistics.ts';

const [releases = 0, processes = 0, exits = 0, idleSeconds = 0] = process.argv.slice(2).map(Number);
const LEASES = '/run/dynuser/leases';
const NS_PER_S = 1e9;
const SETTLE_MS = 30_000;

/** Leases of one user: a new user costs a walk over every process of the host, and thousands of them minutes. */
const LEASES_PER_USER = 100;

/** Forks so many processes that sleep, prints their numbers, and kills all when its input ends. */
const PARENT = `
  $| = 1;
  $SIG{CHLD} = 'IGNORE';
  for (1..$ARGV[0]) {
    my $pid = fork();
    die "fork: $!" unless defined $pid;
    if ($pid == 0) { sleep 1000 while 1 }
    push @all, $pid;
    print "$pid\\n";
  }
  print "end\\n";
  <STDIN>;
  kill 'KILL', @all;`;

/** In milliseconds. */
interface Spread {
  readonly median: number;
  readonly slowest: number;
}

export interface LifeFigures {
  readonly release: Spread;
  /** of a user that has a process, which ends when it is told to */
  readonly releaseOfProcess: Spread;
  readonly processes: number;
  readonly exit: Spread;
  readonly idleSeconds: number;
  /** processor time of the daemon and its helpers, of the time that passed */
  readonly idleShare: number;
}

const spreadOf = (times: readonly number[]): Spread => ({ median: median(times), slowest: Math.max(...times) });

const daemon = new DaemonProcess();

/** Tells of users whose last trace is gone. */
class Freed {
  readonly #watcher: FSWatcher = watch(LEASES);

  /** @param cause what ends the user. @returns milliseconds from its start until the UID is free */
  async after(uid: number, name: string, cause: () => void): Promise<number> {
    const freed = new Promise<number>(resolve => {
      const look = (): void => {
        if (!existsSync(`${LEASES}/${uid}`) && !existsSync(`${LEASES}/${uid}.end`)) {
          this.#watcher.off('change', look);
          resolve(performance.now());
        }
      };
      this.#watcher.on('change', look);
    });
    const before = performance.now();
    cause();
    const time = (await freed) - before;
    const traces = [`/run/dynuser/by-uid/${uid}`, `/run/dynuser/by-name/${name}`, `/run/systemd/dynamic-uid/${uid}`];
    const left = traces.filter(path => existsSync(path));
    if (left.length > 0) {
      throw new Error(`${left.join(', ')} is left of a user that has ended`);
    }
    return time;
  }

  close(): void {
    this.#watcher.close();
  }
}

async function acquire(client: VarlinkClient, name: string, more: Readonly<Record<string, string | number>>) {
  const reply = await client.call('io.dynuser.Allocator.Acquire', { unit: `${name}.service`, ...more });
  return { uid: Number(reply['uid']), lease: String(reply['lease']) };
}

/** @param before what the user does first */
async function release(client: VarlinkClient, freed: Freed, before: (uid: number) => Promise<void>): Promise<Spread> {
  const times: number[] = [];
  for (let round = 0; round < releases; round++) {
    const { uid, lease } = await acquire(client, 'ending', { lifetime: 'explicit' });
    await before(uid);
    const answers: Promise<unknown>[] = [];
    times.push(
      await freed.after(uid, 'ending', () => {
        answers.push(client.call('io.dynuser.Allocator.Release', { lease }));
      }),
    );
    await Promise.all(answers);
  }
  return spreadOf(times);
}

async function startProcess(uid: number): Promise<void> {
  const user = [`--reuid=${uid}`, `--regid=${uid}`, '--clear-groups'];
  const child = spawn('setpriv', [...user, 'sh', '-c', 'echo; exec sleep 600'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
}

async function numbersOf(output: Readable): Promise<number[]> {
  const numbers: number[] = [];
  for await (const line of createInterface(output)) {
    if (line === 'end') {
      break;
    }
    numbers.push(Number(line));
  }
  return numbers;
}

/** Nanoseconds that a process and its children have run, all threads of them. */
function ranNs(pid: number): number {
  const tasks = readdirSync(`/proc/${pid}/task`);
  const own = tasks.map(task => Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]));
  const children = tasks.flatMap(
    task => readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').match(/\d+/g) ?? [],
  );
  return [...own, ...children.map(child => ranNs(Number(child)))].reduce((sum, time) => sum + time, 0);
}

/** @returns the share of the time, once V8 has collected what the acquisitions before have left: it does so seconds after */
async function idle(): Promise<number> {
  await sleep(SETTLE_MS);
  const pid = daemon.pid ?? Number.NaN;
  const [before, started] = [ranNs(pid), performance.now()];
  await sleep(idleSeconds * 1_000);
  return (ranNs(pid) - before) / NS_PER_S / ((performance.now() - started) / 1_000);
}

/** @returns milliseconds from a cause until the daemon says that a lease is released */
type Noticed = (lease: string, cause: () => void) => Promise<number>;

async function withNoticing<T>(measure: (noticed: Noticed) => Promise<T>): Promise<T> {
  const watcher = await connect(SOCKET);
  const released = new Map<string, (at: number) => void>();
  const listening = (async () => {
    for await (const { event, lease } of watcher.stream('io.dynuser.Allocator.Watch')) {
      const id = (lease as { lease?: string } | undefined)?.lease;
      if (event === 'released' && id !== undefined) {
        released.get(id)?.(performance.now());
      }
    }
  })().catch(() => undefined);
  try {
    return await measure(async (lease, cause) => {
      const seen = new Promise<number>(resolve => released.set(lease, resolve));
      const before = performance.now();
      cause();
      return (await seen) - before;
    });
  } finally {
    watcher.close();
    await listening;
  }
}

async function crowd(client: VarlinkClient, noticed: Noticed): Promise<Pick<LifeFigures, 'exit' | 'idleShare'>> {
  const parent = spawn('perl', ['-e', PARENT, String(processes)], { stdio: ['pipe', 'pipe', 'inherit'] });
  const held: { readonly pid: number; readonly lease: string }[] = [];
  for (const [index, pid] of (await numbersOf(parent.stdout)).entries()) {
    const name = `held${Math.floor(index / LEASES_PER_USER)}`;
    const { lease } = await acquire(client, name, { lifetime: 'process', pid });
    held.push({ pid, lease });
  }
  const idleShare = await idle();
  const times: number[] = [];
  for (const { pid, lease } of held.slice(0, exits)) {
    times.push(await noticed(lease, () => process.kill(pid, 'SIGKILL')));
  }
  const ended = once(parent, 'exit');
  parent.stdin.end();
  await ended;
  return { exit: spreadOf(times), idleShare };
}

await daemon.start();
const client = await connect(SOCKET);
const freed = new Freed();
try {
  const figures: LifeFigures = {
    release: await release(client, freed, async () => {}),
    releaseOfProcess: await release(client, freed, startProcess),
    ...(await withNoticing(noticed => crowd(client, noticed))),
    ...{ processes, idleSeconds },
  };
  process.stdout.write(`${JSON.stringify(figures)}\n`);
} finally {
  freed.close();
  client.close();
  await daemon.kill('SIGTERM');
}
