/**
 * The lines that this daemon and dynuser-helper exchange; native/helper/protocol.h is their definition. Pure. What the helper says
 * is not trusted: a foreign NSS module runs in it. An answer that is not exactly one of the known is no answer.
 */
import { getSystemErrorMap } from 'node:util';
import type { AccountAnswer } from '../../core/account.ts';
import { type Evidence, IPC_KINDS, PROCESS_ROLES } from '../../core/evidence.ts';
import { asGid, asUid, type Gid, type Uid, type UserName } from '../../core/ids.ts';

/** QUESTION_MAX and ANSWER_MAX of protocol.h: the longest lines in bytes, with their newlines. */
export const QUESTION_BYTES_MAX = 8_192;
export const ANSWER_BYTES_MAX = 8_192;

const PROCESS_ID_MAX = 0x40_0000;

/** A question together with what to make of its answer. */
export interface Question<Answer> {
  /** the line, with its newline */
  readonly line: string;
  /** completes the sentence "did not answer when asked for …" */
  readonly subject: string;
  /** @returns undefined where the fields are no answer to this question */
  parse(fields: readonly string[]): { readonly answer: Answer } | undefined;
}

/** What any question may be answered instead: the system call that failed, and its errno. */
export interface Refusal {
  readonly call: string;
  readonly errno: number;
}

export function accountQuestion(name: UserName): Question<AccountAnswer> {
  // The strict grammar of a UserName has no byte that would need an escape.
  return { line: `name ${name}\n`, subject: `the user "${name}"`, parse: parseAccount };
}

/** What was found about a UID. */
export interface Finding {
  /** what speaks against it first, undefined if nothing does */
  readonly evidence: Evidence | undefined;
  /** strangers gave it System V IPC objects, which count for nothing (native/helper/sysv_ipc.h); said if nothing speaks against it */
  readonly given: boolean;
}

export function evidenceQuestion(uid: Uid): Question<Finding> {
  return { line: `uid ${uid}\n`, subject: `UID ${uid}`, parse: parseFinding };
}

/** Like evidenceQuestion(), but for processes. */
export function ownerQuestion(uid: Uid): Question<Finding> {
  return { ...evidenceQuestion(uid), line: `owner ${uid}\n`, parse: parseOwner };
}

/** What claimQuestion() is answered. */
export interface Claimed {
  readonly account: AccountAnswer;
  readonly owner: Finding;
  /** whether a process runs with the UID; undefined where that was not asked */
  readonly mayRun: boolean | undefined;
}

/** Like accountQuestion() and ownerQuestion() in one. @param looks whether it is to be a runningQuestion() too */
export function claimQuestion(name: UserName, uid: Uid, looks: boolean): Question<Claimed> {
  return {
    line: `claim ${name} ${uid} ${looks ? uid : '-'}\n`,
    subject: `the user "${name}" and UID ${uid}`,
    parse: fields => parseClaim(fields, uid, looks),
  };
}

/** @param uids 1 to SCAN_UIDS_MAX. The answer has those of them that a process runs with */
export function runningQuestion(uids: readonly Uid[]): Question<ReadonlySet<Uid>> {
  return {
    line: `running ${uids.join(',')}\n`,
    subject: `the processes of ${uids.length} UIDs`,
    parse: fields => parseRunning(fields, uids),
  };
}

/**
 * Like runningQuestion() for one UID, and where no process runs with it like reapQuestion('remove-ipc').
 * The answer 'running' says that one does.
 */
export function finishQuestion(uid: Uid): Question<Evidence | 'running' | undefined> {
  const { subject } = reapQuestion('remove-ipc', uid);
  return { line: `finish ${uid}\n`, subject, parse: fields => parseFinish(fields, uid) };
}

/** What ends the things of a UID; see native/helper/reap/end_processes.h, ipc_removal.h and keyrings.h. */
export type ReapVerb = 'find-processes' | 'terminate-processes' | 'kill-processes' | 'remove-ipc' | 'clear-keyrings';

/** Answered by the first thing of the UID that is left. */
export function reapQuestion(verb: ReapVerb, uid: Uid): Question<Evidence | undefined> {
  const things = verb === 'remove-ipc' ? 'IPC objects' : verb === 'clear-keyrings' ? 'keys' : 'processes';
  return { line: `${verb} ${uid}\n`, subject: `an end of the ${things} of UID ${uid}`, parse: parseLeftover };
}

/** Removes the IPC objects of a static user, and of a group, as far as they can be; see native/helper/reap/account_ipc.h. */
export function accountIpcQuestion(uid: Uid, gid: Gid): Question<undefined> {
  return {
    line: `remove-account-ipc ${uid},${gid}\n`,
    subject: `an end of the IPC objects of the user ${uid} and the group ${gid}`,
    parse: ([word, ...rest]) => (word === 'free' && rest.length === 0 ? { answer: undefined } : undefined),
  };
}

/** What a helper's line is for the question that was asked. */
export type Reading<Answer> = { readonly answer: Answer } | 'again' | 'nonsense';

export type Reply<Answer> = { readonly answer: Answer } | { readonly refusal: Refusal };

/** Reads a line for HelperPool.ask. */
export function readReply<Answer>(question: Question<Answer>, line: string): Reading<Reply<Answer>> {
  const fields = line.split(' ');
  if (fields[0] === 'again' && fields.length === 1) {
    return 'again';
  }
  const refusal = parseRefusal(fields);
  if (refusal !== undefined) {
    return { answer: { refusal } };
  }
  const reply = question.parse(fields);
  return reply === undefined ? 'nonsense' : { answer: reply };
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

function parseClaim(fields: readonly string[], uid: Uid, looks: boolean): { answer: Claimed } | undefined {
  const [word, user = '', group = '', ...rest] = fields;
  const end = looks && rest[1] === String(uid) ? 2 : 1;
  const running = looks ? parseRunning(rest.slice(0, end), [uid]) : undefined;
  const account = parseAccount(['account', user, group]);
  const owner = parseOwner(looks ? rest.slice(end) : rest);
  if (word !== 'claim' || account === undefined || owner === undefined || (looks && running === undefined)) {
    return undefined;
  }
  return { answer: { account: account.answer, owner: owner.answer, mayRun: running?.answer.has(uid) } };
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

function parseFinding(fields: readonly string[]): { answer: Finding } | undefined {
  const given = fields.length === 1 && fields[0] === 'given';
  const parsed = given ? { answer: undefined } : parseEvidence(fields);
  return parsed && { answer: { evidence: parsed.answer, given } };
}

function parseEvidence(fields: readonly string[]): { answer: Evidence | undefined } | undefined {
  const [kind, ...rest] = fields;
  if (kind === 'free') {
    return rest.length === 0 ? { answer: undefined } : undefined;
  }
  const evidence =
    kind === 'ipc' ? parseIpc(rest) : kind === 'process' ? parseProcess(rest) : parseAccountOwner(kind, rest);
  return evidence === undefined ? undefined : { answer: evidence };
}

function parseOwner(fields: readonly string[]): { answer: Finding } | undefined {
  const parsed = parseFinding(fields);
  return parsed?.answer.evidence?.kind === 'process' ? undefined : parsed;
}

function parseRunning(
  [word, ...numbers]: readonly string[],
  asked: readonly Uid[],
): { answer: ReadonlySet<Uid> } | undefined {
  const running = new Set(asked.filter(uid => numbers.includes(String(uid))));
  return word === 'running' && running.size === numbers.length ? { answer: running } : undefined;
}

function parseLeftover(fields: readonly string[]): { answer: Evidence | undefined } | undefined {
  const parsed = parseEvidence(fields);
  const kind = parsed?.answer?.kind;
  return kind === undefined || kind === 'process' || kind === 'ipc' ? parsed : undefined;
}

function parseFinish(fields: readonly string[], uid: Uid): { answer: Evidence | 'running' | undefined } | undefined {
  const running = parseRunning(fields, [uid])?.answer;
  if (running !== undefined) {
    return running.has(uid) ? { answer: 'running' } : undefined;
  }
  const left = parseLeftover(fields);
  return left?.answer?.kind === 'process' ? undefined : left;
}

function parseAccountOwner(kind: string | undefined, [text, ...rest]: readonly string[]): Evidence | undefined {
  const name = decodeText(text);
  return (kind === 'user' || kind === 'group') && name !== undefined && rest.length === 0 ? { kind, name } : undefined;
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
