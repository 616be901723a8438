/** What the daemon keeps: users that do not end, times in the future, files set aside. */
import type { Lease } from '../../../api/generated/io-dynuser-allocator.ts';
import { FINDINGS_OF_A_KIND_MAX } from '../../limits.ts';
import { endingUsers, remainsWords } from '../../render/leases.ts';
import { localTime } from '../../render/time.ts';
import { type Finding, findingsOf } from '../finding.ts';
import { type Host, type Observed, Unreadable } from '../host.ts';

export interface LeaseFacts {
  /** undefined if the daemon does not answer */
  readonly leases: readonly Lease[] | undefined;
  /** milliseconds since the epoch */
  readonly now: number;
  readonly setAside: Observed<readonly string[]>;
  readonly setAsidePath: string;
}

/** A lease may be this much younger than the clock that it is compared with, in milliseconds. */
const CLOCK_TOLERANCE_MS = 60_000;
const SET_ASIDE = 'set-aside';

export function inspectLeases(
  host: Host,
  runtimeDirectory: string,
  { leases, now }: Pick<LeaseFacts, 'leases' | 'now'>,
): LeaseFacts {
  const setAsidePath = `${runtimeDirectory}/${SET_ASIDE}`;
  return { leases, now, setAside: host.names(setAsidePath), setAsidePath };
}

export function judgeLeases(facts: LeaseFacts): Finding[] {
  return [...judgeEnding(facts), ...judgeClock(facts), judgeSetAside(facts)];
}

function judgeEnding({ leases }: LeaseFacts): Finding[] {
  const { ok, warning, unknown } = findingsOf('Ended users');
  if (leases === undefined) {
    return [unknown('the daemon does not answer')];
  }
  const ending = endingUsers(leases);
  if (ending.length === 0) {
    return [ok('no UID is reserved for what an ended user left')];
  }
  const shown = ending.slice(0, FINDINGS_OF_A_KIND_MAX);
  const findings = shown.map(lease =>
    warning(
      `the UID ${lease.uid} of ${lease.userName} stays reserved: ${remainsWords(lease)}`,
      'remove what is named; dynuserd tries again by itself',
    ),
  );
  return ending.length > shown.length
    ? [...findings, warning(`${ending.length - shown.length} more UIDs are reserved`, "'dynuserctl list' shows them")]
    : findings;
}

function judgeClock({ leases = [], now }: LeaseFacts): Finding[] {
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

function judgeSetAside({ setAside, setAsidePath }: LeaseFacts): Finding {
  const { ok, warning, unknown } = findingsOf('Registry');
  if (setAside instanceof Unreadable) {
    return unknown(`${setAsidePath}: ${setAside.why}`);
  }
  const names = setAside ?? [];
  if (names.length === 0) {
    return ok('all files among the leases are leases');
  }
  const files = names.length === 1 ? '1 file that is no lease was' : `${names.length} files that are no leases were`;
  return warning(`${files} found among the leases and set aside`, `look at what is in ${setAsidePath}, then remove it`);
}
