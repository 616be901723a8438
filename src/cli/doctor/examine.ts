/** All the checks: each looks at its part of the host, and judges what it saw. */
import { VERSION } from '../../core/version.ts';
import { inspectLink } from '../host-lookups.ts';
import { type DaemonFacts, judgeDaemon } from './checks/daemon.ts';
import { inspectDirectories, judgeDirectories } from './checks/directories.ts';
import { inspectLeases, judgeLeases } from './checks/leases.ts';
import { inspectLocks, judgeLocks } from './checks/locks.ts';
import { inspectNameService, judgeNameService } from './checks/name-service.ts';
import { inspectNetworkSources, judgeNetworkSources } from './checks/network-sources.ts';
import { inspectProcess, judgeProcess } from './checks/process.ts';
import { inspectRights, judgeRights } from './checks/rights.ts';
import { inspectRuntimeDirectory, judgeRuntimeDirectory } from './checks/runtime-directory.ts';
import { inspectServices, judgeServices } from './checks/services.ts';
import { inspectRange, judgeRange } from './checks/uid-range.ts';
import { judgeUserDatabase } from './checks/user-database.ts';
import type { Finding } from './finding.ts';
import type { Host } from './host.ts';
import type { TrialUser } from './trial.ts';

export interface DoctorInput {
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

export async function examine({ host, socket, daemon, now, userDatabase, trial }: DoctorInput): Promise<Finding[]> {
  const leases = daemon.reachable ? daemon.leases : undefined;
  const runtime = inspectRuntimeDirectory(host, socket);
  const rights = inspectRights(host, runtime.path);
  const [process, nameService, locks, services] = await Promise.all([
    inspectProcess(host, runtime.path, rights.pid),
    inspectNameService(host, runtime.path, { leases, trial }),
    inspectLocks(host, leases),
    inspectServices(host),
  ]);
  return [
    ...judgeDaemon(daemon, VERSION),
    ...judgeRights(rights),
    ...judgeProcess(process),
    ...judgeRuntimeDirectory(runtime),
    ...judgeNameService(nameService),
    ...judgeNetworkSources(inspectNetworkSources(host, rights.pid)),
    ...judgeUserDatabase(inspectLink(userDatabase, socket)),
    ...judgeRange(inspectRange(host)),
    ...judgeDirectories(inspectDirectories(host)),
    ...judgeLeases(inspectLeases(host, runtime.path, { leases, now })),
    ...judgeLocks(locks),
    ...judgeServices(services),
  ];
}
