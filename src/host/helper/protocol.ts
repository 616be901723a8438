/**
 * The lines that this daemon and dynuser-helper exchange; native/helper/protocol.h is their definition. Pure. What the helper says
 * is not trusted: a foreign NSS module runs in it. An answer that is not exactly one of the known is no answer.
 */
import { getSystemErrorMap } from 'node:util';
import { type AccountAnswer, isKnown } from '../../core/account.ts';
import { type Evidence, IPC_KINDS, PROCESS_ROLES } from '../../core/evidence.ts';
import { asGid, asUid, type Gid, type Uid, type UserName } from '../../core/ids.ts';

/** QUESTION_MAX and ANSWER_MAX of protocol.h: the longest lines in bytes, with their newlines. */
export const QUESTION_BYTES_MAX = 8_192;
export const ANSWER_BYTES_MAX = 8_192;

const PROCESS_ID_MAX = 0x40_0000;

/** QUESTION_SEPARATOR of protocol.h. */
const SEPARATOR = '; ';

/** A question together with what to make of its answer. */
export interface Question<Answer> {
  /** without separator or newline */
  readonly text: string;
  /** completes the sentence "did not answer when asked for …", of a reaper's question "cannot …" */
  readonly subject: string;
  /** @returns undefined if the fields are no answer to this question */
  parse(fields: readonly string[]): { readonly answer: Answer } | undefined;
  /** Whether something was found: questions behind it on the same line were not asked then. */
  found(answer: Answer): boolean;
}

/** The questions of one line, 1 to 4. */
export type Questions<Answers extends readonly unknown[]> = { readonly [I in keyof Answers]: Question<Answers[I]> };

/** The answers of one line; undefined for what was not asked. */
type Answered<Answers extends readonly unknown[]> = { readonly [I in keyof Answers]: Answers[I] | undefined };

/** What any question may be answered instead: the system call that failed, and its errno. */
export interface Refusal {
  readonly call: string;
  readonly errno: number;
}

/** @param name any that a lookup may ask for */
export function groupQuestion(name: string): Question<AccountAnswer> {
  return {
    text: `name ${encodeText(name)}`,
    subject: `the group "${name}"`,
    parse: fields => {
      const parsed = parseAccount(fields);
      return parsed && { answer: parsed.answer };
    },
    found: isKnown,
  };
}

/** GROUPS_ANSWERED of native/helper/probe/memberships.h: with so many GIDs, there may be more. */
export const GROUPS_ANSWERED = 512;

/** The GIDs of a user and its group from a number on, ascending. */
export function groupsQuestion(user: string, gid: Gid, from: number): Question<readonly Gid[]> {
  return {
    text: `groups ${encodeText(user)} ${gid} ${from}`,
    subject: `the groups of the user "${user}"`,
    parse: fields => parseGroups(fields, from),
    found: () => true,
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
    parse: parseLogin,
    found: () => true,
  };
}

/** What was found about a UID, but for processes. */
export interface OwnerFinding {
  /** what speaks against it first, undefined if nothing does */
  readonly evidence: Evidence | undefined;
  /** strangers gave it System V IPC objects, which count for nothing (native/helper/sysv_ipc.h); said if nothing speaks against it */
  readonly given: boolean;
}

export function accountQuestion(name: UserName): Question<AccountAnswer> {
  // The strict grammar of a UserName has no byte that would need an escape.
  return { text: `name ${name}`, subject: `the user "${name}"`, parse: parseAccount, found: isKnown };
}

/** Asks NSS and IPC for the number. */
export function ownerQuestion(uid: Uid): Question<OwnerFinding> {
  return {
    text: `owner ${uid}`,
    subject: `UID ${uid}`,
    parse: parseOwner,
    found: ({ evidence }) => evidence !== undefined,
  };
}

/** Asks for the first process that runs with the number. */
export function processQuestion(uid: Uid): Question<Evidence | undefined> {
  return {
    text: `process ${uid}`,
    subject: `UID ${uid}`,
    parse: fields => parseFirst(fields, ['process']),
    found: evidence => evidence !== undefined,
  };
}

/** @param uids 1 to SCAN_UIDS_MAX. The answer has those of them that a process runs with */
export function runningQuestion(uids: readonly Uid[]): Question<ReadonlySet<Uid>> {
  return {
    text: `running ${uids.join(',')}`,
    subject: `the processes of ${uids.length} UIDs`,
    parse: fields => parseRunning(fields, uids),
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
    parse: fields => parseFirst(fields, ['process', 'ipc']),
    found: left => left !== undefined,
  };
}

/** Removes the IPC objects of a static user, and of a group, as far as they can be; see native/helper/reap/account_ipc.h. */
export function accountIpcQuestion(uid: Uid, gid: Gid): Question<undefined> {
  return {
    text: `remove-account-ipc ${uid},${gid}`,
    subject: `remove the IPC objects of the user ${uid} and the group ${gid}`,
    parse: ([word, ...rest]) => (word === 'free' && rest.length === 0 ? { answer: undefined } : undefined),
    found: () => false,
  };
}

/** @returns the line that asks them, with its newline */
export function writeLine(questions: readonly Pick<Question<never>, 'text'>[]): string {
  return `${questions.map(({ text }) => text).join(SEPARATOR)}\n`;
}

/** What a helper's line is for the questions that were asked. */
export type Reading<Answer> = { readonly answer: Answer } | 'again' | 'nonsense';

export type Reply<Answers extends readonly unknown[]> =
  | { readonly answers: Answered<Answers> }
  | { readonly refusal: Refusal; readonly subject: string };

/** Reads a line for HelperPool.ask: all answers up to the first that found something, or a refusal at their end. */
export function readReply<Answers extends readonly unknown[]>(
  questions: Questions<Answers>,
  line: string,
): Reading<Reply<Answers>> {
  if (line === 'again') {
    return 'again';
  }
  const answers: unknown[] = [];
  const texts = line.split(SEPARATOR);
  for (const [index, text] of texts.entries()) {
    const question = questions[index];
    const isLast = index === texts.length - 1;
    const fields = text.split(' ');
    const refusal = parseRefusal(fields);
    const reply = question?.parse(fields);
    if (question !== undefined && refusal !== undefined && isLast) {
      return { answer: { refusal, subject: question.subject } };
    }
    if (question === undefined || reply === undefined) {
      return 'nonsense';
    }
    const ends = question.found(reply.answer) || index === questions.length - 1;
    if (ends !== isLast) {
      return 'nonsense';
    }
    answers.push(reply.answer);
  }
  return { answer: { answers: answers as unknown as Answered<Answers> } };
}

/** WALK_CALL of process_walk.h: processes started and ended faster than they could be read. */
export const WALK_CALL = 'processes';
export const WALK_WORDS =
  'processes start and end faster than they can be read; find what forks without end, and limit it (TasksMax=)';

/** @returns what failed, in words that complete "cannot …: …" */
export function refusalWords({ call, errno }: Refusal): string {
  if (call === WALK_CALL) {
    return WALK_WORDS;
  }
  const [code, words] = getSystemErrorMap().get(-errno) ?? [`errno ${errno}`, 'unknown error'];
  return `${call} failed: ${code}, ${words}`;
}

export function parseRefusal(fields: readonly string[]): Refusal | undefined {
  const [word, call, errno, ...rest] = fields;
  if (word !== 'error' || call === undefined || errno === undefined || rest.length > 0) {
    return undefined;
  }
  const number = parseNumber(errno);
  return /^[A-Za-z0-9_./-]+$/.test(call) && number !== undefined ? { call, errno: number } : undefined;
}

function parseAccount(fields: readonly string[]): { answer: AccountAnswer } | undefined {
  const [word, user, group, ...rest] = fields;
  if (word !== 'account' || user === undefined || group === undefined || rest.length > 0) {
    return undefined;
  }
  const ids = user.split(':');
  const uid = asId(ids[0], asUid);
  const primary = asId(ids[1], asGid);
  const gid = asId(group, asGid);
  const userParsed =
    uid === undefined || primary === undefined || ids.length !== 2 ? undefined : { user: { uid, gid: primary } };
  const groupParsed = gid === undefined ? undefined : { group: { gid } };
  if ((userParsed === undefined && user !== '-') || (groupParsed === undefined && group !== '-')) {
    return undefined;
  }
  return { answer: { ...userParsed, ...groupParsed } };
}

function parseGroups([word, ...numbers]: readonly string[], from: number): { answer: readonly Gid[] } | undefined {
  const gids = numbers.map(number => asId(number, asGid) ?? -1);
  const isAscending = gids.every((gid, index) => gid >= from && gid > (gids[index - 1] ?? -1));
  return word === 'groups' && isAscending && gids.length <= GROUPS_ANSWERED ? { answer: gids as Gid[] } : undefined;
}

function parseLogin([word, ...texts]: readonly string[]): { answer: LoginAnswer | undefined } | undefined {
  const [home, shell] = texts.map(decodeExactly);
  if (word === 'login' && texts.length === 0) {
    return { answer: undefined };
  }
  return word === 'login' && texts.length === 2 && home !== undefined && shell !== undefined
    ? { answer: { home, shell } }
    : undefined;
}

function parseOwner(fields: readonly string[]): { answer: OwnerFinding } | undefined {
  const given = fields.length === 1 && fields[0] === 'given';
  const parsed = given ? { answer: undefined } : parseFirst(fields, ['user', 'group', 'ipc']);
  return parsed && { answer: { evidence: parsed.answer, given } };
}

const EVIDENCE_PARSERS = {
  user: (fields: readonly string[]) => parseNamed('user', fields),
  group: (fields: readonly string[]) => parseNamed('group', fields),
  ipc: parseIpc,
  process: parseProcess,
};

/** Reads the first thing that was found, of one of the kinds. */
function parseFirst(
  [word, ...rest]: readonly string[],
  kinds: readonly (keyof typeof EVIDENCE_PARSERS)[],
): { answer: Evidence | undefined } | undefined {
  if (word === 'free') {
    return rest.length === 0 ? { answer: undefined } : undefined;
  }
  const kind = kinds.find(known => known === word);
  const evidence = kind === undefined ? undefined : EVIDENCE_PARSERS[kind](rest);
  return evidence === undefined ? undefined : { answer: evidence };
}

function parseRunning(
  [word, ...numbers]: readonly string[],
  asked: readonly Uid[],
): { answer: ReadonlySet<Uid> } | undefined {
  const running = new Set(asked.filter(uid => numbers.includes(String(uid))));
  return word === 'running' && running.size === numbers.length ? { answer: running } : undefined;
}

function parseNamed(kind: 'user' | 'group', [text, ...rest]: readonly string[]): Evidence | undefined {
  const name = decodeText(text);
  return name !== undefined && rest.length === 0 ? { kind, name } : undefined;
}

function parseIpc([word, text, ...rest]: readonly string[]): Evidence | undefined {
  const object = IPC_KINDS.find(known => known === word);
  const id = decodeText(text);
  return object !== undefined && id !== undefined && rest.length === 0 ? { kind: 'ipc', object, id } : undefined;
}

function parseProcess([digits, text, word, ...rest]: readonly string[]): Evidence | undefined {
  const pid = parseNumber(digits);
  const command = decodeText(text);
  const as = PROCESS_ROLES.find(role => role === word);
  return pid !== undefined && pid <= PROCESS_ID_MAX && command !== undefined && as !== undefined && rest.length === 0
    ? { kind: 'process', pid, command, as }
    : undefined;
}

function asId<Id extends Uid | Gid>(
  text: string | undefined,
  check: (value: number) => Id | undefined,
): Id | undefined {
  const number = parseNumber(text);
  return number === undefined ? undefined : check(number);
}

/** Decimal without sign or leading zeros; ten digits hold every id. */
export function parseNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^(?:0|[1-9]\d{0,9})$/.test(text) ? Number(text) : undefined;
}

/** Decodes percent-encoded text for people: control characters are left out, for the text ends in logs and on terminals. */
function decodeText(text: string | undefined): string | undefined {
  return text === undefined ? undefined : decodeExactly(text)?.replace(/\p{Cc}/gu, '');
}

/** Decodes percent-encoded text; bytes that are no UTF-8 become U+FFFD. */
export function decodeExactly(text: string): string | undefined {
  if (!/^(?:[A-Za-z0-9._/-]|%[0-9A-F]{2})*$/.test(text)) {
    return undefined;
  }
  const bytes = text.replace(/%(..)/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
  return Buffer.from(bytes, 'latin1').toString('utf8');
}

/** The reverse: percent-encodes every byte that could be taken for something else. */
export function encodeText(text: string): string {
  return text.replace(/[^A-Za-z0-9._/-]/gu, character =>
    [...Buffer.from(character)].map(byte => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
  );
}
