/** Whether each live user is alone with its UID and its name: leases that are lost, locks of others, accounts of the same name. */
import type { Lease } from '../../../api/generated/io-dynuser-allocator.ts';
import { FINDINGS_OF_A_KIND_MAX } from '../../limits.ts';
import { lostUsers } from '../../render/leases.ts';
import { type Finding, type Findings, findingsOf } from '../finding.ts';
import { type CommandResult, type Host, type Observed, Unreadable } from '../host.ts';

/** One live dynamic user, and the name in its lock file. */
interface Lock {
  readonly user: Pick<Lease, 'uid' | 'userName'>;
  readonly name: Observed<string>;
}

/** What one source of accounts knows, as lines of passwd(5). */
interface Source {
  readonly name: 'files' | 'systemd';
  readonly accounts: Observed<CommandResult>;
}

export interface LockFacts {
  /** undefined if the daemon does not say */
  readonly leases: readonly Lease[] | undefined;
  readonly locks: readonly Lock[];
  readonly sources: readonly Source[];
}

export const LOCK_DIRECTORY = '/run/systemd/dynamic-uid';
/** Our own users are known to systemd's user database, too. */
const WITHOUT_OURS = { SYSTEMD_BYPASS_USERDB: 'io.dynuser.DynamicUser', DYNUSER_NSS_BYPASS: '1' };

/** @param leases as the daemon lists them */
export async function inspectLocks(host: Host, leases: readonly Lease[] | undefined): Promise<LockFacts> {
  const users = liveUsers(leases ?? []);
  const locks = users.map(user => ({ user, name: host.text(`${LOCK_DIRECTORY}/${user.uid}`) }));
  const sources: Source[] =
    users.length === 0
      ? []
      : await Promise.all(
          (['files', 'systemd'] as const).map(async name => {
            const accounts = await host.run(['getent', '-s', name, 'passwd'], WITHOUT_OURS);
            return { name, accounts };
          }),
        );
  return { leases, locks, sources };
}

function liveUsers(leases: readonly Lease[]): Lease[] {
  const live = leases.filter(({ dynamic, ending, lost }) => dynamic && ending !== true && lost === undefined);
  return [...new Map(live.map(lease => [lease.uid, lease])).values()];
}

export function judgeLocks(facts: LockFacts): Finding[] {
  // The check of ended users reports a daemon that does not answer.
  return facts.leases === undefined ? [] : [...judgeLost(facts.leases), ...judgeFiles(facts), ...judgeNames(facts)];
}

function judgeLost(leases: readonly Lease[]): Finding[] {
  const findings = findingsOf('Lost users');
  const problems = lostUsers(leases).map(({ userName, uid, lost = '' }) =>
    findings.problem(
      `${userName} has lost its UID ${uid}: ${lost}`,
      `stop its service, run 'dynuserctl release --all ${userName}', and start it again: it gets another UID`,
    ),
  );
  return shown(problems, findings, 'no user has lost its UID');
}

function judgeFiles({ locks }: LockFacts): Finding[] {
  const findings = findingsOf('Locks');
  const hidden = locks.find(({ name }) => name instanceof Unreadable)?.name;
  if (hidden instanceof Unreadable) {
    return [findings.unknown(`${LOCK_DIRECTORY}: ${hidden.why}`)];
  }
  const problems = locks.flatMap(({ user: { userName, uid }, name }) => {
    const found = name instanceof Unreadable ? undefined : name?.trimEnd();
    if (found === userName) {
      return [];
    }
    const what =
      found === undefined ? 'the lock file is gone' : `the lock is that of ${found === '' ? 'nobody' : found}`;
    return [
      findings.problem(
        `${userName} lives with the UID ${uid}, and ${what}`,
        `find out who changes ${LOCK_DIRECTORY}; dynuserd looks within ten seconds, and locks the UID again or says that it is lost`,
      ),
    ];
  });
  return shown(problems, findings, 'each UID in use is locked for its user');
}

function judgeNames({ locks, sources }: LockFacts): Finding[] {
  const findings = findingsOf('Names');
  const byName = new Map(locks.map(({ user }) => [user.userName, user.uid]));
  const byUid = new Map(locks.map(({ user }) => [user.uid, user.userName]));
  const problems = sources.flatMap(({ name: source, accounts }) =>
    accountsOf(accounts).flatMap(({ name, uid }) => {
      const ours = byName.get(name);
      const other = byUid.get(uid);
      if (ours !== undefined && ours !== uid) {
        const what = `${name} lives twice: as the dynamic user ${ours}, and as ${uid} of '${source}'`;
        return [findings.problem(what, 'release one of the two, or give it another name')];
      }
      if (other !== undefined && other !== name) {
        const what = `the UID ${uid} is that of the dynamic user ${other}, and of ${name} of '${source}'`;
        return [findings.problem(what, `give the account another number, or release ${other}`)];
      }
      return [];
    }),
  );
  return shown(problems, findings, 'no account has the name or number of a live user');
}

/** A source that is missing or cannot be asked knows nobody; another check reports it. */
function accountsOf(accounts: Observed<CommandResult>): { readonly name: string; readonly uid: number }[] {
  const text = accounts === undefined || accounts instanceof Unreadable ? '' : accounts.output;
  return Array.from(text.matchAll(/^([^:\n]+):[^:\n]*:(\d+):/gm), ([, name = '', uid]) => ({ name, uid: Number(uid) }));
}

function shown(problems: readonly Finding[], findings: Findings, well: string): Finding[] {
  const more = problems.length - FINDINGS_OF_A_KIND_MAX;
  return problems.length === 0
    ? [findings.ok(well)]
    : [
        ...problems.slice(0, FINDINGS_OF_A_KIND_MAX),
        ...(more > 0 ? [findings.problem(`${more} more users`, "'dynuserctl list' shows them")] : []),
      ];
}
