/**
 * The questions about names and UIDs, answered outside the daemon: by helper processes, so that an NSS module that
 * hangs or crashes costs one question. This file puts what went wrong into words.
 */

import { getSystemErrorMap } from 'node:util';
import type { CheckPurpose, NameAndUidCheck, Probe } from '../../allocator/ports.ts';
import { type Requester, ROOT } from '../../core/access.ts';
import { type AccountAnswer, isKnown } from '../../core/account.ts';
import { DynuserError } from '../../core/errors.ts';
import type { Evidence } from '../../core/evidence.ts';
import type { Uid, UserName } from '../../core/ids.ts';
import { ProcessScans } from '../processes/scan.ts';
import { HelperPool, type Outcome, type PoolSettings } from './pool.ts';
import { ACQUIRING_LIMITS, type PoolLimits } from './pool-limits.ts';
import type { HelperCommand } from './process.ts';
import {
  accountQuestion,
  claimQuestion,
  evidenceQuestion,
  type Finding,
  ownerQuestion,
  type Question,
  type Refusal,
  type Reply,
  readReply,
  runningQuestion,
  WALK_CALL,
  WALK_WORDS,
} from './protocol.ts';

const CHECK_SOURCES = 'check the sources in /etc/nsswitch.conf';
/** PID1_SERVICE of native/helper/probe/pid1_lookup.h, which is asked past nsswitch.conf. */
const MANAGER_SERVICE = 'io.systemd.DynamicUser';
const CHECK_MANAGER = `look at who serves /run/systemd/userdb/${MANAGER_SERVICE}: varlinkctl info asks it`;

export class HelperProbe implements Probe {
  readonly #pool: HelperPool;
  readonly #settings: PoolSettings;
  readonly #removeGifts: (uid: Uid) => Promise<void>;
  /** how many are under way */
  #claims = 0;
  /** One look is for all who wait, root among them: so it never waits behind others. */
  readonly #scans = new ProcessScans(uids => this.#ask(runningQuestion(uids), ROOT));

  /**
   * @param command the helper: its absolute path, alone but for tests
   * @param settings how long one question may take, waiting included; read at each question
   * @param removeGifts removes what strangers gave to a UID that take() or claim() found to be free but for that
   */
  constructor(
    command: HelperCommand,
    settings: PoolSettings,
    limits: PoolLimits = ACQUIRING_LIMITS,
    removeGifts: (uid: Uid) => Promise<void> = async () => {},
  ) {
    this.#settings = settings;
    this.#removeGifts = removeGifts;
    this.#pool = new HelperPool([...command, 'probe'], settings, limits);
  }

  /** Starts the first helper, so that the first question does not wait for that. */
  warm(): void {
    this.#pool.warm();
  }

  for(requester: Requester): Probe {
    return {
      account: name => this.#account(name, requester),
      evidence: uid => this.#evidence(uid, requester),
      take: uid => this.#take(uid, requester),
      check: (name, uid, purpose) => this.#claim(name, uid, requester, purpose),
    };
  }

  /** @throws DynuserError ProbeFailed; LimitReached if too many questions wait */
  account(name: UserName): Promise<AccountAnswer> {
    return this.#account(name, ROOT);
  }

  /** @throws DynuserError ProbeFailed; LimitReached if too many questions wait */
  evidence(uid: Uid): Promise<Evidence | undefined> {
    return this.#evidence(uid, ROOT);
  }

  /** @throws DynuserError ProbeFailed; LimitReached if too many questions wait; what removeGifts throws */
  take(uid: Uid): Promise<Evidence | undefined> {
    return this.#take(uid, ROOT);
  }

  /** @throws DynuserError as take() */
  check(name: UserName, uid: Uid, purpose?: CheckPurpose): Promise<NameAndUidCheck> {
    return this.#claim(name, uid, ROOT, purpose);
  }

  #account(name: UserName, requester: Requester): Promise<AccountAnswer> {
    return this.#ask(accountQuestion(name), requester);
  }

  async #evidence(uid: Uid, requester: Requester): Promise<Evidence | undefined> {
    return (await this.#find(uid, requester)).evidence;
  }

  async #take(uid: Uid, requester: Requester): Promise<Evidence | undefined> {
    return this.#taken(uid, await this.#find(uid, requester));
  }

  async #find(uid: Uid, requester: Requester): Promise<Finding> {
    const [owner, mayRun] = await Promise.all([this.#ask(ownerQuestion(uid), requester), this.#scans.mayRun(uid)]);
    // The full question names the process, or says why there is no telling.
    return owner.evidence === undefined && mayRun ? this.#ask(evidenceQuestion(uid), requester) : owner;
  }

  /** @returns what speaks against the UID; if nothing does, what strangers gave to it is gone */
  async #taken(uid: Uid, { evidence, given }: Finding): Promise<Evidence | undefined> {
    if (evidence === undefined && given) {
      await this.#removeGifts(uid);
    }
    return evidence;
  }

  /** One question if it is the only one, so that there is one process to wake; otherwise one look at the processes is for all. */
  async #claim(
    name: UserName,
    uid: Uid,
    requester: Requester,
    purpose: CheckPurpose = 'take',
  ): Promise<NameAndUidCheck> {
    const isAlone = this.#claims === 0;
    this.#claims++;
    try {
      const [claimed, others] = await Promise.all([
        this.#tell(claimQuestion(name, uid, isAlone), requester),
        isAlone ? undefined : this.#scans.mayRun(uid),
      ]);
      if ('refusal' in claimed) {
        return await this.#claimInTurn(name, uid, requester, purpose);
      }
      const { account, owner, mayRun = others } = claimed.answer;
      if (isKnown(account)) {
        return { account, evidence: owner.evidence };
      }
      // The full question names the process, or says why there is no telling.
      const runs = owner.evidence === undefined && mayRun !== false;
      const finding = runs ? await this.#ask(evidenceQuestion(uid), requester) : owner;
      return { account, evidence: purpose === 'look' ? finding.evidence : await this.#taken(uid, finding) };
    } finally {
      this.#claims--;
    }
  }

  /** So that a failure is told of what failed, and one of the UID not at all where the name needs none. */
  async #claimInTurn(name: UserName, uid: Uid, requester: Requester, purpose: CheckPurpose): Promise<NameAndUidCheck> {
    const account = await this.#account(name, requester);
    if (isKnown(account)) {
      return { account, evidence: undefined };
    }
    const asked = purpose === 'look' ? this.#evidence(uid, requester) : this.#take(uid, requester);
    return { account, evidence: await asked };
  }

  /** Ends all helpers; open questions fail. @returns when the processes are gone */
  close(): Promise<void> {
    return this.#pool.close();
  }

  async #ask<Answer>(question: Question<Answer>, requester: Requester): Promise<Answer> {
    const reply = await this.#tell(question, requester);
    if ('refusal' in reply) {
      throw refused(question.subject, reply.refusal);
    }
    return reply.answer;
  }

  async #tell<Answer>(question: Question<Answer>, requester: Requester): Promise<Reply<Answer>> {
    const outcome = await this.#pool.ask(question.line, line => readReply(question, line), requester);
    if (outcome.kind !== 'answered') {
      throw this.#failure(question.subject, outcome, requester);
    }
    return outcome.answer;
  }

  #failure(subject: string, outcome: Exclude<Outcome<never>, { kind: 'answered' }>, { uid }: Requester): DynuserError {
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
          outcome.of === 'uid'
            ? `the user ${uid} waits for the answers to ${outcome.limit} questions about this host already; try again when one has come`
            : `${outcome.limit} questions wait for the helper processes; try again later`,
        );
      case 'closed':
        return new DynuserError('ProbeFailed', `${subject} was not asked for: dynuserd is stopping`);
    }
  }
}

function refused(subject: string, { call, errno }: Refusal): DynuserError {
  if (call === WALK_CALL) {
    return new DynuserError('ProbeFailed', `cannot tell whether ${subject} is free: ${WALK_WORDS}`);
  }
  const [code, words] = getSystemErrorMap().get(-errno) ?? [`errno ${errno}`, 'unknown error'];
  const asksNss = /^get(?:pw|gr)/.test(call) || call.endsWith('nsswitch.conf');
  const advice = asksNss ? `; ${CHECK_SOURCES}` : call === MANAGER_SERVICE ? `; ${CHECK_MANAGER}` : '';
  return new DynuserError('ProbeFailed', `${call} failed when asked for ${subject}: ${code}, ${words}${advice}`);
}
