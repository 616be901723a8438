/** All the checks: each looks at its part of the host, and judges what it saw. */
import { dirname } from 'node:path';
import type { FleetStatusReply } from '../../api/generated/io-dynuser-allocator.ts';
import type { Host } from '../host.ts';
import type { DaemonFacts } from '../leases.ts';
import { checkAudit } from './checks/audit.ts';
import { checkDaemon, checkLeases } from './checks/daemon.ts';
import { checkDirectories } from './checks/directories.ts';
import { checkFleet, isOfFleet } from './checks/fleet.ts';
import { checkLocks } from './checks/locks.ts';
import { checkNameService, checkUserDatabase } from './checks/name-service.ts';
import { checkNetworkSources } from './checks/network-sources.ts';
import { checkProcess } from './checks/process.ts';
import { checkRights, findDaemon } from './checks/rights.ts';
import { checkRuntimeDirectory } from './checks/runtime-directory.ts';
import { checkServices } from './checks/services.ts';
import { checkRange } from './checks/uid-range.ts';
import type { Finding } from './finding.ts';
import type { TrialUser } from './trial.ts';

export interface DoctorInput {
  readonly host: Host;
  /** the path of the daemon's socket */
  readonly socket: string;
  readonly daemon: DaemonFacts;
  /** milliseconds since the epoch */
  readonly now: number;
  /** the user of --try, which lives meanwhile */
  readonly trial?: TrialUser;
  /** what the daemon says of the fleet of this host; absent if it does not say anything */
  readonly fleet?: FleetStatusReply | undefined;
}

export async function examine({ host, socket, daemon, now, trial, fleet }: DoctorInput): Promise<Finding[]> {
  const leases = daemon.reachable ? daemon.leases : undefined;
  const directory = dirname(socket);
  const pid = findDaemon(host, directory);
  const findings = await Promise.all([
    checkDaemon(daemon),
    checkRights(host, pid),
    checkProcess(host, directory, pid),
    checkRuntimeDirectory(host, socket),
    checkNameService(host, directory, leases, trial),
    checkNetworkSources(host, pid),
    checkUserDatabase(host, socket),
    checkRange(host),
    checkDirectories(host),
    checkFleet(host, fleet, now),
    checkLeases(host, directory, leases, now),
    checkLocks(host, leases, uid => isOfFleet(host, fleet, uid)),
    checkServices(host),
    checkAudit(host, pid),
  ]);
  return findings.flat();
}
