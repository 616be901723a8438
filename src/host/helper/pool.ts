/**
 * A few helper processes and the questions that wait for them. Every question has a deadline, which includes its time in the
 * queue; a helper that misses it is killed. The outcome of a question is a value: nothing here throws, and a bad helper costs
 * only the question that it was asked.
 */
import { type Requester, ROOT } from '../../core/access.ts';
import { ACQUIRING_LIMITS, type PoolLimits } from './pool-limits.ts';
import { type HelperCommand, HelperProcess } from './process.ts';
import type { Reading } from './protocol.ts';
import { QuestionCounts, QuestionQueue } from './question-queue.ts';

/** Processes in all: one that was killed in an uninterruptible sleep stays until its system call ends. */
const PROCESSES_MAX = 16;
/** A helper that dies at every question costs a fork each: so many at once, then one in every START_INTERVAL_MS. */
const STARTS_BURST = 8;
const START_INTERVAL_MS = 100;
/** How often one question may be given to another helper because nsswitch.conf has changed. */
const AGAIN_MAX = 3;

export type Outcome<Answer> =
  | { readonly kind: 'answered'; readonly answer: Answer }
  /** the deadline passed; asked: it was with a helper for half of that time, so that the answer is slow, and not the queue */
  | { readonly kind: 'late'; readonly asked: boolean }
  /** the helper is gone; the reason completes "the helper process …" */
  | { readonly kind: 'ended'; readonly reason: string }
  /** so many questions wait already: of one UID, or of all */
  | { readonly kind: 'full'; readonly limit: number; readonly of: 'uid' | 'all' }
  | { readonly kind: 'closed' };

interface Waiting {
  readonly requester: Requester;
  readonly line: string;
  readonly timer: NodeJS.Timeout;
  readonly deadlineMs: number;
  helper: Helper | undefined;
  /** performance.now() when a helper got it; infinite while it waits */
  askedAt: number;
  again: number;
  /** takes what the helper said, and says whether the question is settled by it */
  read(line: string): 'settled' | 'again' | 'nonsense';
  settle(outcome: Exclude<Outcome<never>, { kind: 'answered' }>): void;
}

interface Helper {
  readonly process: HelperProcess;
  question: Waiting | undefined;
}

/** Read at each question, so that they may change. */
export interface PoolSettings {
  /** how long one question may take, waiting included, in milliseconds */
  readonly deadlineMs: number;
}

export class HelperPool {
  readonly #command: HelperCommand;
  readonly #settings: PoolSettings;
  readonly #limits: PoolLimits;
  /** helpers that can be asked, now or after their question */
  readonly #helpers = new Set<Helper>();
  readonly #waiting = new QuestionQueue<Waiting>();
  readonly #unsettled = new QuestionCounts();
  #processes = 0;
  #starts = STARTS_BURST;
  #startTimer: NodeJS.Timeout | undefined;
  #closed: { resolve(): void } | undefined;

  constructor(command: HelperCommand, settings: PoolSettings, limits: PoolLimits = ACQUIRING_LIMITS) {
    this.#command = command;
    this.#settings = settings;
    this.#limits = limits;
  }

  /** Starts the first helper, so that the first question does not wait for that. */
  warm(): void {
    if (this.#helpers.size === 0) {
      this.#start();
    }
  }

  /**
   * @param line the question, with its newline
   * @param read makes an answer of the helper's line, which is not to be trusted
   * @param requester on whose behalf it is asked: root's questions wait for nobody else's
   */
  ask<Answer>(
    line: string,
    read: (line: string) => Reading<Answer>,
    requester: Requester = ROOT,
  ): Promise<Outcome<Answer>> {
    if (this.#closed !== undefined) {
      return Promise.resolve({ kind: 'closed' });
    }
    const full = this.#reachedLimit(requester);
    if (full !== undefined) {
      return Promise.resolve(full);
    }
    const { deadlineMs } = this.#settings;
    this.#unsettled.change(requester, 1);
    return new Promise(resolve => {
      const settle = (outcome: Outcome<Answer>): void => {
        clearTimeout(question.timer);
        this.#unsettled.change(requester, -1);
        resolve(outcome);
      };
      const question: Waiting = {
        requester,
        line,
        timer: setTimeout(() => this.#expire(question), deadlineMs),
        deadlineMs,
        helper: undefined,
        askedAt: Number.POSITIVE_INFINITY,
        again: 0,
        read(answer) {
          const reading = read(answer);
          if (typeof reading === 'string') {
            return reading;
          }
          settle({ kind: 'answered', answer: reading.answer });
          return 'settled';
        },
        settle,
      };
      this.#waiting.push(question);
      this.#assign();
    });
  }

  /** Ends all helpers; every open question is settled as closed. @returns when the processes are gone */
  close(): Promise<void> {
    return new Promise(resolve => {
      this.#closed = { resolve };
      clearTimeout(this.#startTimer);
      for (const question of this.#waiting.clear()) {
        question.settle({ kind: 'closed' });
      }
      for (const helper of [...this.#helpers]) {
        helper.question?.settle({ kind: 'closed' });
        this.#discard(helper);
      }
      if (this.#processes === 0) {
        resolve();
      }
    });
  }

  #reachedLimit(requester: Requester): Extract<Outcome<never>, { kind: 'full' }> | undefined {
    const { waiting, questionsPerUid } = this.#limits;
    if (this.#unsettled.of(requester) >= questionsPerUid) {
      return { kind: 'full', limit: questionsPerUid, of: 'uid' };
    }
    const count = requester.isRoot ? this.#waiting.rootCount : this.#waiting.othersCount;
    return count >= waiting ? { kind: 'full', limit: waiting, of: 'all' } : undefined;
  }

  /** Whether no question but root's may be given to a helper now, since the others have as many helpers as they may. */
  get #rootOnly(): boolean {
    let busy = 0;
    for (const { question } of this.#helpers) {
      busy += question?.requester.isRoot === false ? 1 : 0;
    }
    return busy >= this.#limits.helpersOfOthers;
  }

  /** Gives the waiting questions to idle helpers, and starts helpers for the rest as far as the limits go. */
  #assign(): void {
    for (;;) {
      const rootOnly = this.#rootOnly;
      if (this.#waiting.rootCount + (rootOnly ? 0 : this.#waiting.othersCount) === 0) {
        return;
      }
      const helper = this.#idle() ?? this.#start();
      const question = helper === undefined ? undefined : this.#waiting.shift(rootOnly);
      if (helper === undefined || question === undefined) {
        return;
      }
      helper.question = question;
      question.helper = helper;
      question.askedAt = performance.now();
      helper.process.ask(question.line);
    }
  }

  #idle(): Helper | undefined {
    for (const helper of this.#helpers) {
      if (helper.question === undefined) {
        return helper;
      }
    }
    return undefined;
  }

  #start(): Helper | undefined {
    if (this.#helpers.size >= this.#limits.helpers || this.#processes >= PROCESSES_MAX || this.#closed !== undefined) {
      return undefined;
    }
    this.#startTimer ??= setTimeout(() => this.#earnStart(), START_INTERVAL_MS).unref();
    if (this.#starts === 0) {
      return undefined;
    }
    this.#starts--;
    const helper = this.#launch();
    if (helper !== undefined) {
      this.#helpers.add(helper);
      this.#processes++;
    }
    return helper;
  }

  /** Forks. Where the host refuses, the first question in the queue is told so; the others wait for the next try. */
  #launch(): Helper | undefined {
    try {
      const helper: Helper = {
        process: new HelperProcess(this.#command, {
          answered: line => this.#answered(helper, line),
          ended: reason => this.#ended(helper, reason),
        }),
        question: undefined,
      };
      return helper;
    } catch (error) {
      const reason = `cannot be started (${error instanceof Error ? error.message : String(error)})`;
      this.#waiting.shift(false)?.settle({ kind: 'ended', reason });
      return undefined;
    }
  }

  #earnStart(): void {
    this.#startTimer = undefined;
    this.#starts++;
    if (this.#starts < STARTS_BURST) {
      this.#startTimer = setTimeout(() => this.#earnStart(), START_INTERVAL_MS).unref();
    }
    this.#assign();
  }

  #answered(helper: Helper, line: string): void {
    const { question } = helper;
    const reading = question?.read(line) ?? 'nonsense';
    helper.question = undefined;
    if (reading !== 'settled') {
      this.#discard(helper);
      if (question !== undefined) {
        this.#retry(question, reading);
      }
    }
    this.#assign();
  }

  /** A question that a helper refused goes to another, before all that wait; one that it answered with nonsense does not. */
  #retry(question: Waiting, reading: 'again' | 'nonsense'): void {
    question.helper = undefined;
    if (reading === 'nonsense') {
      question.settle({ kind: 'ended', reason: 'gave an invalid answer' });
    } else if (++question.again > AGAIN_MAX) {
      question.settle({ kind: 'ended', reason: 'says again and again that /etc/nsswitch.conf has changed' });
    } else {
      this.#waiting.unshift(question);
      // The idle ones are of the same age, and would all say the same.
      for (const helper of [...this.#helpers].filter(other => other.question === undefined)) {
        this.#discard(helper);
      }
    }
  }

  #ended(helper: Helper, reason: string): void {
    this.#processes--;
    this.#helpers.delete(helper);
    helper.question?.settle({ kind: 'ended', reason });
    helper.question = undefined;
    if (this.#closed === undefined) {
      this.#assign();
    } else if (this.#processes === 0) {
      this.#closed.resolve();
    }
  }

  #expire(question: Waiting): void {
    const { helper } = question;
    question.settle({ kind: 'late', asked: performance.now() - question.askedAt >= question.deadlineMs / 2 });
    if (helper === undefined) {
      this.#waiting.remove(question);
    } else {
      this.#discard(helper);
    }
    this.#assign();
  }

  /** Kills a helper and asks it nothing more; its place is free at once, whenever the kernel is done with it. */
  #discard(helper: Helper): void {
    helper.question = undefined;
    this.#helpers.delete(helper);
    helper.process.kill();
  }
}
