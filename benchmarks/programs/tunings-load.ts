/**
 * Runs inside a machine and measures what a tuning gives: the installed daemon with it and without it, in turns, each a process of
 * its own. Prints one line of JSON; tunings.bench.ts reads it.
 *
 * usage: tunings-load ROUNDS CROWD VARIANT...; a variant is JSON
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, cpSync, readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { DELAY_MS as TIER_UP_DELAY_MS } from '../../src/host/tier-up.ts';
import { connect, type VarlinkClient } from '../../src/varlink/client.ts';
import { SOCKET } from '../../test/support/programs/daemon-process.ts';
import { median } from '../support/statistics.ts';

const INSTALLED = '/usr/lib/dynuser';
const START_DEADLINE_MS = 20_000;

export interface Variant {
  readonly name: string;
  /** a helper in place of the installed one */
  readonly helper?: string;
  /** flags of Node in place of those that the installed program gives it */
  readonly flags?: readonly string[];
}

/** Of one variant: medians over the rounds, in milliseconds. */
export interface VariantFigures {
  readonly name: string;
  /** a pair of Acquire and Release on a warm daemon that has run for a while */
  readonly pair: number;
  /** processor time of the daemon and its helpers for such a pair */
  readonly processor: number;
  /** one of the first pairs of a daemon */
  readonly firstPair: number;
  readonly firstProcessor: number;
  /** from exec to the first answer */
  readonly start: number;
  readonly rssMb: number;
}

const [rounds = '', crowd = '', ...words] = process.argv.slice(2);
const variants: Variant[] = words.map(word => JSON.parse(word));
/** The first pairs of a daemon, which are counted apart; those after which it is warm; and those that count. */
const [FIRST, WARM, MEASURED] = Number(crowd) > 0 ? [2, 2, 12] : [50, 500, 300];
const now = (): number => Number(process.hrtime.bigint()) / 1e6;

/** Nanoseconds that a process and its children have run, all threads of them. */
function ranNs(pid: number): number {
  const tasks = readdirSync(`/proc/${pid}/task`);
  const own = tasks.map(task => Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]));
  const children = tasks.flatMap(
    task => readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').match(/\d+/g) ?? [],
  );
  return [...own, ...children.map(child => ranNs(Number(child)))].reduce((sum, time) => sum + time, 0);
}

/** Installs a copy, in which the helper is the variant's. @returns its directory */
function install({ helper }: Variant, index: number): string {
  const directory = `${INSTALLED}-${index}`;
  cpSync(INSTALLED, directory, { recursive: true });
  if (helper !== undefined) {
    copyFileSync(helper, `${directory}/dynuser-helper`);
  }
  return directory;
}

async function startDaemon(directory: string, { flags }: Variant): Promise<ChildProcess> {
  const [program = '', ...rest] =
    flags === undefined ? [`${directory}/dynuserd`] : [process.execPath, ...flags, `${directory}/dynuserd.js`];
  const child = spawn(program, rest, { stdio: ['ignore', 'ignore', 'inherit'] });
  const deadline = Date.now() + START_DEADLINE_MS;
  for (;;) {
    try {
      const client = await connect(SOCKET);
      await client.call('org.varlink.service.GetInfo');
      client.close();
      return child;
    } catch (error) {
      if (child.exitCode !== null || Date.now() > deadline) {
        throw new Error('dynuserd did not start', { cause: error });
      }
      await sleep(2);
    }
  }
}

async function pair(client: VarlinkClient, index: number): Promise<number> {
  const before = now();
  const unit = `pair${index % 100}.service`;
  const { lease } = await client.call('io.dynuser.Allocator.Acquire', { unit, lifetime: 'explicit' });
  await client.call('io.dynuser.Allocator.Release', { lease: String(lease) });
  return now() - before;
}

async function pairs(client: VarlinkClient, count: number): Promise<number> {
  const times: number[] = [];
  for (let index = 0; index < count; index++) {
    times.push(await pair(client, index));
  }
  return median(times);
}

async function measure(directory: string, variant: Variant): Promise<Omit<VariantFigures, 'name'>> {
  const before = now();
  const daemon = await startDaemon(directory, variant);
  const start = now() - before;
  const client = await connect(SOCKET);
  const pid = daemon.pid ?? Number.NaN;
  const ranAtStart = ranNs(pid);
  const firstPair = await pairs(client, FIRST);
  const firstProcessor = (ranNs(pid) - ranAtStart) / 1e6 / FIRST;
  if (Number(crowd) === 0) {
    // From then on V8 optimizes sooner.
    await sleep(TIER_UP_DELAY_MS);
  }
  await pairs(client, WARM);
  const ranBefore = ranNs(pid);
  const warmPair = await pairs(client, MEASURED);
  const processor = (ranNs(pid) - ranBefore) / 1e6 / MEASURED;
  const rssMb = Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
  client.close();
  daemon.kill('SIGTERM');
  await once(daemon, 'exit');
  return { pair: warmPair, processor, firstPair, firstProcessor, start, rssMb };
}

/** Starts so many threads, 100 a process, that sleep. */
async function startCrowd(threads: number): Promise<ChildProcess[]> {
  const script = `
import threading, time
threading.stack_size(65536)
for _ in range(99): threading.Thread(target=time.sleep, args=(100000,), daemon=True).start()
print('ready', flush=True)
time.sleep(100000)`;
  const processes: ChildProcess[] = [];
  for (let started = 0; started < threads; started += 100) {
    const child = spawn('python3', ['-c', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    if (child.stdout !== null) {
      await once(child.stdout, 'data');
    }
    processes.push(child);
  }
  return processes;
}

const installed = variants.map((variant, index) => ({ variant, directory: install(variant, index) }));
const processes = await startCrowd(Number(crowd));
const taken = new Map<string, Omit<VariantFigures, 'name'>[]>();
for (let round = 0; round < Number(rounds); round++) {
  for (const { variant, directory } of round % 2 === 0 ? installed : [...installed].reverse()) {
    taken.set(variant.name, [...(taken.get(variant.name) ?? []), await measure(directory, variant)]);
  }
}
for (const child of processes) {
  child.kill('SIGKILL');
}
const figures: VariantFigures[] = [...taken].map(([name, all]) => ({
  name,
  pair: median(all.map(({ pair: time }) => time)),
  processor: median(all.map(({ processor }) => processor)),
  firstPair: median(all.map(({ firstPair }) => firstPair)),
  firstProcessor: median(all.map(({ firstProcessor }) => firstProcessor)),
  start: median(all.map(({ start }) => start)),
  rssMb: median(all.map(({ rssMb }) => rssMb)),
}));
process.stdout.write(`${JSON.stringify(figures)}\n`);
