/**
 * Runs inside a machine: trees are handed over by the installed daemon, again and again, while the helper that walks
 * one, or the daemon itself, is killed at a random moment. After each kill the next acquisition has to be answered with a
 * tree that is all its user's. Arguments: handovers to cut short by either kill. Prints one line of JSON.
 */
import { strict as assert } from 'node:assert';
import { execFileSync } from 'node:child_process';
import { existsSync, lstatSync, lutimesSync, readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { lockName } from '../../../src/directories/apply/lock.ts';
import { contents, makeFlat, owners } from '../../native/tree/fixture.ts';
import { callOnce, DaemonProcess } from './daemon-process.ts';

const [wanted = 0] = process.argv.slice(2).map(Number);
/** Trees that are handed over at a time while the daemon is killed: as many as are walked at a time, and one that waits. */
const TREES = ['a', 'b', 'c', 'd', 'e'];
const DIRECTORIES = 50;
const FILES = 100;
const INODES = DIRECTORIES * (FILES + 1) + 1;
/** The owner of a top that is marked (native/helper/tree/chown.c). */
const MARK = '0:65534';
const STATIC_USER = 'games';
/** No candidate for anybody: the first handover changes every inode. */
const FIRST_OWNER = 1_000;
/** Each of them takes the tree from both others, inode by inode; the static user's is at the public path. */
const KINDS = ['chown', 'map', 'static'] as const;

type Kind = (typeof KINDS)[number];

const daemon = new DaemonProcess();
const last = new Map<string, Kind>();
const interrupted = { helper: 0, daemon: 0 };
let serial = 0;

/** @returns the tree's owner, as the answer has it */
async function acquire(tree: string, kind: Kind): Promise<{ lease: string; owner: string }> {
  last.set(tree, kind);
  const user = kind === 'static' ? { userName: STATIC_USER } : { makesMounts: kind === 'map' };
  const parameters = { unit: `user${serial++}.service`, lifetime: 'explicit', stateDirectory: [tree], ...user };
  const reply = await callOnce('io.dynuser.Allocator.Acquire', parameters);
  const [directory] = reply['directories'] as { diskUid: number; diskGid: number }[];
  assert.ok(directory !== undefined);
  return { lease: String(reply['lease']), owner: `${directory.diskUid}:${directory.diskGid}` };
}

/** Another than the last one that was tried, so that there is a walk. */
function anyKind(tree: string): Kind {
  const others = KINDS.filter(kind => kind !== last.get(tree));
  return others[Math.floor(Math.random() * others.length)] ?? 'chown';
}

const release = (lease: string) => callOnce('io.dynuser.Allocator.Release', { lease });

/** The tree, at its private or its public path; never at both. */
function find(tree: string): string {
  const [hidden, open] = [`/var/lib/private/${tree}`, `/var/lib/${tree}`];
  const isOpen = existsSync(open) && lstatSync(open).isDirectory();
  assert.notEqual(existsSync(hidden), isOpen, `${tree} is in one place`);
  return isOpen ? open : hidden;
}

function topOwner(path: string): string {
  const { uid, gid } = lstatSync(path);
  return `${uid}:${gid}`;
}

/** A tree whose top is not marked is all of one owner's, killed or not. @returns whether it is marked */
function isHalfDone(tree: string): boolean {
  const path = find(tree);
  const top = topOwner(path);
  if (top !== MARK) {
    assert.deepEqual([...owners(path)], [[top, INODES]], `${tree} has another owner than its top`);
    return false;
  }
  assert.equal(lstatSync(path).mode & 0o7777, 0o700, 'it is closed meanwhile');
  return true;
}

async function complete(tree: string, kind: Kind): Promise<void> {
  const { lease, owner } = await acquire(tree, kind);
  assert.deepEqual([...owners(find(tree))], [[owner, INODES]], `${tree} is not all its user's`);
  await release(lease);
}

/** The tree helpers of the daemon, which all are its children. */
function helpers(): number[] {
  return readFileSync(`/proc/${daemon.pid}/task/${daemon.pid}/children`, 'utf8')
    .split(' ')
    .filter(pid => pid !== '' && commandOf(pid).includes('\0tree\0chown\0'))
    .map(Number);
}

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1');
  } catch {
    // It has ended since.
    return '';
  }
}

/** @returns what to wait for: nothing throws before it is awaited */
function begin(tree: string): Promise<PromiseSettledResult<{ lease: string }>> {
  return Promise.allSettled([acquire(tree, anyKind(tree))]).then(([result]) => result);
}

/** Waits until a walk is under way, or all is over, and then for a while. */
async function untilWalking(begun: Promise<unknown>, pauseMs: number): Promise<void> {
  const ended = begun.then(() => true);
  while (helpers().length === 0 && !(await Promise.race([ended, sleep(1, false)]))) {
    // The walk is not there yet.
  }
  await sleep(pauseMs);
}

async function killHelper(tree: string, pauseMs: number): Promise<void> {
  const begun = begin(tree);
  await untilWalking(begun, pauseMs);
  for (const pid of helpers()) {
    process.kill(pid, 'SIGKILL');
  }
  const result = await begun;
  if (result.status === 'fulfilled') {
    assert.ok(!isHalfDone(tree), 'a lease was answered for half a tree');
    await release(result.value.lease);
    return;
  }
  assert.match(String(result.reason), /DirectoryFailed/);
  interrupted.helper += isHalfDone(tree) ? 1 : 0;
}

async function killDaemon(pauseMs: number, age: boolean): Promise<void> {
  const begun = TREES.map(begin);
  await untilWalking(Promise.all(begun), pauseMs);
  await daemon.kill();
  const results = await Promise.all(begun);
  if (age) {
    for (const tree of TREES) {
      expire(`/var/lib/private/${lockName(tree)}`);
    }
  }
  await daemon.start();
  for (const [index, result] of results.entries()) {
    const half = isHalfDone(TREES[index] ?? '');
    assert.ok(!half || result.status === 'rejected', 'a lease was answered for half a tree');
    interrupted.daemon += half ? 1 : 0;
  }
  // Those that were answered, and those whose answer the kill has swallowed.
  const { leases } = await callOnce('io.dynuser.Allocator.List');
  for (const { lease } of leases as { lease: string }[]) {
    await release(lease);
  }
}

/** As if its dead holder had been dead for long. */
function expire(lock: string): void {
  if (existsSync(lock)) {
    lutimesSync(lock, 0, 0);
  }
}

function tidy(): void {
  assert.deepEqual(
    readdirSync('/var/lib/private').filter(name => name.startsWith('.')),
    [],
    'a lock is left',
  );
}

/** Handovers of all trees that nobody disturbs. @returns how long one takes, in milliseconds */
async function rehearse(): Promise<number> {
  const times: number[] = [];
  for (const kind of KINDS) {
    const start = performance.now();
    await complete('a', kind);
    times.push(performance.now() - start);
  }
  return Math.max(...times);
}

async function work(): Promise<void> {
  await daemon.start();
  execFileSync('mkdir', ['-p', '-m', '0700', '/var/lib/private']);
  for (const tree of TREES) {
    makeFlat(`/var/lib/private/${tree}`, DIRECTORIES, FILES, FIRST_OWNER);
  }
  const before = TREES.map(tree => contents(find(tree)));
  const walkMs = await rehearse();
  for (let run = 0; run < wanted; run++) {
    const tree = TREES[run % TREES.length] ?? 'a';
    await killHelper(tree, (Math.random() * walkMs) / 2);
    await complete(tree, anyKind(tree));
  }
  tidy();
  for (let run = 0; run < wanted; run += TREES.length) {
    // Once a lock expires by itself; the wait for the others would be the longest part of this.
    await killDaemon(Math.random() * walkMs, run > 0);
    await Promise.all(TREES.map(tree => complete(tree, anyKind(tree))));
  }
  for (const [index, tree] of TREES.entries()) {
    // What is right already is not locked, and a lock of the dead stays. One of two different handovers has something
    // to change, and removes the lock.
    await complete(tree, 'map');
    await complete(tree, 'static');
    assert.ok(before[index]?.equals(contents(find(tree))), 'names, modes and contents are what they were');
  }
  tidy();
}

try {
  await work();
} finally {
  // It would keep what this program prints to open, and whoever reads that waiting.
  await daemon.kill();
}
process.stdout.write(JSON.stringify(interrupted));
