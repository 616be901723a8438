/**
 * The questions about names and UIDs, answered outside the daemon: by helper processes, so that an NSS module that
 * hangs or crashes costs one question. This file puts what went wrong into words.
 */
import { getSystemErrorMap } from 'node:util';
import { type AccountAnswer, isKnown } from '../core/account.ts';
import { DynuserError } from '../core/errors.ts';
import type { Uid, UserName } from '../core/ids.ts';
import type { Evidence } from '../core/verdict.ts';
import type { Claim, Probe } from '../service/ports.ts';
import { HELPERS_MAX, HelperPool, type Outcome, type PoolSettings, QUESTIONS_WAITING_MAX } from './helper-pool.ts';
import type { HelperCommand } from './helper-process.ts';
import {
  accountQuestion,
  claimQuestion,
  evidenceQuestion,
  ownerQuestion,
  type Question,
  type Refusal,
  type Reply,
  readReply,
  runningQuestion,
} from './helper-protocol.ts';
import { ProcessLooks } from './process-looks.ts';

const CHECK_SOURCES = 'check the sources in /etc/nsswitch.conf';
/** MANAGER_SERVICE of native/helper/manager.h, which is asked past nsswitch.conf. */
const MANAGER_SERVICE = 'io.systemd.DynamicUser';
const CHECK_MANAGER = `look at who serves /run/systemd/userdb/${MANAGER_SERVICE}: varlinkctl info asks it`;

export class HelperProbe implements Probe {
  readonly #pool: HelperPool;
  readonly #settings: PoolSettings;
  /** how many are under way */
  #claims = 0;
  readonly #looks = new ProcessLooks(uids => this.#ask(runningQuestion(uids)));

  /**
   * Starts the first helper.
   * @param command the helper: its absolute path, alone but for tests
   * @param settings how long one question may take, waiting included; read at each question
   */
  constructor(command: HelperCommand, settings: PoolSettings) {
    this.#settings = settings;
    this.#pool = new HelperPool(command, settings);
    this.#pool.warm();
  }

  /** @throws DynuserError ProbeFailed; LimitReached where too many questions wait */
  account(name: UserName): Promise<AccountAnswer> {
    return this.#ask(accountQuestion(name));
  }

  /** @throws DynuserError ProbeFailed; LimitReached where too many questions wait */
  async evidence(uid: Uid): Promise<Evidence | undefined> {
    const [owner, mayRun] = await Promise.all([this.#ask(ownerQuestion(uid)), this.#looks.mayRun(uid)]);
    // The full question names the process, or says why there is no telling.
    return owner === undefined && mayRun ? this.#ask(evidenceQuestion(uid)) : owner;
  }

  /**
   * One question where it is the only one, so that there is one process to wake; where there are others, one look at the
   * processes is for all.
   * @throws DynuserError ProbeFailed; LimitReached where too many questions wait
   */
  async claim(name: UserName, uid: Uid): Promise<Claim> {
    const isAlone = this.#claims === 0;
    this.#claims++;
    try {
      const [claimed, others] = await Promise.all([
        this.#tell(claimQuestion(name, uid, isAlone)),
        isAlone ? undefined : this.#looks.mayRun(uid),
      ]);
      if ('refusal' in claimed) {
        return await this.#claimInTurn(name, uid);
      }
      const { account, owner, mayRun = others } = claimed.answer;
      // The full question names the process, or says why there is no telling.
      const runs = owner === undefined && mayRun !== false && !isKnown(account);
      return { account, evidence: runs ? await this.#ask(evidenceQuestion(uid)) : owner };
    } finally {
      this.#claims--;
    }
  }

  /** So that a failure is told of what failed, and one of the UID not at all where the name needs none. */
  async #claimInTurn(name: UserName, uid: Uid): Promise<Claim> {
    const account = await this.account(name);
    return { account, evidence: isKnown(account) ? undefined : await this.evidence(uid) };
  }

  /** Ends all helpers; open questions fail. @returns when the processes are gone */
  close(): Promise<void> {
    return this.#pool.close();
  }

  async #ask<Answer>(question: Question<Answer>): Promise<Answer> {
    const reply = await this.#tell(question);
    if ('refusal' in reply) {
      throw refused(question.subject, reply.refusal);
    }
    return reply.answer;
  }

  async #tell<Answer>(question: Question<Answer>): Promise<Reply<Answer>> {
    const outcome = await this.#pool.ask(question.line, line => readReply(question, line));
    if (outcome.kind !== 'answered') {
      throw this.#failure(question.subject, outcome);
    }
    return outcome.answer;
  }

  #failure(subject: string, outcome: Exclude<Outcome<never>, { kind: 'answered' }>): DynuserError {
    const limit = `${this.#settings.deadlineMs / 1_000} s`;
    switch (outcome.kind) {
      case 'late':
        return new DynuserError(
          'ProbeFailed',
          outcome.asked
            ? `NSS did not answer within ${limit} when asked for ${subject}; ${CHECK_SOURCES}`
            : `${subject} was not asked for within ${limit}: NSS is too slow for all that is asked; ${CHECK_SOURCES}`,
        );
      case 'ended':
        return new DynuserError(
          'ProbeFailed',
          `the helper process ${outcome.reason} when asked for ${subject}; ${CHECK_SOURCES}`,
        );
      case 'full':
        return new DynuserError(
          'LimitReached',
          `${QUESTIONS_WAITING_MAX} questions wait for ${HELPERS_MAX} helper processes; try again later`,
        );
      case 'closed':
        return new DynuserError('ProbeFailed', `${subject} was not asked for: dynuserd is stopping`);
    }
  }
}

function refused(subject: string, { call, errno }: Refusal): DynuserError {
  const [code, words] = getSystemErrorMap().get(-errno) ?? [`errno ${errno}`, 'unknown error'];
  const asksNss = /^get(?:pw|gr)/.test(call) || call.endsWith('nsswitch.conf');
  const advice = asksNss ? `; ${CHECK_SOURCES}` : call === MANAGER_SERVICE ? `; ${CHECK_MANAGER}` : '';
  return new DynuserError('ProbeFailed', `${call} failed when asked for ${subject}: ${code}, ${words}${advice}`);
}
