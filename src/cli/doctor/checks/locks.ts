/** Whether each live user has its UID and its name for itself: users that are lost, locks of others, accounts of the same name. */
import type { Lease } from '../../../api/generated/io-dynuser-allocator.ts';
import { type Host, isSeen, Unreadable } from '../../host.ts';
import { accountsIn } from '../../host-lookups.ts';
import { lostUsers } from '../../render/leases.ts';
import { type Finding, type Findings, findingsOf, shorten } from '../finding.ts';

export const LOCK_DIRECTORY = '/run/systemd/dynamic-uid';
/** Our own users are known to systemd's user database, too. */
const WITHOUT_OURS = { SYSTEMD_BYPASS_USERDB: 'io.dynuser.DynamicUser', DYNUSER_NSS_BYPASS: '1' };

/**
 * @param leases undefined if the daemon does not say, which the check of ended users reports
 * @param isOfFleet whether a UID is one of a fleet, of which systemd's locks know nothing
 */
export async function checkLocks(
  host: Host,
  leases: readonly Lease[] | undefined,
  isOfFleet: (uid: number) => boolean = () => false,
): Promise<Finding[]> {
  if (leases === undefined) {
    return [];
  }
  const live = leases.filter(({ dynamic, ending, lost }) => dynamic && ending !== true && lost === undefined);
  const users = [...new Map(live.map(lease => [lease.uid, lease])).values()];
  return [
    ...checkLost(leases),
    ...checkFiles(
      host,
      users.filter(({ uid }) => !isOfFleet(uid)),
    ),
    ...(await checkNames(host, users)),
  ];
}

function checkLost(leases: readonly Lease[]): readonly Finding[] {
  const findings = findingsOf('Lost users');
  const problems = lostUsers(leases).map(({ userName, uid, lost = '' }) =>
    findings.problem(
      `${userName} has lost its UID ${uid}: ${lost}`,
      `stop its service, run 'dynuserctl release --all ${userName}', and start it again: it gets another UID`,
    ),
  );
  return shown(problems, findings, 'no user has lost its UID');
}

function checkFiles(host: Host, users: readonly Lease[]): readonly Finding[] {
  const findings = findingsOf('Locks');
  const problems: Finding[] = [];
  for (const { userName, uid } of users) {
    const name = host.text(`${LOCK_DIRECTORY}/${uid}`);
    if (name instanceof Unreadable) {
      return [findings.unknown(`${LOCK_DIRECTORY}: ${name.why}`)];
    }
    const found = name?.trimEnd();
    if (found !== userName) {
      const what = found === undefined ? 'the lock file is gone' : `the lock is that of ${found || 'nobody'}`;
      problems.push(
        findings.problem(
          `${userName} lives with the UID ${uid}, and ${what}`,
          `find out who changes ${LOCK_DIRECTORY}; dynuserd looks within ten seconds, and locks the UID again or says that it is lost`,
        ),
      );
    }
  }
  return shown(problems, findings, 'each UID in use is locked for its user');
}

async function checkNames(host: Host, users: readonly Lease[]): Promise<readonly Finding[]> {
  const findings = findingsOf('Names');
  const byName = new Map(users.map(user => [user.userName, user.uid]));
  const byUid = new Map(users.map(user => [user.uid, user.userName]));
  const problemsOf = async (source: 'files' | 'systemd'): Promise<Finding[]> => {
    // A source that is missing or cannot be asked knows nobody; another check reports it.
    const answer = await host.run(['getent', '-s', source, 'passwd'], WITHOUT_OURS);
    return accountsIn(isSeen(answer) ? answer.output : '').flatMap(({ name, id: uid }) => {
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
    });
  };
  const problems = users.length === 0 ? [] : await Promise.all([problemsOf('files'), problemsOf('systemd')]);
  return shown(problems.flat(), findings, 'no account has the name or number of a live user');
}

function shown(problems: readonly Finding[], { problem, orOk }: Findings, well: string): readonly Finding[] {
  return orOk(
    shorten(problems, more => problem(`${more} more users`, "'dynuserctl list' shows them")),
    well,
  );
}
