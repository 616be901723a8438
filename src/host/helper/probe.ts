/**
 * The questions about names and UIDs, answered outside the daemon: by helper processes, so that an NSS module that
 * hangs or crashes costs one question. This file puts what went wrong into words.
 */

import type { CheckPurpose, NameAndUidCheck, Probe } from '../../allocator/ports.ts';
import { type Requester, ROOT } from '../../core/access.ts';
import { type AccountAnswer, isKnown } from '../../core/account.ts';
import { DynuserError } from '../../core/errors.ts';
import type { Evidence } from '../../core/evidence.ts';
import type { Gid, Uid, UserName } from '../../core/ids.ts';
import { errnoWords } from '../../files/errno.ts';
import { ProcessScans } from '../processes/scan.ts';
import { ACQUIRING_LIMITS, HelperPool, type Outcome, type PoolLimits } from './pool.ts';
import type { HelperCommand } from './process.ts';
import {
  accountQuestion,
  GROUPS_ANSWERED,
  groupsQuestion,
  type LoginAnswer,
  loginQuestion,
  type OwnerFinding,
  ownerQuestion,
  processQuestion,
  type Questions,
  type Refusal,
  runningQuestion,
  WALK_CALL,
  WALK_WORDS,
} from './protocol.ts';

/** TEXT_MAX of native/helper/protocol.h: no name is longer. */
const TEXT_BYTES_MAX = 255;
const CHECK_SOURCES = 'check the sources in /etc/nsswitch.conf';
/** PID1_SERVICE of native/helper/probe/pid1.h, which is asked past nsswitch.conf. */
const MANAGER_SERVICE = 'io.systemd.DynamicUser';
const CHECK_MANAGER = `look at who serves /run/systemd/userdb/${MANAGER_SERVICE}: varlinkctl info asks it`;

/** Of a UID that was not asked for, since the host has the name. */
const NOTHING_FOUND: OwnerFinding = { evidence: undefined, given: false };

export class HelperProbe implements Probe {
  readonly #pool: HelperPool;
  readonly #deadlineMs: () => number;
  readonly #removeGifts: (uid: Uid) => Promise<void>;
  /** how many are under way */
  #checks = 0;
  /** One scan is for all who wait, root among them: so it never waits behind others. */
  readonly #scans = new ProcessScans(async uids => (await this.#ask(ROOT, runningQuestion(uids)))[0]);

  /**
   * @param command the helper: its absolute path, with the UIDs of dynamic users unless these are the usual ones
   * @param deadlineMs how long one question may take, waiting included; asked for at each
   * @param removeGifts removes what strangers gave to a UID that take() or check() found to be free but for that
   */
  constructor(
    command: HelperCommand,
    deadlineMs: () => number,
    limits: PoolLimits = ACQUIRING_LIMITS,
    removeGifts: (uid: Uid) => Promise<void> = async () => {},
  ) {
    this.#deadlineMs = deadlineMs;
    this.#removeGifts = removeGifts;
    this.#pool = new HelperPool([...command, 'probe'], deadlineMs, limits);
  }

  /** As HelperPool.endedCount. */
  get endedCount(): number {
    return this.#pool.endedCount;
  }

  /** Starts the first helper, so that the first question does not wait for that. */
  warm(): void {
    this.#pool.warm();
  }

  /** @param command the helper of all further questions, as for the constructor */
  renew(command: HelperCommand): void {
    this.#pool.renew([...command, 'probe']);
  }

  for(requester: Requester): Probe {
    return {
      account: name => this.account(name, requester),
      evidence: uid => this.evidence(uid, requester),
      take: uid => this.take(uid, requester),
      check: (name, uid, purpose) => this.check(name, uid, purpose, requester),
    };
  }

  /** @throws DynuserError ProbeFailed; LimitReached if too many questions wait */
  async account(name: UserName, requester = ROOT): Promise<AccountAnswer> {
    const [account] = await this.#ask(requester, accountQuestion(name));
    return account ?? {};
  }

  /** @throws DynuserError as account() */
  async evidence(uid: Uid, requester = ROOT): Promise<Evidence | undefined> {
    return (await this.#find(uid, requester)).evidence;
  }

  /** @throws DynuserError as account(); what removeGifts throws */
  async take(uid: Uid, requester = ROOT): Promise<Evidence | undefined> {
    return this.#taken(uid, await this.#find(uid, requester));
  }

  /** @throws DynuserError as take() */
  async check(name: UserName, uid: Uid, purpose: CheckPurpose = 'take', requester = ROOT): Promise<NameAndUidCheck> {
    // One line if it is the only check, so that there is one process to wake; otherwise one scan is for all of them.
    const isAlone = this.#checks === 0;
    this.#checks++;
    try {
      const { account, found } = await (isAlone
        ? this.#checkByOneLine(name, uid, requester)
        : this.#checkByScan(name, uid, requester));
      const take = purpose === 'take' && !isKnown(account);
      return { account, evidence: take ? await this.#taken(uid, found) : found.evidence };
    } finally {
      this.#checks--;
    }
  }

  async #find(uid: Uid, requester: Requester): Promise<OwnerFinding> {
    const [[owner = NOTHING_FOUND], mayRun] = await Promise.all([
      this.#ask(requester, ownerQuestion(uid)),
      this.#scans.mayRun(uid),
    ]);
    return this.#withProcess(uid, owner, mayRun, requester);
  }

  /** After a scan: names the process that it has found, or says why there is no telling. */
  async #withProcess(uid: Uid, owner: OwnerFinding, mayRun: boolean, requester: Requester): Promise<OwnerFinding> {
    if (owner.evidence !== undefined || !mayRun) {
      return owner;
    }
    const [evidence] = await this.#ask(requester, processQuestion(uid));
    return { ...owner, evidence };
  }

  /** @returns what speaks against the UID; if nothing does, what strangers gave to it is gone */
  async #taken(uid: Uid, { evidence, given }: OwnerFinding): Promise<Evidence | undefined> {
    if (evidence === undefined && given) {
      await this.#removeGifts(uid);
    }
    return evidence;
  }

  async #checkByOneLine(name: UserName, uid: Uid, requester: Requester) {
    const [account = {}, owner = NOTHING_FOUND, process] = await this.#ask(
      requester,
      accountQuestion(name),
      ownerQuestion(uid),
      processQuestion(uid),
    );
    return { account, found: { ...owner, evidence: owner.evidence ?? process } };
  }

  async #checkByScan(name: UserName, uid: Uid, requester: Requester) {
    const [[account = {}, owner = NOTHING_FOUND], mayRun] = await Promise.all([
      this.#ask(requester, accountQuestion(name), ownerQuestion(uid)),
      this.#scans.mayRun(uid),
    ]);
    return {
      account,
      found: isKnown(account) ? owner : await this.#withProcess(uid, owner, mayRun, requester),
    };
  }

  /** @returns the GID of a group, undefined if there is none of that name @throws DynuserError as account() */
  async group(name: string): Promise<Gid | undefined> {
    const [account] =
      Buffer.byteLength(name) > TEXT_BYTES_MAX ? [] : await this.#ask(ROOT, accountQuestion(name, 'group'));
    return account?.group?.gid;
  }

  /** @returns the groups of a user as initgroups(3) has them, ascending @throws DynuserError as account() */
  async memberships(user: UserName, gid: Gid): Promise<readonly Gid[]> {
    const gids: Gid[] = [];
    for (;;) {
      const [found = []] = await this.#ask(ROOT, groupsQuestion(user, gid, (gids.at(-1) ?? -1) + 1));
      gids.push(...found);
      if (found.length < GROUPS_ANSWERED) {
        return gids;
      }
    }
  }

  /** @returns home and shell of a user, undefined if there is none of that name @throws DynuserError as account() */
  async login(user: UserName): Promise<LoginAnswer | undefined> {
    const [login] = await this.#ask(ROOT, loginQuestion(user));
    return login;
  }

  /** Ends all helpers; open questions fail. @returns when the processes are gone */
  close(): Promise<void> {
    return this.#pool.close();
  }

  /** Asks the questions of one line. @returns their answers; undefined for what was not asked, since something was found before */
  async #ask<Answers extends readonly unknown[]>(requester: Requester, ...questions: Questions<Answers>) {
    const outcome = await this.#pool.ask(questions, requester);
    if (outcome.kind === 'answered') {
      return outcome.answers;
    }
    const subjects = new Set(questions.map(({ subject }) => subject));
    throw this.#failure([...subjects].join(' and '), outcome, requester);
  }

  #failure(subject: string, outcome: Exclude<Outcome<never>, { kind: 'answered' }>, { uid }: Requester): DynuserError {
    const limit = `${this.#deadlineMs() / 1_000} s`;
    switch (outcome.kind) {
      case 'refused':
        return refused(outcome.subject, outcome.refusal);
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
  const asksNss = /^get(?:pw|gr)/.test(call) || call.endsWith('nsswitch.conf');
  const advice = asksNss ? `; ${CHECK_SOURCES}` : call === MANAGER_SERVICE ? `; ${CHECK_MANAGER}` : '';
  return new DynuserError('ProbeFailed', `${call} failed when asked for ${subject}: ${errnoWords(errno)}${advice}`);
}
