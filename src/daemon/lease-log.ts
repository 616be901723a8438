/** What happens to leases and users, in the log: one line for each event, with the same names for the same things. */
import type { LeaseEventOf, LeaseEvents } from '../allocator/events.ts';
import type { Clock } from '../allocator/ports.ts';
import { describeEvidence } from '../core/evidence.ts';
import type { Uid } from '../core/ids.ts';
import type { DynamicUser, Lease } from '../core/lease.ts';
import type { Logger } from './logger.ts';

/** By these the journal finds what a line means (journalctl(1), -x): systemd/dynuser.catalog explains them. */
export const MESSAGE_IDS = {
  begin: 'f01f2802b5a64c139b1fd65cc0836c28',
  end: 'bf3e6ffc2d724602bcf2e9aa788a8098',
  refusal: '0dba6cbedaa64fcdb85c915025f4ea88',
  loss: '8a22a9a6236a490c8d09b4a03d507ff9',
} as const;

/** @returns a function to be called if the level of the log has changed */
export function logLeases(events: LeaseEvents, logger: Logger, clock: Pick<Clock, 'monotonic'>): () => void {
  const refusals = new RefusalBudget(clock);
  let endSkipped: (() => void) | undefined;
  events.on(['allocated'], event => logAllocation(logger, event));
  events.on(['released'], ({ user, lease, left }) => {
    const what = lease.member === undefined ? 'lease' : `membership of ${lease.member.user}`;
    const words = left === 0 ? `its last ${what} has ended` : `a ${what} has ended, and ${left} left`;
    logger.info({ ...fieldsOf(user, lease), left }, `${user.name}: ${words} (${lease.unit})`);
  });
  events.on(['overtime'], ({ lease, runtime, process }) =>
    logger.warn(
      { unit: lease.unit, lease: lease.id, pid: process.pid, signal: runtime.signal },
      `${lease.unit} has run for ${runtime.milliseconds / 1_000} s, which is as long as it may: process ${process.pid} is ended`,
    ),
  );
  events.on(['ended'], ({ user }) => {
    if (user.lost !== undefined) {
      logLoss(logger, user);
    } else if (user.dynamic) {
      logger.info(
        { ...userFields(user), messageId: MESSAGE_IDS.end },
        `${user.name} has ended: UID ${user.uid} is free`,
      );
    }
  });
  events.on(['lost'], ({ user, cause }) => logLoss(logger, user, cause));
  events.on(['leftovers'], ({ user, left }) =>
    logger.warn(
      { ...userFields(user), left },
      `${user.name} has ended, and UID ${user.uid} stays reserved until nothing is left of it: ${left}`,
    ),
  );
  events.on(['recovered'], ({ user }) => {
    // A start may take up a hundred thousand.
    if (logger.isLevelEnabled('debug')) {
      const leases = user.leases.map(({ id }) => id);
      logger.debug({ ...userFields(user), leases }, `${user.name} lives on with UID ${user.uid}`);
    }
  });
  events.on(['handover'], ({ user, directory: { publicPath: directory, handover, changed } }) =>
    logger.info(
      { ...userFields(user), directory, handover, changed },
      `${directory} was handed over to ${user.name} (UID ${user.uid})`,
    ),
  );
  events.on(['refused'], event => {
    const budget = refusals.take(event.requester.uid, event.requester.isRoot);
    if (budget !== undefined) {
      logRefusal(logger, event, budget);
    }
  });
  events.on(['fleetAway'], ({ name, reason }) =>
    logger.warn({ user: name, reason }, `${name} gets a UID of this host alone, not that of the fleet: ${reason}`),
  );
  const logCandidate = ({ name, uid, evidence }: LeaseEventOf<'passedOver' | 'skipped'>) => {
    if (logger.isLevelEnabled('debug')) {
      const found = describeEvidence(evidence);
      logger.debug({ user: name, uid, evidence: evidence.kind }, `${name} does not get UID ${uid}: ${found}`);
    }
  };
  events.on(['passedOver'], logCandidate);
  const adjust = () => {
    // There may be thousands of them in a request: nobody listens unless somebody reads.
    endSkipped?.();
    endSkipped = logger.isLevelEnabled('debug') ? events.on(['skipped'], logCandidate) : undefined;
  };
  adjust();
  return adjust;
}

function userFields({ name: user, uid }: DynamicUser) {
  return { user, uid };
}

function fieldsOf(user: DynamicUser, { id: lease, unit, lifetime, pid, owner, groups, member }: Lease) {
  return {
    ...{ ...userFields(user), unit, lease, lifetime, owner, ...(pid === undefined ? {} : { pid }) },
    ...(groups === undefined ? {} : { groups: groups.map(({ name }) => name) }),
    ...(member === undefined ? {} : { member: member.user }),
  };
}

/** Who has got a lease, or given one back: a unit, or a member of the group. */
function holderWords({ unit, member }: Lease): string {
  return member === undefined ? unit : `${unit}, for its user ${member.user},`;
}

function logAllocation(logger: Logger, { user, lease, joined, seconds }: LeaseEventOf<'allocated'>): void {
  const fields = {
    ...fieldsOf(user, lease),
    ...(seconds === undefined ? {} : { seconds: Number(seconds.acquire.toFixed(6)) }),
  };
  if (joined) {
    logger.info(fields, `${holderWords(lease)} has joined ${user.name} (UID ${user.uid})`);
  } else if (user.dynamic) {
    logger.info(
      { ...fields, messageId: MESSAGE_IDS.begin },
      `${holderWords(lease)} has got ${user.name} with UID ${user.uid}`,
    );
  } else {
    logger.info(fields, `${lease.unit} uses ${user.name} (UID ${user.uid}), an account of this host`);
  }
}

function logLoss(logger: Logger, user: DynamicUser, cause?: unknown): void {
  logger.error(
    {
      ...userFields(user),
      reason: user.lost,
      ...(cause === undefined ? {} : { err: cause }),
      messageId: MESSAGE_IDS.loss,
    },
    `${user.name} has lost UID ${user.uid}, of which nothing is touched any more: ${user.lost}`,
  );
}

function logRefusal(logger: Logger, event: LeaseEventOf<'refused'>, { withheld }: { readonly withheld: number }): void {
  const { unit, userName: user, requester, pid, code, reason } = event;
  const fields = {
    ...(user === undefined ? {} : { user }),
    ...{ unit, owner: requester.uid, ...(pid === undefined ? {} : { pid }), code, reason },
    ...(withheld === 0 ? {} : { withheld }),
    messageId: MESSAGE_IDS.refusal,
  };
  const more = withheld === 0 ? '' : ` (${withheld} refusals of this UID before it were not logged)`;
  // What the daemon does wrong is reported with its stack by whoever answers the call.
  logger.warn(fields, `${unit} was refused a user (${code}): ${reason}${more}`);
}

/** How many refusals of a UID other than root are logged at once, and how long it takes to earn one more, in milliseconds. */
const REFUSALS_AT_ONCE = 10;
const REFUSAL_EVERY_MS = 6_000;
/** UIDs whose refusals are counted. */
const REFUSED_UIDS_MAX = 1_024;

/** Keeps peers that may ask for anything from filling the log, and from crowding out what others need there. */
class RefusalBudget {
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #counts = new Map<Uid, { left: number; at: number; withheld: number }>();

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock;
  }

  /** @returns undefined if the refusal is not to be logged; else how many of the UID were not, before it */
  take(uid: Uid, isRoot: boolean): { readonly withheld: number } | undefined {
    if (isRoot) {
      return { withheld: 0 };
    }
    const now = this.#clock.monotonic();
    const count = this.#counts.get(uid) ?? { left: REFUSALS_AT_ONCE, at: now, withheld: 0 };
    // The one that was refused last is the last to be forgotten.
    this.#counts.delete(uid);
    this.#counts.set(uid, count);
    for (const [oldest] of this.#counts.size > REFUSED_UIDS_MAX ? this.#counts : []) {
      this.#counts.delete(oldest);
      break;
    }
    const earned = Math.floor((now - count.at) / REFUSAL_EVERY_MS);
    count.left = Math.min(count.left + earned, REFUSALS_AT_ONCE);
    count.at += earned * REFUSAL_EVERY_MS;
    if (count.left === 0) {
      count.withheld++;
      return undefined;
    }
    count.left--;
    const { withheld } = count;
    count.withheld = 0;
    return { withheld };
  }
}
