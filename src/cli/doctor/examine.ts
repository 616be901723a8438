/** All the checks: each looks at its part of the host, and judges what it saw. */
import { VERSION } from '../../core/version.ts';
import { inspectLink } from '../host-lookups.ts';
import { type DaemonFacts, judgeDaemon } from './checks/daemon.ts';
import { judgeDirectories, lookAtDirectories } from './checks/directories.ts';
import { judgeLeases, lookAtLeases } from './checks/leases.ts';
import { judgeLocks, lookAtLocks } from './checks/locks.ts';
import { judgeNameService, lookAtNameService } from './checks/name-service.ts';
import { judgeNetworkSources, lookAtNetworkSources } from './checks/network-sources.ts';
import { judgeProcess, lookAtProcess } from './checks/process.ts';
import { judgeRights, lookAtRights } from './checks/rights.ts';
import { judgeRuntimeDirectory, lookAtRuntimeDirectory } from './checks/runtime-directory.ts';
import { judgeServices, lookAtServices } from './checks/services.ts';
import { judgeRange, lookAtRange } from './checks/uid-range.ts';
import { judgeUserDatabase } from './checks/user-database.ts';
import type { Finding } from './finding.ts';
import type { Host } from './host.ts';
import type { TrialUser } from './trial.ts';

export interface Patient {
  readonly host: Host;
  /** the path of the daemon's socket */
  readonly socket: string;
  readonly daemon: DaemonFacts;
  /** milliseconds since the epoch */
  readonly now: number;
  /** of systemd's user database */
  readonly userDatabase: string;
  /** the user of --try, which lives meanwhile */
  readonly trial?: TrialUser;
}

export async function examine({ host, socket, daemon, now, userDatabase, trial }: Patient): Promise<Finding[]> {
  const leases = daemon.reachable ? daemon.leases : undefined;
  const runtime = lookAtRuntimeDirectory(host, socket);
  const rights = lookAtRights(host, runtime.path);
  const [process, nameService, locks, services] = await Promise.all([
    lookAtProcess(host, runtime.path, rights.pid),
    lookAtNameService(host, runtime.path, { leases, trial }),
    lookAtLocks(host, leases),
    lookAtServices(host),
  ]);
  return [
    ...judgeDaemon(daemon, VERSION),
    ...judgeRights(rights),
    ...judgeProcess(process),
    ...judgeRuntimeDirectory(runtime),
    ...judgeNameService(nameService),
    ...judgeNetworkSources(lookAtNetworkSources(host, rights.pid)),
    ...judgeUserDatabase(inspectLink(userDatabase, socket)),
    ...judgeRange(lookAtRange(host)),
    ...judgeDirectories(lookAtDirectories(host)),
    ...judgeLeases(lookAtLeases(host, runtime.path, { leases, now })),
    ...judgeLocks(locks),
    ...judgeServices(services),
  ];
}
