/**
 * Ends what a user leaves behind: processes, keys and IPC objects. Its helper processes do nothing else, so that an NSS module that
 * hangs does not delay them, nor they the questions to NSS. What is left is found by a search and never assumed; the caller
 * decides what happens to a UID that has something left.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Reaper, UserProcesses } from '../../allocator/ports.ts';
import { DynuserError } from '../../core/errors.ts';
import type { Evidence } from '../../core/evidence.ts';
import { asPid, type Gid, type Pid, type Uid } from '../../core/ids.ts';
import { Semaphore } from '../../core/semaphore.ts';
import { ProcessScans } from '../processes/scan.ts';
import { HelperPool } from './pool.ts';
import type { HelperCommand } from './process.ts';
import {
  accountIpcQuestion,
  giftsQuestion,
  type Questions,
  type RemovedGifts,
  reapQuestion,
  refusalWords,
  runningQuestion,
} from './protocol.ts';

/** One question, in milliseconds: more than a helper takes to remove a million files. */
const QUESTION_DEADLINE_MS = 30_000;
/** Questions that are with the helpers or in their queue; the rest wait here. */
const QUESTIONS_MAX = 64;
/** How long processes may take to go once they were killed; what takes longer sleeps uninterruptibly. */
const KILL_DEADLINE_MS = 5_000;
/** Pauses between two searches during the grace: the first, and the longest. */
const LOOK_FIRST_MS = 10;
const LOOK_LAST_MS = 250;

export class HelperReaper implements Reaper, UserProcesses {
  readonly #pool: HelperPool;
  /** how many are asked the short way */
  #finishing = 0;
  readonly #semaphore = new Semaphore(QUESTIONS_MAX);
  readonly #scans = new ProcessScans(async uids => (await this.#ask(runningQuestion(uids)))[0]);
  readonly #onGifts: (uid: Uid, removed: RemovedGifts) => void;

  /**
   * Starts the first helper.
   * @param command the helper: its absolute path, with the UIDs of dynamic users unless these are the usual ones
   * @param onGifts told of what removeGifts() has removed
   */
  constructor(command: HelperCommand, onGifts: (uid: Uid, removed: RemovedGifts) => void = () => {}) {
    this.#onGifts = onGifts;
    this.#pool = new HelperPool([...command, 'reaper'], () => QUESTION_DEADLINE_MS);
    this.#pool.warm();
  }

  /** @param command the helper of all further questions, as for the constructor */
  renew(command: HelperCommand): void {
    this.#pool.renew([...command, 'reaper']);
  }

  async endAll(uid: Uid, graceMs: number): Promise<Evidence | undefined> {
    const left = this.#finishing === 0 ? await this.#finish(uid) : 'running';
    return left === 'running' ? ((await this.endProcesses(uid, graceMs)) ?? this.removeIpc(uid)) : left;
  }

  /** Most users have ended by themselves: then one line is enough, and if it is the only one, it is the cheapest way. */
  async #finish(uid: Uid): Promise<Evidence | 'running' | undefined> {
    this.#finishing++;
    try {
      const [running, , left] = await this.#ask(runningQuestion([uid]), ...ipcQuestions(uid));
      return running?.size === 0 ? left : 'running';
    } catch {
      // The long way meets it too, or says more.
      return 'running';
    } finally {
      this.#finishing--;
    }
  }

  async findProcess(uid: Uid): Promise<Pid | undefined> {
    const [found] = await this.#ask(reapQuestion('find-processes', uid));
    return found?.kind === 'process' && found.as === 'user' ? asPid(found.pid) : undefined;
  }

  async endProcesses(uid: Uid, graceMs: number): Promise<Evidence | undefined> {
    // Most users have ended by themselves.
    if (!(await this.#scans.mayRun(uid))) {
      return undefined;
    }
    if (graceMs > 0) {
      const deadline = performance.now() + graceMs;
      const [left] = await this.#ask(reapQuestion('terminate-processes', uid));
      if (!isOurs(left)) {
        return left;
      }
      await this.#waitForEnd(uid, deadline);
    }
    const deadline = performance.now() + KILL_DEADLINE_MS;
    for (;;) {
      const [left] = await this.#ask(reapQuestion('kill-processes', uid));
      if (!isOurs(left) || performance.now() > deadline) {
        return left;
      }
    }
  }

  async removeIpc(uid: Uid): Promise<Evidence | undefined> {
    const [, left] = await this.#ask(...ipcQuestions(uid));
    return left;
  }

  async removeAccountIpc(uid: Uid, gid: Gid): Promise<void> {
    await this.#ask(accountIpcQuestion(uid, gid));
  }

  /** Removes the System V IPC objects that strangers gave to a UID. @throws DynuserError HostFailed, LimitReached */
  async removeGifts(uid: Uid): Promise<void> {
    const [removed] = await this.#ask(giftsQuestion(uid));
    if (removed !== undefined && removed.count > 0) {
      this.#onGifts(uid, removed);
    }
  }

  async clearKeyrings(uid: Uid): Promise<void> {
    await this.#ask(reapQuestion('clear-keyrings', uid));
  }

  /** As HelperPool.endedCount. */
  get endedCount(): number {
    return this.#pool.endedCount;
  }

  /** Ends the helpers; what is under way fails with HostFailed. @returns when their processes are gone */
  close(): Promise<void> {
    return this.#pool.close();
  }

  /** The helper is not kept while time passes: a grace of minutes costs four searches a second. */
  async #waitForEnd(uid: Uid, deadline: number): Promise<void> {
    for (let pause = LOOK_FIRST_MS; ; pause = Math.min(pause * 2, LOOK_LAST_MS)) {
      const rest = deadline - performance.now();
      if (rest <= 0) {
        return;
      }
      const [left] = await this.#ask(reapQuestion('find-processes', uid));
      if (!isOurs(left)) {
        return;
      }
      await sleep(Math.min(pause, rest));
    }
  }

  /** Asks the questions of one line. @returns their answers; undefined for what was not asked, since something was found before */
  #ask<Answers extends readonly unknown[]>(...questions: Questions<Answers>) {
    return this.#semaphore.run(async () => {
      const outcome = await this.#pool.ask(questions);
      // The last one is what the others lead to.
      const subject = questions.at(-1)?.subject ?? '';
      switch (outcome.kind) {
        case 'answered':
          return outcome.answers;
        case 'refused':
          throw failed(outcome.subject, refusalWords(outcome.refusal));
        case 'late':
          throw failed(subject, `it took longer than ${QUESTION_DEADLINE_MS / 1_000} s`);
        case 'ended':
          throw failed(subject, `the helper process ${outcome.reason}`);
        case 'full':
          throw new DynuserError('LimitReached', `cannot ${subject}: too many questions wait; try again`);
        case 'closed':
          throw failed(subject, 'dynuserd is stopping');
      }
    });
  }
}

/** Most users leave neither keys nor IPC objects. */
function ipcQuestions(uid: Uid) {
  return [reapQuestion('clear-keyrings', uid), reapQuestion('remove-ipc', uid)] as const;
}

/** Whether it is a process of the UID: one that has the number as a group alone is another user's, and is not waited for. */
function isOurs(left: Evidence | undefined): boolean {
  return left?.kind === 'process' && left.as === 'user';
}

function failed(subject: string, reason: string): DynuserError {
  return new DynuserError('HostFailed', `cannot ${subject}: ${reason}`);
}
