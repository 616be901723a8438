/** Whether programs of this host resolve dynamic users: the lines of nsswitch.conf, the module, and a live user. */
import type { Lease } from '../../../api/generated/io-dynuser-allocator.ts';
import { nsswitchWords } from '../../nsswitch.ts';
import { type Finding, findingsOf } from '../finding.ts';
import { type CommandResult, type Host, type Observed, Unreadable } from '../host.ts';

/** A live user, and what the host answers about it. */
interface Lookup {
  readonly database: 'passwd' | 'group';
  readonly key: string;
  readonly answer: Observed<CommandResult>;
}

type LiveUser = Pick<Lease, 'userName' | 'uid' | 'gid'>;

export interface NameServiceFacts {
  readonly switchFile: Observed<string>;
  /** a lookup of the module alone, with the dynamic linker saying what it loads */
  readonly module: Observed<CommandResult>;
  /** undefined if no dynamic user is live */
  readonly user: LiveUser | undefined;
  readonly lookups: readonly Lookup[];
}

export const SWITCH_FILE = '/etc/nsswitch.conf';
const SERVICE = 'dynuser';
const MODULE = 'libnss_dynuser.so.2';
/** Lookups that services need to start, and lookups that few programs need. */
const NEEDED = ['passwd', 'group'];
const WANTED = ['shadow', 'gshadow'];
/** nsswitch.conf(5): an action that ends the lookup of a name that the service before it does not know. */
const BARRIER = /[[\s](?:notfound|!success|!unavail|!tryagain)=return/i;
/** No user has this name (useradd(8) would not take it), so the question reaches the module and nobody else. */
const NOBODY = 'dynuser-doctor.';

interface KnownUsers {
  /** as the daemon lists them; undefined if it does not answer */
  readonly leases: readonly Lease[] | undefined;
  /** the user of --try */
  readonly trial?: LiveUser | undefined;
}

/** Looks up the user of a trial if there is one, else a user that lives. */
export async function inspectNameService(
  host: Host,
  runtimeDirectory: string,
  { leases, trial }: KnownUsers,
): Promise<NameServiceFacts> {
  const live =
    leases === undefined
      ? publishedUser(host, runtimeDirectory)
      : leases.find(lease => lease.dynamic && lease.ending !== true);
  const user = trial ?? live;
  const keys: (readonly [Lookup['database'], string])[] =
    user === undefined
      ? []
      : [
          ['passwd', user.userName],
          ['passwd', String(user.uid)],
          ['group', user.userName],
          ['group', String(user.gid)],
        ];
  const [module, ...answers] = await Promise.all([
    // ld.so(8): what is loaded goes to standard error.
    host.run(['getent', '-s', SERVICE, 'passwd', NOBODY], { LD_DEBUG: 'libs' }),
    ...keys.map(([database, key]) => host.run(['getent', database, key])),
  ]);
  const lookups = keys.map(([database, key], index) => ({ database, key, answer: answers[index] }));
  return { switchFile: host.text(SWITCH_FILE), module, user, lookups };
}

/** A user that lives on while the daemon is away: the links that the module reads are all that there is to know of it. */
function publishedUser(host: Host, runtimeDirectory: string): LiveUser | undefined {
  const directory = `${runtimeDirectory}/by-uid`;
  const names = host.names(directory);
  const uid = names instanceof Unreadable ? undefined : names?.find(name => /^\d+$/.test(name));
  const userName = uid === undefined ? undefined : host.link(`${directory}/${uid}`);
  return userName === undefined || userName instanceof Unreadable
    ? undefined
    : { userName, uid: Number(uid), gid: Number(uid) };
}

export function judgeNameService(facts: NameServiceFacts): Finding[] {
  return [...judgeSwitch(facts.switchFile), judgeModule(facts.module), judgeLookups(facts)];
}

function judgeSwitch(text: Observed<string>): Finding[] {
  const { ok, warning, problem, unknown } = findingsOf('nsswitch.conf');
  if (text instanceof Unreadable) {
    return [unknown(`${SWITCH_FILE}: ${text.why}`)];
  }
  const findings: Finding[] = [];
  for (const database of [...NEEDED, ...WANTED]) {
    const line = nsswitchWords(text ?? '', database);
    const where = `the line '${database}:' of ${SWITCH_FILE}`;
    const index = line.indexOf(SERVICE);
    const before = line.slice(0, index);
    const barrier = before.find(word => BARRIER.test(word));
    if (index < 0) {
      const report = NEEDED.includes(database) ? problem : warning;
      findings.push(report(`'${SERVICE}' is not in ${where}`, `add it after 'files'`));
    } else if (barrier !== undefined) {
      findings.push(
        problem(`in ${where} '${barrier}' ends lookups before '${SERVICE}'`, `move '${SERVICE}' before it`),
      );
    } else if (line.slice(index).some(word => word === 'files' || word === 'compat')) {
      findings.push(warning(`'${SERVICE}' is before the host's own files in ${where}`, `move it after 'files'`));
    }
    if (hasLateComment(text ?? '', database)) {
      // For one before glibc 2.33 it is a comment: the two do not agree, and no file means the first.
      const words = `glibc takes a '#' and what follows it for sources in ${where}`;
      findings.push(warning(words, 'put the comment on a separate line'));
    }
  }
  return findings.length > 0 ? findings : [ok(`'${SERVICE}' is in its four lines, after the host's own files`)];
}

/** Whether a "#" stands behind the name of the database. */
function hasLateComment(text: string, database: string): boolean {
  return new RegExp(`^[ \\t]*${database}[ \\t:][^\\n]*#`, 'm').test(text);
}

function judgeModule(module: Observed<CommandResult>): Finding {
  const { ok, problem, unknown } = findingsOf('NSS module');
  if (module === undefined) {
    return unknown('there is no getent here to load it with');
  }
  if (module instanceof Unreadable) {
    return unknown(module.why);
  }
  const loaded = /calling init: (\S*libnss_dynuser\.so\.2)/.exec(module.errors)?.[1];
  return loaded === undefined
    ? problem(`programs do not find ${MODULE}`, 'install it where the dynamic linker looks, then run ldconfig')
    : ok(`${loaded} loads`);
}

function judgeLookups({ user, lookups }: NameServiceFacts): Finding {
  const { ok, problem, unknown } = findingsOf('Lookups');
  if (user === undefined) {
    return unknown(
      "no dynamic user is live, so none can be looked up; 'dynuserctl doctor --try' creates one for a moment",
    );
  }
  const hidden = lookups.find(({ answer }) => answer === undefined || answer instanceof Unreadable);
  if (hidden !== undefined) {
    return unknown(hidden.answer instanceof Unreadable ? hidden.answer.why : 'there is no getent here to ask with');
  }
  const wrong = lookups.filter(({ answer }) => !isAnswer(answer, user));
  if (wrong.length === 0) {
    return ok(`${user.userName} and ${user.uid} resolve to each other`);
  }
  const questions = wrong.map(({ database, key }) => `getent ${database} ${key}`).join(', ');
  return problem(
    `the live user ${user.userName} (${user.uid}) does not resolve by: ${questions}`,
    'repair nsswitch.conf and the module if they have findings; if not, restart nscd or sssd, which cache lookups',
  );
}

/** passwd(5) and group(5): name, password and number are the first three fields of both. */
function isAnswer(answer: Observed<CommandResult>, user: LiveUser): boolean {
  return (
    answer !== undefined &&
    !(answer instanceof Unreadable) &&
    answer.status === 0 &&
    answer.output.startsWith(`${user.userName}:x:${user.uid}:`)
  );
}
