/**
 * The lines that this daemon and dynuser-helper exchange; native/helper/protocol.h is their definition. Pure. What the helper says
 * is not trusted: a foreign NSS module runs in it. An answer that is not exactly one of the known is not an answer.
 */
import { type AccountAnswer, isKnown } from '../../core/account.ts';
import { type Evidence, IPC_KINDS, type IpcKind, PROCESS_ROLES } from '../../core/evidence.ts';
import { asGid, asUid, type Gid, type Uid } from '../../core/ids.ts';
import { errnoWords } from '../../files/errno.ts';

/** QUESTION_MAX and ANSWER_MAX of protocol.h: the longest lines in bytes, with their newlines. */
export const QUESTION_BYTES_MAX = 8_192;
export const ANSWER_BYTES_MAX = 8_192;

const PROCESS_ID_MAX = 0x40_0000;

/** QUESTION_SEPARATOR of protocol.h. */
const SEPARATOR = '; ';

/** The first word of a refusal. */
const REFUSAL = 'error';

/** A helper said what is not an answer to its question. */
class NonsenseError extends Error {}

/** @throws NonsenseError if there is no such value */
export function expected<Value>(value: Value | undefined): Value {
  if (value === undefined) {
    throw new NonsenseError();
  }
  return value;
}

/** The fields of an answer, which are taken one after the other. Each method throws NonsenseError if the next is not one of its kind. */
export class Fields {
  readonly #texts: string[];

  private constructor(texts: string[]) {
    this.#texts = texts;
  }

  /** Reads all fields of a text. @throws NonsenseError also if any is left */
  static read<Answer>(text: string, separator: string, take: (fields: Fields) => Answer): Answer {
    const fields = new Fields(text.split(separator));
    const answer = take(fields);
    return expected(fields.isAtEnd ? { answer } : undefined).answer;
  }

  get isAtEnd(): boolean {
    return this.#texts.length === 0;
  }

  /** @returns what a function takes, again and again until nothing is left */
  all<Value>(take: () => Value): Value[] {
    const values: Value[] = [];
    while (!this.isAtEnd) {
      values.push(take());
    }
    return values;
  }

  matching(pattern: RegExp): string {
    const text = expected(this.#texts.shift());
    return expected(pattern.test(text) ? text : undefined);
  }

  oneOf<Word extends string>(...words: readonly Word[]): Word {
    const text = this.#texts.shift();
    return expected(words.find(word => word === text));
  }

  /** Decimal without sign or leading zeros; ten digits hold every id. */
  number(most = Number.MAX_SAFE_INTEGER): number {
    const number = Number(this.matching(/^(?:0|[1-9]\d{0,9})$/));
    return expected(number <= most ? number : undefined);
  }

  uid(): Uid {
    return expected(asUid(this.number()));
  }

  gid(): Gid {
    return expected(asGid(this.number()));
  }

  /** Percent-encoded text; bytes that are not UTF-8 become U+FFFD. */
  exactText(): string {
    const bytes = this.matching(/^(?:[A-Za-z0-9._/-]|%[0-9A-F]{2})*$/).replace(/%(..)/g, (_, digits: string) =>
      String.fromCharCode(Number.parseInt(digits, 16)),
    );
    return Buffer.from(bytes, 'latin1').toString('utf8');
  }

  /** The same for people: control characters are left out, for the text ends in logs and on terminals. */
  text(): string {
    return this.exactText().replace(/\p{Cc}/gu, '');
  }

  /** What is "-" if there is none, and else has fields of its own. */
  optional<Value>(take: (fields: Fields) => Value): Value | undefined {
    const text = this.matching(/./);
    return text === '-' ? undefined : Fields.read(text, ':', take);
  }
}

/** A question together with what to make of its answer. */
export interface Question<Answer> {
  /** without separator or newline */
  readonly text: string;
  /** completes the sentence "did not answer when asked for …", of a reaper's question "cannot …" */
  readonly subject: string;
  /** @throws NonsenseError if the fields are not an answer to this question */
  read(fields: Fields): Answer;
  /** Whether something was found: questions behind it on the same line were not asked then. Absent: there are none behind it. */
  found?(answer: Answer): boolean;
}

/** The questions of one line, 1 to 4. */
export type Questions<Answers extends readonly unknown[]> = { readonly [I in keyof Answers]: Question<Answers[I]> };

/** The answers of one line; undefined for what was not asked. */
export type Answered<Answers extends readonly unknown[]> = { readonly [I in keyof Answers]: Answers[I] | undefined };

/** What any question may be answered instead: the system call that failed, and its errno. */
export interface Refusal {
  readonly call: string;
  readonly errno: number;
}

/** @param name any that a lookup may ask for. @param of what is asked for, in words */
export function accountQuestion(name: string, of: 'user' | 'group' = 'user'): Question<AccountAnswer> {
  return { text: `name ${encodeText(name)}`, subject: `the ${of} "${name}"`, read: readAccount, found: isKnown };
}

/** GROUPS_ANSWERED of native/helper/protocol.h: with so many GIDs, there may be more. */
export const GROUPS_ANSWERED = 512;

/** The GIDs of a user and its group from a number on, ascending. */
export function groupsQuestion(user: string, gid: Gid, from: number): Question<readonly Gid[]> {
  return {
    text: `groups ${encodeText(user)} ${gid} ${from}`,
    subject: `the groups of the user "${user}"`,
    read(fields) {
      fields.oneOf('groups');
      const gids = fields.all(() => fields.gid());
      const isAscending = gids.every((own, index) => own >= from && own > (gids[index - 1] ?? -1));
      return expected(isAscending && gids.length <= GROUPS_ANSWERED ? gids : undefined);
    },
  };
}

export interface LoginAnswer {
  readonly home: string;
  readonly shell: string;
}

export function loginQuestion(user: string): Question<LoginAnswer | undefined> {
  return {
    text: `login ${encodeText(user)}`,
    subject: `home and shell of the user "${user}"`,
    read(fields) {
      fields.oneOf('login');
      return fields.isAtEnd ? undefined : { home: fields.exactText(), shell: fields.exactText() };
    },
  };
}

/** What was found about a UID, but for processes. */
export interface OwnerFinding {
  /** what speaks against it first, undefined if nothing does */
  readonly evidence: Evidence | undefined;
  /** strangers gave it System V IPC objects, which count for nothing (native/helper/sysv_ipc.h); said if nothing speaks against it */
  readonly given: boolean;
}

/** Asks NSS and IPC for the number. */
export function ownerQuestion(uid: Uid): Question<OwnerFinding> {
  return {
    text: `owner ${uid}`,
    subject: `UID ${uid}`,
    read(fields) {
      const word = fields.oneOf('free', 'given', 'user', 'group', 'ipc');
      return { evidence: readEvidence(word, fields), given: word === 'given' };
    },
    found: ({ evidence }) => evidence !== undefined,
  };
}

/** Asks for the first process that runs with the number. */
export function processQuestion(uid: Uid): Question<Evidence | undefined> {
  return {
    text: `process ${uid}`,
    subject: `UID ${uid}`,
    read: fields => readEvidence(fields.oneOf('free', 'process'), fields),
    found: evidence => evidence !== undefined,
  };
}

/** @param uids 1 to SCAN_UIDS_MAX. The answer has those of them that a process runs with */
export function runningQuestion(uids: readonly Uid[]): Question<ReadonlySet<Uid>> {
  return {
    text: `running ${uids.join(',')}`,
    subject: `the processes of ${uids.length} UIDs`,
    read(fields) {
      fields.oneOf('running');
      const numbers = fields.all(() => fields.uid());
      const running = new Set(uids.filter(uid => numbers.includes(uid)));
      return expected(running.size === numbers.length ? running : undefined);
    },
    found: running => running.size > 0,
  };
}

/** What ends the things of a UID, each with what it does; see native/helper/reap/. */
const REAPING = {
  'find-processes': 'look for the processes',
  'terminate-processes': 'terminate the processes',
  'kill-processes': 'kill the processes',
  'clear-keyrings': 'clear the keyrings',
  'remove-ipc': 'remove the IPC objects',
} as const;

/** The answer is the first thing of the UID that is left. */
export function reapQuestion(word: keyof typeof REAPING, uid: Uid): Question<Evidence | undefined> {
  return {
    text: `${word} ${uid}`,
    subject: `${REAPING[word]} of UID ${uid}`,
    read: fields => readEvidence(fields.oneOf('free', 'process', 'ipc'), fields),
    found: left => left !== undefined,
  };
}

/** Removes the IPC objects of a static user, and of a group, as far as they can be; see native/helper/reap/ipc_removal.h. */
export function accountIpcQuestion(uid: Uid, gid: Gid): Question<unknown> {
  return {
    text: `remove-account-ipc ${uid},${gid}`,
    subject: `remove the IPC objects of the user ${uid} and the group ${gid}`,
    read: fields => fields.oneOf('free'),
  };
}

/** IPC objects that strangers had given to a UID and that were removed. */
export interface RemovedGifts {
  readonly count: number;
  /** the first of them, with the UIDs that created them */
  readonly named: readonly { readonly object: IpcKind; readonly id: number; readonly creator: number }[];
}

/** Removes what OwnerFinding.given tells of; see native/helper/sysv_ipc.h. */
export function giftsQuestion(uid: Uid): Question<RemovedGifts> {
  return {
    text: `remove-given ${uid}`,
    subject: `remove the IPC objects that others gave to UID ${uid}`,
    read(fields) {
      fields.oneOf('removed');
      const count = fields.number();
      const named = fields.all(() => {
        return { object: fields.oneOf(...IPC_KINDS), id: fields.number(), creator: fields.number() };
      });
      return expected(named.length <= count ? { count, named } : undefined);
    },
  };
}

/** @returns the line that asks them, with its newline */
export function writeLine(questions: readonly Pick<Question<never>, 'text'>[]): string {
  return `${questions.map(({ text }) => text).join(SEPARATOR)}\n`;
}

export type Reply<Answers extends readonly unknown[]> =
  | { readonly kind: 'answered'; readonly answers: Answered<Answers> }
  | { readonly kind: 'refused'; readonly refusal: Refusal; readonly subject: string };

/** @returns what a helper's line is for the questions that were asked: all answers up to the first that found something, or a refusal at their end */
export function readReply<Answers extends readonly unknown[]>(
  questions: Questions<Answers>,
  line: string,
): Reply<Answers> | 'again' | 'nonsense' {
  try {
    return line === 'again' ? line : readTexts(questions, line.split(SEPARATOR));
  } catch (error) {
    if (error instanceof NonsenseError) {
      return 'nonsense';
    }
    throw error;
  }
}

function readTexts<Answers extends readonly unknown[]>(questions: Questions<Answers>, texts: string[]): Reply<Answers> {
  const answers: unknown[] = [];
  let reply: Reply<Answers> = { kind: 'answered', answers: answers as unknown as Answered<Answers> };
  for (const { subject, read, found } of questions) {
    const text = expected(texts.shift());
    if (text.startsWith(REFUSAL)) {
      reply = { kind: 'refused', refusal: Fields.read(text, ' ', readRefusal), subject };
      break;
    }
    const answer = Fields.read(text, ' ', read);
    answers.push(answer);
    if (found?.(answer) !== false) {
      break;
    }
  }
  return expected(texts.length === 0 ? reply : undefined);
}

/** WALK_CALL of process_walk.h: processes started and ended faster than they could be read. */
export const WALK_CALL = 'processes';
export const WALK_WORDS =
  'processes start and end faster than they can be read; find what forks without end, and limit it (TasksMax=)';

/** @returns what failed, in words that complete "cannot …: …" */
export function refusalWords({ call, errno }: Refusal): string {
  return call === WALK_CALL ? WALK_WORDS : `${call} failed: ${errnoWords(errno)}`;
}

function readRefusal(fields: Fields): Refusal {
  fields.oneOf(REFUSAL);
  return { call: fields.matching(/^[A-Za-z0-9_./-]+$/), errno: fields.number() };
}

function readAccount(fields: Fields): AccountAnswer {
  fields.oneOf('account');
  const user = fields.optional(ids => ({ uid: ids.uid(), gid: ids.gid() }));
  const group = fields.optional(ids => ({ gid: ids.gid() }));
  return { ...(user && { user }), ...(group && { group }) };
}

/** Reads what follows the first word of an answer. */
function readEvidence(
  kind: 'free' | 'given' | 'user' | 'group' | 'ipc' | 'process',
  fields: Fields,
): Evidence | undefined {
  switch (kind) {
    case 'free':
    case 'given':
      return undefined;
    case 'user':
    case 'group':
      return { kind, name: fields.text() };
    case 'ipc':
      return { kind, object: fields.oneOf(...IPC_KINDS), id: fields.text() };
    case 'process': {
      const pid = fields.number(PROCESS_ID_MAX);
      return { kind, pid, command: fields.text(), as: fields.oneOf(...PROCESS_ROLES) };
    }
  }
}

/** Percent-encodes every byte of a text that could be taken for something else. */
export function encodeText(text: string): string {
  return text.replace(/[^A-Za-z0-9._/-]/gu, character =>
    [...Buffer.from(character)].map(byte => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
  );
}
