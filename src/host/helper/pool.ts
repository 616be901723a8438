/**
 * A few helper processes and the questions that wait for them. Every question has a deadline, which includes its time in the
 * queue; a helper that misses it is killed. The outcome of a question is a value: nothing here throws, and a bad helper costs
 * only the question that it was asked.
 */
import { type Requester, ROOT } from '../../core/access.ts';
import { reasonOf } from '../../core/errors.ts';
import { type HelperCommand, HelperProcess } from './process.ts';
import { type Questions, type Reply, readReply, writeLine } from './protocol.ts';

export interface PoolLimits {
  /** helpers that answer at the same time: so many NSS questions may hang before all others wait */
  readonly helpers: number;
  /** how many of these the questions of others than root may occupy at a time */
  readonly helpersOfOthers: number;
  /** questions that wait for a helper: of root, and once more of all others together */
  readonly waiting: number;
  /** questions of one UID other than root that wait or are being answered */
  readonly questionsPerUid: number;
}

/** Limits of the helpers for peers that may acquire: if the questions of one UID hang, root still has half of the helpers. */
export const ACQUIRING_LIMITS: PoolLimits = {
  helpers: 4,
  helpersOfOthers: 2,
  waiting: 256,
  questionsPerUid: 64,
};

/** Limits of the helpers for everybody else, who can only ask: Explain needs one answer after the other. */
export const PUBLIC_LIMITS: PoolLimits = { helpers: 2, helpersOfOthers: 2, waiting: 64, questionsPerUid: 8 };

/** Processes in all: one that was killed in an uninterruptible sleep stays until its system call ends. */
const PROCESSES_MAX = 16;
/** A helper that dies at every question costs a fork each: so many at once, then one in every START_INTERVAL_MS. */
const STARTS_BURST = 8;
const START_INTERVAL_MS = 100;
/** How often one question may be given to another helper because nsswitch.conf has changed. */
const AGAIN_MAX = 3;

export type Outcome<Answers extends readonly unknown[]> = Reply<Answers> | Failure;

/** Why there is no reply. */
type Failure =
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
  helper: Helper | undefined;
  /** performance.now() when a helper got it; infinite while it waits */
  askedAt: number;
  again: number;
  /** takes what the helper said, and says whether that answers the question */
  read(line: string): 'answered' | 'again' | 'nonsense';
  settle(outcome: Failure): void;
}

interface Helper {
  readonly process: HelperProcess;
  question: Waiting | undefined;
  /** it is asked nothing after its question */
  isRetired: boolean;
}

export class HelperPool {
  #command: HelperCommand;
  readonly #deadlineMs: () => number;
  readonly #limits: PoolLimits;
  /** helpers that can be asked, now or after their question */
  readonly #helpers = new Set<Helper>();
  readonly #waiting = new QuestionQueue();
  /** how many helpers have ended, or were killed, before the pool was closed */
  endedCount = 0;
  #processes = 0;
  #starts = STARTS_BURST;
  #startTimer: NodeJS.Timeout | undefined;
  #closed: { resolve(): void } | undefined;

  /** @param deadlineMs how long one question may take, waiting included; asked for at each */
  constructor(command: HelperCommand, deadlineMs: () => number, limits: PoolLimits = ACQUIRING_LIMITS) {
    this.#command = command;
    this.#deadlineMs = deadlineMs;
    this.#limits = limits;
  }

  /** Starts the first helper, so that the first question does not wait for that. */
  warm(): void {
    if (this.#helpers.size === 0) {
      this.#start();
    }
  }

  /** Has all further questions answered by helpers of another command; those under way are answered by whom they were asked. */
  renew(command: HelperCommand): void {
    this.#command = command;
    for (const helper of [...this.#helpers]) {
      helper.isRetired = true;
      if (helper.question === undefined) {
        this.#discard(helper);
      }
    }
  }

  /**
   * Asks the questions of one line.
   * @param requester on whose behalf: root's questions wait for nobody else's
   */
  ask<Answers extends readonly unknown[]>(
    questions: Questions<Answers>,
    requester: Requester = ROOT,
  ): Promise<Outcome<Answers>> {
    const refusal: Failure | undefined =
      this.#closed === undefined ? this.#reachedLimit(requester) : { kind: 'closed' };
    if (refusal !== undefined) {
      return Promise.resolve(refusal);
    }
    const deadlineMs = this.#deadlineMs();
    return new Promise(resolve => {
      const settle = (outcome: Outcome<Answers>): void => {
        clearTimeout(question.timer);
        resolve(outcome);
      };
      const question: Waiting = {
        requester,
        line: writeLine(questions),
        timer: setTimeout(() => this.#expire(question, deadlineMs), deadlineMs),
        helper: undefined,
        askedAt: Number.POSITIVE_INFINITY,
        again: 0,
        read(line) {
          const reply = readReply(questions, line);
          if (typeof reply === 'string') {
            return reply;
          }
          settle(reply);
          return 'answered';
        },
        settle,
      };
      this.#waiting.push(question);
      this.#assign();
    });
  }

  /** Ends all helpers; every open question fails as closed. @returns when the processes are gone */
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

  #reachedLimit({ isRoot, uid }: Requester): Failure | undefined {
    const { waiting, questionsPerUid } = this.#limits;
    if (!isRoot && this.#waiting.countOf(uid) + this.#asked(uid) >= questionsPerUid) {
      return { kind: 'full', limit: questionsPerUid, of: 'uid' };
    }
    const count = isRoot ? this.#waiting.rootCount : this.#waiting.othersCount;
    return count >= waiting ? { kind: 'full', limit: waiting, of: 'all' } : undefined;
  }

  /** How many questions of others than root helpers have now. @param uid of this one alone, if given */
  #asked(uid?: number): number {
    const requesters = [...this.#helpers].flatMap(({ question }) => question?.requester ?? []);
    return requesters.filter(other => !other.isRoot && (uid === undefined || other.uid === uid)).length;
  }

  /** Gives the waiting questions to idle helpers, and starts helpers for the rest as far as the limits go. */
  #assign(): void {
    for (;;) {
      // The others have as many helpers as they may.
      const rootOnly = this.#asked() >= this.#limits.helpersOfOthers;
      if (this.#waiting.rootCount + (rootOnly ? 0 : this.#waiting.othersCount) === 0) {
        return;
      }
      const helper = [...this.#helpers].find(({ question }) => question === undefined) ?? this.#start();
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

  #start(): Helper | undefined {
    if (this.#helpers.size >= this.#limits.helpers || this.#processes >= PROCESSES_MAX || this.#closed !== undefined) {
      return undefined;
    }
    this.#startTimer ??= setTimeout(() => this.#earnStart(), START_INTERVAL_MS).unref();
    if (this.#starts === 0) {
      return undefined;
    }
    this.#starts--;
    try {
      const helper: Helper = {
        process: new HelperProcess(this.#command, {
          answered: line => this.#answered(helper, line),
          ended: reason => this.#ended(helper, reason),
        }),
        question: undefined,
        isRetired: false,
      };
      this.#helpers.add(helper);
      this.#processes++;
      return helper;
    } catch (error) {
      // The first question in the queue is told so; the others wait for the next try.
      const reason = `cannot be started (${reasonOf(error)})`;
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
    if (reading !== 'answered' || helper.isRetired) {
      this.#discard(helper);
    }
    if (reading !== 'answered' && question !== undefined) {
      this.#retry(question, reading);
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
      this.endedCount++;
      this.#assign();
    } else if (this.#processes === 0) {
      this.#closed.resolve();
    }
  }

  #expire(question: Waiting, deadlineMs: number): void {
    const { helper } = question;
    question.settle({ kind: 'late', asked: performance.now() - question.askedAt >= deadlineMs / 2 });
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

/** Questions that wait for a helper: root's first, in the order in which they came; then the others' in turn by UID. */
class QuestionQueue {
  readonly #root: Waiting[] = [];
  /** never an empty list; the UID whose turn is next comes first */
  readonly #others = new Map<number, Waiting[]>();

  get rootCount(): number {
    return this.#root.length;
  }

  /** How many questions of all other UIDs wait. */
  get othersCount(): number {
    return [...this.#others.values()].reduce((sum, { length }) => sum + length, 0);
  }

  /** How many questions of a UID other than root wait. */
  countOf(uid: number): number {
    return this.#others.get(uid)?.length ?? 0;
  }

  push(question: Waiting): void {
    this.#listOf(question).push(question);
  }

  /** Puts back a question that was taken out: it is the next one of its requester. */
  unshift(question: Waiting): void {
    this.#listOf(question).unshift(question);
  }

  /** @param rootOnly leaves the questions of others alone. @returns the next question, no longer in the queue */
  shift(rootOnly: boolean): Waiting | undefined {
    const first = this.#root.shift();
    if (first !== undefined || rootOnly) {
      return first;
    }
    for (const [uid, [question, ...rest]] of this.#others) {
      this.#others.delete(uid);
      if (rest.length > 0) {
        // At the end: all other UIDs have their turn first.
        this.#others.set(uid, rest);
      }
      return question;
    }
    return undefined;
  }

  /** @param question one that waits */
  remove(question: Waiting): void {
    const list = this.#listOf(question);
    list.splice(list.indexOf(question), 1);
    if (list.length === 0 && !question.requester.isRoot) {
      this.#others.delete(question.requester.uid);
    }
  }

  /** Empties the queue. @returns all that was in it */
  clear(): Waiting[] {
    const all = [...this.#root.splice(0), ...[...this.#others.values()].flat()];
    this.#others.clear();
    return all;
  }

  #listOf({ requester }: Waiting): Waiting[] {
    const list = requester.isRoot ? this.#root : (this.#others.get(requester.uid) ?? []);
    if (!requester.isRoot) {
      this.#others.set(requester.uid, list);
    }
    return list;
  }
}
