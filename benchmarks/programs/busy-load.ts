/**
 * Runs inside a machine and measures what the daemon answers, and how soon, while it has nothing else to do and while the
 * files of a large tree are handed over: lookups through glibc over its socket, and acquisitions of another name. The two turn
 * by turn, in pieces that are short beside a handover. Prints one line of JSON; busy.bench.ts reads it.
 *
 * usage: busy-load DIRECTORIES ROUNDS
 */
import { execFile, execFileSync } from 'node:child_process';
import { promisify } from 'node:util';
import { CHECKOUT } from '../../src/tooling/checkout.ts';
import { connect, type VarlinkClient } from '../../src/varlink/client.ts';
import { makeFlat } from '../../test/native/tree/fixture.ts';
import { callOnce, DaemonProcess, SOCKET } from '../../test/support/programs/daemon-process.ts';
import { mean, median } from '../support/statistics.ts';

const [directories = 0, rounds = 0] = process.argv.slice(2).map(Number);
const FILES = 1_000;
const TREE = 'large';
/** No candidates for a dynamic user, who takes every inode from them as they do from it. */
const FIRST_OWNER = 1_000;
const STATIC_USER = 'games';
const LOOKUP = `${CHECKOUT}dist/native/nss-lookup`;
const LOOKUPS = 500;
const PAIRS = 10;

/** Means and medians, in milliseconds; of an acquisition, from the call to the answer. */
interface Answers {
  readonly lookupMedian: number;
  readonly lookupMean: number;
  readonly acquireMedian: number;
  readonly acquireMean: number;
  readonly lookups: number;
  readonly acquisitions: number;
}

export interface BusyFigures {
  readonly files: number;
  /** how long a handover took, meanwhile */
  readonly handoverMs: number;
  readonly usual: Answers;
  readonly busy: Answers;
}

class Answering {
  readonly medians: number[] = [];
  readonly means: number[] = [];
  readonly acquisitions: number[] = [];

  figures(): Answers {
    return {
      lookupMedian: median(this.medians),
      lookupMean: mean(this.means),
      acquireMedian: median(this.acquisitions),
      acquireMean: mean(this.acquisitions),
      lookups: this.medians.length * LOOKUPS,
      acquisitions: this.acquisitions.length,
    };
  }
}

const daemon = new DaemonProcess();
const run = promisify(execFile);

async function lookUp(uid: number, into: Answering): Promise<void> {
  const env = { DYNUSER_NSS_SOURCE: 'varlink' };
  const { stdout } = await run(LOOKUP, ['getpwuid', String(uid), String(LOOKUPS)], { env });
  const { found, medianNs, meanNs }: { found: boolean; medianNs: number; meanNs: number } = JSON.parse(stdout);
  if (!found) {
    throw new Error(`the daemon does not know ${uid}`);
  }
  into.medians.push(medianNs / 1e6);
  into.means.push(meanNs / 1e6);
}

async function acquire(client: VarlinkClient, into: Answering): Promise<void> {
  for (let pair = 0; pair < PAIRS; pair++) {
    const before = performance.now();
    const parameters = { unit: `other${pair}.service`, lifetime: 'explicit' };
    const { lease } = await client.call('io.dynuser.Allocator.Acquire', parameters);
    into.acquisitions.push(performance.now() - before);
    await client.call('io.dynuser.Allocator.Release', { lease: String(lease) });
  }
}

/** Asks until told to stop, and for one round at least. */
async function ask(client: VarlinkClient, uid: number, into: Answering, isOver: () => boolean): Promise<void> {
  do {
    await lookUp(uid, into);
    await acquire(client, into);
  } while (!isOver());
}

/** Gives the tree to another owner on disk, every inode of it. @returns milliseconds */
async function handOver(round: number): Promise<number> {
  const user = round % 2 === 0 ? {} : { userName: STATIC_USER };
  const parameters = { unit: 'owner.service', lifetime: 'explicit', stateDirectory: [TREE], ...user };
  const before = performance.now();
  const reply = await callOnce('io.dynuser.Allocator.Acquire', parameters);
  const time = performance.now() - before;
  const [directory] = reply['directories'] as { readonly changed: number }[];
  if (directory === undefined || directory.changed <= directories * FILES) {
    throw new Error(`${directory?.changed} inodes have changed hands`);
  }
  await callOnce('io.dynuser.Allocator.Release', { lease: String(reply['lease']) });
  return time;
}

async function measure(): Promise<BusyFigures> {
  const [usual, busy] = [new Answering(), new Answering()];
  const handovers: number[] = [];
  const client = await connect(SOCKET);
  const { uid } = await client.call('io.dynuser.Allocator.Acquire', { unit: 'known.service', lifetime: 'explicit' });
  for (let round = 0; round < rounds; round++) {
    // Nobody pays for the last one's writes.
    execFileSync('sync');
    let over = false;
    const changing = handOver(round).finally(() => {
      over = true;
    });
    const asked = ask(client, Number(uid), busy, () => over);
    const handover = await changing;
    await asked;
    handovers.push(handover);
    execFileSync('sync');
    const until = performance.now() + handover;
    await ask(client, Number(uid), usual, () => performance.now() > until);
  }
  client.close();
  const files = directories * FILES;
  return { files, handoverMs: median(handovers), usual: usual.figures(), busy: busy.figures() };
}

execFileSync('mkdir', ['-p', '-m', '0700', '/var/lib/private']);
makeFlat(`/var/lib/private/${TREE}`, directories, FILES, FIRST_OWNER);
await daemon.start();
try {
  const figures = await measure();
  process.stdout.write(`${JSON.stringify(figures)}\n`);
} finally {
  await daemon.kill('SIGTERM');
}
