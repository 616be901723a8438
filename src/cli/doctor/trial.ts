/**
 * The trial of `doctor --try`: a user of its own, which lives while the host is examined. Its lease ends with the
 * connection, so that nothing stays if this process is interrupted, killed, or fails in between.
 */
import { randomBytes } from 'node:crypto';
import { checkAcquireReply } from '../acquire-replies.ts';
import { type Daemon, isErrorReply } from '../daemon.ts';
import { CommandFailure } from '../failure.ts';
import { ALLOCATION_TIMEOUT_MS, RELEASE_TIMEOUT_MS } from '../limits.ts';
import { checkReleaseReply } from '../replies.ts';
import { type Finding, findingsOf } from './finding.ts';
import { type Host, Unreadable } from './host.ts';

/** The user of a trial, and its lease. */
export interface TrialUser {
  readonly userName: string;
  readonly uid: number;
  readonly gid: number;
  readonly lease: string;
}

/** Bytes of randomness in the name, which nobody else's user must have. */
const NAME_BYTES = 4;
/** getent(1): a key that was not found. */
const NOT_FOUND = 2;

/** @returns a name that no other trial has, and that is short enough for a user */
export function trialName(): string {
  return `dynuser-doctor-${randomBytes(NAME_BYTES).toString('hex')}`;
}

/** @returns what came of the acquire, and the user if there is one */
export async function beginTrial(
  daemon: Daemon,
  userName: string,
): Promise<{ readonly finding: Finding; readonly user?: TrialUser }> {
  const { ok, problem, unknown } = findingsOf('Acquire');
  try {
    const parameters = { unit: `${userName}.service`, userName, lifetime: 'connection' };
    const reply = await daemon.call('io.dynuser.Allocator.Acquire', parameters, ALLOCATION_TIMEOUT_MS);
    const checked = checkAcquireReply(reply);
    if (!('acquired' in checked) || !checked.acquired.dynamic || checked.acquired.userName !== userName) {
      return { finding: problem(`dynuserd gives something else than the user ${userName}`, 'restart dynuserd') };
    }
    const { uid, gid, lease } = checked.acquired;
    return { finding: ok(`${userName} has got the UID ${uid}`), user: { userName, uid, gid, lease } };
  } catch (error) {
    if (!(error instanceof CommandFailure)) {
      throw error;
    }
    return {
      finding: isErrorReply(error, 'io.dynuser.Allocator.NotPermitted')
        ? unknown(error.message)
        : problem(error.message, "mend what is said; the log of dynuserd may say more ('journalctl -u dynuserd')"),
    };
  }
}

/** Releases the user of a trial, and asks the host whether its name is gone. */
export async function endTrial(daemon: Daemon, host: Host, { userName, lease }: TrialUser): Promise<Finding> {
  const { ok, warning, problem, unknown } = findingsOf('Release');
  try {
    const reply = await daemon.call('io.dynuser.Allocator.Release', { lease }, RELEASE_TIMEOUT_MS);
    const { remains } = checkReleaseReply(reply);
    if (remains !== undefined) {
      return warning(`the UID of ${userName} stays reserved: ${remains}`, 'remove what is named');
    }
  } catch (error) {
    if (!(error instanceof CommandFailure)) {
      throw error;
    }
    // The connection is closed next, and with it goes the lease.
    return problem(error.message, "see the log of dynuserd ('journalctl -u dynuserd')");
  }
  // By its name alone: its UID may be somebody else's already.
  const result = await host.run(['getent', 'passwd', userName]);
  if (result === undefined || result instanceof Unreadable) {
    return unknown(result?.why ?? 'there is no getent here to ask with whether the name is gone');
  }
  return result.status === NOT_FOUND
    ? ok(`${userName} is released, and resolves no more`)
    : problem(`${userName} is released, and 'getent passwd ${userName}' still finds it`, 'restart nscd or sssd');
}
