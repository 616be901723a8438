/** Whether this host resolves dynamic users: nsswitch.conf, the module, a live user, and the link of systemd's user database. */
import type { Lease } from '../../../api/generated/io-dynuser-allocator.ts';
import { BY_UID } from '../../../core/paths.ts';
import { type CommandResult, type Host, isSeen, type Observed, Unreadable } from '../../host.ts';
import { HOST_LOOKUP_PATHS, inspectLink, type LinkState, NSS_SERVICE, nsswitchWords } from '../../host-lookups.ts';
import { type Finding, findingsOf } from '../finding.ts';
import type { TrialUser } from '../trial.ts';

const SWITCH_FILE = HOST_LOOKUP_PATHS.nsswitch;
const MODULE = 'libnss_dynuser.so.2';
/** Lookups that services need to start, and lookups that few programs need. */
const NEEDED = ['passwd', 'group'];
const WANTED = ['shadow', 'gshadow'];
/** nsswitch.conf(5): an action that ends the lookup of a name that the service before it does not know. */
const BARRIER = /[[\s](?:notfound|!success|!unavail|!tryagain)=return/i;
/** No user has this name (useradd(8) would not take it), so the question reaches the module and nobody else. */
const NOBODY = 'dynuser-doctor.';

/**
 * @param leases as the daemon lists them; undefined if it does not answer
 * @param trial the user of --try, which is looked up instead of one that lives
 */
export async function checkNameService(
  host: Host,
  runtimeDirectory: string,
  leases: readonly Lease[] | undefined,
  trial?: TrialUser,
): Promise<Finding[]> {
  const live =
    leases === undefined
      ? publishedUser(host, `${runtimeDirectory}/${BY_UID}`)
      : leases.find(lease => lease.dynamic && lease.ending !== true);
  const [module, lookups] = await Promise.all([checkModule(host), checkLookups(host, trial ?? live)]);
  return [...checkSwitch(host.text(SWITCH_FILE)), module, lookups];
}

/** A user that lives on while the daemon is away: the links that the module reads are all that there is to know of it. */
function publishedUser(host: Host, directory: string): TrialUser | undefined {
  const names = host.names(directory);
  const uid = isSeen(names) ? names.find(name => /^\d+$/.test(name)) : undefined;
  const userName = uid === undefined ? undefined : host.link(`${directory}/${uid}`);
  return isSeen(userName) ? { userName, uid: Number(uid), gid: Number(uid) } : undefined;
}

function checkSwitch(text: Observed<string>): readonly Finding[] {
  const { warning, problem, unknown, orOk } = findingsOf('nsswitch.conf');
  if (text instanceof Unreadable) {
    return [unknown(`${SWITCH_FILE}: ${text.why}`)];
  }
  const findings: Finding[] = [];
  for (const database of [...NEEDED, ...WANTED]) {
    const line = nsswitchWords(text ?? '', database);
    const where = `the line '${database}:' of ${SWITCH_FILE}`;
    const index = line.indexOf(NSS_SERVICE);
    const before = line.slice(0, index);
    const barrier = before.find(word => BARRIER.test(word));
    if (index < 0) {
      const report = NEEDED.includes(database) ? problem : warning;
      findings.push(report(`'${NSS_SERVICE}' is not in ${where}`, `add it after 'files'`));
    } else if (barrier !== undefined) {
      findings.push(
        problem(`in ${where} '${barrier}' ends lookups before '${NSS_SERVICE}'`, `move '${NSS_SERVICE}' before it`),
      );
    } else if (line.slice(index).some(word => word === 'files' || word === 'compat')) {
      findings.push(warning(`'${NSS_SERVICE}' is before the host's own files in ${where}`, `move it after 'files'`));
    }
    if (hasLateComment(text ?? '', database)) {
      // Before glibc 2.33 it was a comment there, and nobody means the words of it as sources.
      const words = `glibc takes a '#' and what follows it for sources in ${where}`;
      findings.push(warning(words, 'put the comment on a separate line'));
    }
  }
  return orOk(findings, `'${NSS_SERVICE}' is in its four lines, after the host's own files`);
}

/** Whether a "#" stands behind the name of the database. */
function hasLateComment(text: string, database: string): boolean {
  return new RegExp(`^[ \\t]*${database}[ \\t:][^\\n]*#`, 'm').test(text);
}

/** Looks up by the module alone, with the dynamic linker saying what it loads (ld.so(8): on standard error). */
async function checkModule(host: Host): Promise<Finding> {
  const { ok, problem, unknown } = findingsOf('NSS module');
  const result = await host.run(['getent', '-s', NSS_SERVICE, 'passwd', NOBODY], { LD_DEBUG: 'libs' });
  if (!isSeen(result)) {
    return unknown(result?.why ?? 'there is no getent here to load it with');
  }
  const loaded = /calling init: (\S*libnss_dynuser\.so\.2)/.exec(result.errors)?.[1];
  return loaded === undefined
    ? problem(`programs do not find ${MODULE}`, 'install it where the dynamic linker looks, then run ldconfig')
    : ok(`${loaded} loads`);
}

async function checkLookups(host: Host, user: TrialUser | undefined): Promise<Finding> {
  const { ok, problem, unknown } = findingsOf('Lookups');
  if (user === undefined) {
    return unknown(
      "no dynamic user is live, so none can be looked up; 'dynuserctl doctor --try' creates one for a moment",
    );
  }
  const { userName, uid, gid } = user;
  const questions = [`passwd ${userName}`, `passwd ${uid}`, `group ${userName}`, `group ${gid}`];
  const answers = await Promise.all(
    questions.map(async question => {
      const [database = '', key = ''] = question.split(' ');
      return { question, result: await host.run(['getent', database, key]) };
    }),
  );
  const wrong: string[] = [];
  for (const { question, result } of answers) {
    if (!isSeen(result)) {
      return unknown(result?.why ?? 'there is no getent here to ask with');
    }
    if (!isAnswer(result, user)) {
      wrong.push(`getent ${question}`);
    }
  }
  return wrong.length === 0
    ? ok(`${userName} and ${uid} resolve to each other`)
    : problem(
        `the live user ${userName} (${uid}) does not resolve by: ${wrong.join(', ')}`,
        'repair nsswitch.conf and the module if they have findings; if not, restart nscd or sssd, which cache lookups',
      );
}

/** passwd(5) and group(5): name, password and number are the first three fields of both. */
function isAnswer({ status, output }: CommandResult, { userName, uid }: TrialUser): boolean {
  return status === 0 && output.startsWith(`${userName}:x:${uid}:`);
}

export function checkUserDatabase(host: Host, socket: string): Finding {
  const { ok, problem, warning, unknown } = findingsOf('User database');
  const where = HOST_LOOKUP_PATHS.userDatabase;
  const findings: Readonly<Record<LinkState, Finding>> = {
    linked: ok(`the daemon's socket is linked in ${where}`),
    unused: ok('systemd has no user database on this host'),
    missing: warning(`the daemon's socket is not linked in ${where}`, 'restart dynuserd, which makes the link'),
    elsewhere: problem(`something else has the link's name in ${where}`, 'remove it and restart dynuserd'),
    unreadable: unknown(`${where} cannot be read`),
  };
  return findings[inspectLink(host, where, socket)];
}
