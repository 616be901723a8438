/**
 * The lock of a directory that hosts share: one empty file, which rename(2) passes on. Its name says who has it.
 *
 *     lock/free                              nobody
 *     lock/held.HOST.BOOT.PID.START.NONCE    a process, for one turn
 *
 * Only one of those who rename "free" finds it there. The name of a turn is never used again: so whoever ends a turn ends that one and no
 * other, however late, by how many, and how often the server carries it out. Between two renames there is nothing that a crash could leave
 * half done. The turn of a host that has crashed is ended by that host when it is back, or by hostIsOff(); never because time has passed.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, rename, rm, unlink } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { asPid } from '../core/ids.ts';
import { readStartTime } from '../host/processes/files.ts';
import { StoreUnavailable } from './key-store.ts';
import { askAnew, DIRECTORY_MODE, FILE_MODE, ignoring, isHidden } from './shared-files.ts';

/** How long to wait for the lock, in milliseconds. */
const WAIT_MS = 3_000;
const POLL_MS = 5;
const POLL_MAX_MS = 50;
/** The turn of this host's former process is ended if it has lasted for so long. */
const OWN_IDLE_MS = 2_000;

const FREE = 'free';
const HELD = 'held';

/** Whose turn it is: the boot and the start time tell a process from a later one with the same number. */
interface Holder {
  readonly host: string;
  readonly boot: string;
  readonly pid: number;
  readonly startTime: number;
}

export interface DirectoryLockOptions {
  /** this host, and this boot of it; without "." */
  readonly host: string;
  readonly boot: string;
  readonly waitMs?: number;
  /** how long a turn of this host's former process stays */
  readonly ownIdleMs?: number;
}

export class DirectoryLock {
  /** of the directory that it is for */
  readonly #path: string;
  readonly #us: Holder;
  readonly #waitMs: number;
  readonly #ownIdleMs: number;
  /** a turn of a former process of this host, and since when it is known */
  #former: { readonly name: string; readonly sinceMs: number } | undefined;

  constructor(path: string, { host, boot, waitMs = WAIT_MS, ownIdleMs = OWN_IDLE_MS }: DirectoryLockOptions) {
    this.#path = path;
    this.#us = { host, boot, pid: process.pid, startTime: startTimeOf(process.pid) ?? 0 };
    this.#waitMs = waitMs;
    this.#ownIdleMs = ownIdleMs;
  }

  /** Calls of one process come one after the other. @throws StoreUnavailable */
  async with<Result>(work: () => Promise<Result>): Promise<Result> {
    const turn = await this.#take();
    try {
      return await work();
    } finally {
      await this.#pass(turn, FREE);
    }
  }

  /** Ends the turn of a host that will not finish it. */
  async hostIsOff(host: string): Promise<void> {
    await askAnew(this.#at(), this.#us.host);
    for (const name of await this.#names()) {
      if (holderIn(name)?.host === host) {
        await this.#pass(name, FREE);
      }
    }
  }

  async #take(): Promise<string> {
    const deadline = performance.now() + this.#waitMs;
    let turn = nameOf(this.#us);
    for (let wait = POLL_MS; ; wait = Math.min(2 * wait, POLL_MAX_MS)) {
      await this.#pass(FREE, turn);
      // A server that was asked twice may say that there was nothing to rename: the names that are there tell.
      const names = await this.#names();
      const others = names.filter(name => name !== turn);
      if (others.length < names.length) {
        if (others.length === 0) {
          this.#former = undefined;
          return turn;
        }
        // A backup that was copied over what was there has brought another one, and there must not be two.
        await ignoring(['ENOENT'], unlink(this.#at(turn)));
        turn = nameOf(this.#us);
      } else if (names.length === 0) {
        await this.#make();
      } else {
        await this.#endFormer(names);
      }
      if (performance.now() > deadline) {
        throw new StoreUnavailable(takenWords(this.#path, others));
      }
      await sleep(wait * (0.5 + Math.random()));
      await askAnew(this.#at(), this.#us.host);
    }
  }

  /** The file comes with its directory: a directory is renamed to one that is missing or empty, and to no other. */
  async #make(): Promise<void> {
    const there = (await ignoring(['ENOENT'], readdir(this.#at()))) ?? [];
    for (const name of there.filter(isHidden)) {
      await ignoring(['ENOENT'], unlink(this.#at(name)));
    }
    const draft = `${this.#at()}.draft.${randomBytes(8).toString('hex')}`;
    await ignoring(['EEXIST'], mkdir(draft, { mode: DIRECTORY_MODE }));
    await (await open(`${draft}/${FREE}`, 'w', FILE_MODE)).close();
    await ignoring(['ENOENT', 'ENOTEMPTY', 'EEXIST'], rename(draft, this.#at()));
    await rm(draft, { recursive: true, force: true });
  }

  /** The turn of a former process of this host. */
  async #endFormer(names: readonly string[]): Promise<void> {
    const name = names.find(each => {
      const holder = holderIn(each);
      return holder?.host === this.#us.host && !isAlive(holder, this.#us);
    });
    const now = performance.now();
    if (name === undefined || this.#former?.name !== name) {
      this.#former = name === undefined ? undefined : { name, sinceMs: now };
    } else if (now - this.#former.sinceMs > this.#ownIdleMs) {
      await this.#pass(name, FREE);
    }
  }

  /** Whoever comes too late finds nothing to rename. */
  async #pass(from: string, to: string): Promise<void> {
    await ignoring(['ENOENT'], rename(this.#at(from), this.#at(to)));
  }

  async #names(): Promise<readonly string[]> {
    const names = await ignoring(['ENOENT'], readdir(this.#at()));
    return (names ?? []).filter(name => !isHidden(name));
  }

  #at(name?: string): string {
    return name === undefined ? `${this.#path}/lock` : `${this.#path}/lock/${name}`;
  }
}

function nameOf({ host, boot, pid, startTime }: Holder): string {
  return [HELD, host, boot, pid, startTime, randomBytes(8).toString('hex')].join('.');
}

function holderIn(name: string): Holder | undefined {
  const [, host, boot, pid, startTime] = /^held\.([^.]+)\.([^.]+)\.(\d{1,10})\.(\d{1,15})\.[^.]+$/.exec(name) ?? [];
  return host === undefined || boot === undefined
    ? undefined
    : { host, boot, pid: Number(pid), startTime: Number(startTime) };
}

/** Whether it is another process of this host, and may still live. */
function isAlive({ boot, pid, startTime }: Holder, us: Holder): boolean {
  const isUs = pid === us.pid && startTime === us.startTime;
  return boot === us.boot && !isUs && startTimeOf(pid) === startTime;
}

function startTimeOf(number: number): number | undefined {
  const pid = asPid(number);
  return pid === undefined ? undefined : readStartTime(pid);
}

function takenWords(path: string, names: readonly string[]): string {
  const holder = names.map(holderIn).find(each => each !== undefined);
  return holder === undefined
    ? `${path}: its lock is taken all the time; try again`
    : `${path}: the host ${holder.host} has its lock; start its dynuser-fleetd, or forget the host if it is powered off`;
}
