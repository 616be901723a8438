/**
 * A few helper processes and the questions that wait for them. Every question has a deadline, the time in the queue
 * included; a helper that misses it is killed. What becomes of a question is a value: nothing here throws, and one bad
 * helper costs the question that it was asked.
 */
import { type HelperCommand, HelperProcess } from './helper-process.ts';

/** Helpers that answer at the same time: so many NSS questions may hang before all others wait. */
export const HELPERS_MAX = 4;
/** Questions that wait for a helper. */
export const QUESTIONS_WAITING_MAX = 256;
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
  /** too many questions wait */
  | { readonly kind: 'full' }
  | { readonly kind: 'closed' };

/** What a helper's line is for the question that was asked. */
export type Reading<Answer> = { readonly answer: Answer } | 'again' | 'nonsense';

interface Waiting {
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
  /** helpers that can be asked, now or after their question */
  readonly #helpers = new Set<Helper>();
  readonly #waiting: Waiting[] = [];
  #processes = 0;
  #starts = STARTS_BURST;
  #startTimer: NodeJS.Timeout | undefined;
  #closed: { resolve(): void } | undefined;

  constructor(command: HelperCommand, settings: PoolSettings) {
    this.#command = command;
    this.#settings = settings;
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
   */
  ask<Answer>(line: string, read: (line: string) => Reading<Answer>): Promise<Outcome<Answer>> {
    if (this.#closed !== undefined) {
      return Promise.resolve({ kind: 'closed' });
    }
    if (this.#waiting.length >= QUESTIONS_WAITING_MAX) {
      return Promise.resolve({ kind: 'full' });
    }
    const { deadlineMs } = this.#settings;
    return new Promise(resolve => {
      const settle = (outcome: Outcome<Answer>): void => {
        clearTimeout(question.timer);
        resolve(outcome);
      };
      const question: Waiting = {
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
      for (const question of this.#waiting.splice(0)) {
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

  /** Gives the waiting questions to idle helpers, and starts helpers for the rest as far as the limits go. */
  #assign(): void {
    while (this.#waiting.length > 0) {
      const helper = this.#idle() ?? this.#start();
      const question = helper === undefined ? undefined : this.#waiting.shift();
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
    if (this.#helpers.size >= HELPERS_MAX || this.#processes >= PROCESSES_MAX || this.#closed !== undefined) {
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
      this.#waiting.shift()?.settle({ kind: 'ended', reason });
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
      question.settle({ kind: 'ended', reason: 'gave an answer that is none' });
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
      this.#waiting.splice(this.#waiting.indexOf(question), 1);
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
