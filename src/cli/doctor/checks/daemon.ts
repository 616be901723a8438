/** Whether the daemon answers, and what it keeps: users that do not end, times in the future, files set aside. */
import type { Lease } from '../../../api/generated/io-dynuser-allocator.ts';
import { versionWords } from '../../../core/version.ts';
import { type Host, Unreadable } from '../../host.ts';
import type { DaemonFacts } from '../../leases.ts';
import { endingUsers, remainsWords } from '../../render/leases.ts';
import { localTime } from '../../render/time.ts';
import { type Finding, findingsOf, shorten } from '../finding.ts';

/** A lease may be this much younger than the clock that it is compared with, in milliseconds. */
const CLOCK_TOLERANCE_MS = 60_000;

/** @param version of this command */
export function checkDaemon(daemon: DaemonFacts, version = versionWords()): Finding {
  const { ok, warning, problem } = findingsOf('Daemon');
  if (!daemon.reachable) {
    return problem(daemon.problem, 'start it, or restart it if it hangs; live users still resolve meanwhile');
  }
  const { service } = daemon;
  const name = `${service.product} ${service.version}`;
  return service.version === version
    ? ok(`${name} answers`)
    : warning(`${name} answers, and this command is of version ${version}`, 'restart dynuserd after an update');
}

/**
 * @param leases undefined if the daemon does not answer
 * @param now milliseconds since the epoch
 */
export function checkLeases(
  host: Host,
  runtimeDirectory: string,
  leases: readonly Lease[] | undefined,
  now: number,
): Finding[] {
  return [
    ...checkEnding(leases),
    ...checkClock(leases ?? [], now),
    checkSetAside(host, `${runtimeDirectory}/set-aside`),
  ];
}

function checkEnding(leases: readonly Lease[] | undefined): readonly Finding[] {
  const { warning, unknown, orOk } = findingsOf('Ended users');
  if (leases === undefined) {
    return [unknown('the daemon does not answer')];
  }
  const findings = endingUsers(leases).map(lease =>
    warning(
      `the UID ${lease.uid} of ${lease.userName} stays reserved: ${remainsWords(lease)}`,
      'remove what is named; dynuserd tries again by itself',
    ),
  );
  const shown = shorten(findings, more => warning(`${more} more UIDs are reserved`, "'dynuserctl list' shows them"));
  return orOk(shown, 'no UID is reserved for what an ended user left');
}

function checkClock(leases: readonly Lease[], now: number): Finding[] {
  const { ok, warning } = findingsOf('Clock');
  const newest = Math.max(0, ...leases.map(({ since }) => since));
  if (newest === 0) {
    return [];
  }
  return newest / 1_000 - now > CLOCK_TOLERANCE_MS
    ? [
        warning(
          `a lease is from ${localTime(newest)}, which is yet to come: the clock was set back`,
          'ages that are shown are wrong until then; nothing else depends on them',
        ),
      ]
    : [ok('no lease is from the future')];
}

function checkSetAside(host: Host, path: string): Finding {
  const { ok, warning, unknown } = findingsOf('Registry');
  const names = host.names(path) ?? [];
  if (names instanceof Unreadable) {
    return unknown(`${path}: ${names.why}`);
  }
  if (names.length === 0) {
    return ok('all files among the leases are leases');
  }
  const files =
    names.length === 1 ? '1 file that is not a lease was' : `${names.length} files that are not leases were`;
  return warning(`${files} found among the leases and set aside`, `look at what is in ${path}, then remove it`);
}
