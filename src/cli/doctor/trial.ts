/**
 * The trial of `doctor --try`: a user with a random name that is live while the host is examined. Its lease ends with the
 * connection, so that nothing stays if this process is interrupted, killed, or fails in between.
 */
import { randomBytes } from 'node:crypto';
import type { AcquireParameters } from '../../api/generated/io-dynuser-allocator.ts';
import type { CallOptions } from '../../client/client.ts';
import { DynuserError } from '../../client/errors.ts';
import type { HeldLease } from '../../client/held-lease.ts';
import { GETENT_NOT_FOUND, type Host, isSeen } from '../host.ts';
import { ALLOCATION_TIMEOUT_MS } from '../limits.ts';
import { type Finding, findingsOf } from './finding.ts';

/** The user of a trial. */
export type TrialUser = Pick<HeldLease, 'userName' | 'uid' | 'gid'>;
type TrialLease = TrialUser & Pick<HeldLease, 'dynamic' | 'release'>;

/** What the trial needs of the client. */
export interface TrialClient {
  acquire(parameters: AcquireParameters, options: CallOptions): Promise<TrialLease>;
}

/** Bytes of randomness in the name, which nobody else's user must have. */
const NAME_BYTES = 4;

/** @returns a name that no other trial has, and that is short enough for a user */
export function trialName(): string {
  return `dynuser-doctor-${randomBytes(NAME_BYTES).toString('hex')}`;
}

/** @returns what came of the acquire, and the lease if there is one */
export async function beginTrial(
  client: TrialClient,
  userName: string,
): Promise<{ readonly finding: Finding; readonly lease?: TrialLease }> {
  const { ok, problem, unknown } = findingsOf('Acquire');
  try {
    const parameters = { unit: `${userName}.service`, userName, lifetime: 'connection' } as const;
    const lease = await client.acquire(parameters, { timeoutMs: ALLOCATION_TIMEOUT_MS });
    if (!lease.dynamic || lease.userName !== userName) {
      return { finding: problem(`dynuserd gave another user than ${userName}`, 'restart dynuserd') };
    }
    return { finding: ok(`${userName} has got the UID ${lease.uid}`), lease };
  } catch (error) {
    if (!(error instanceof DynuserError)) {
      throw error;
    }
    return {
      finding:
        error.code === 'NotPermitted'
          ? unknown(error.reason)
          : problem(error.reason, "repair what is named; the log of dynuserd may say more ('journalctl -u dynuserd')"),
    };
  }
}

/** Releases the user of a trial, and asks the host whether its name is gone. */
export async function endTrial(lease: TrialLease, host: Host): Promise<Finding> {
  const { userName } = lease;
  const { ok, warning, problem, unknown } = findingsOf('Release');
  try {
    const { remains } = await lease.release();
    if (remains !== undefined) {
      return warning(`the UID of ${userName} stays reserved: ${remains}`, 'remove what is named');
    }
  } catch (error) {
    if (!(error instanceof DynuserError)) {
      throw error;
    }
    // The client is closed next, and with it goes the lease.
    return problem(error.reason, "see the log of dynuserd ('journalctl -u dynuserd')");
  }
  // By its name alone: its UID may be somebody else's already.
  const result = await host.run(['getent', 'passwd', userName]);
  if (!isSeen(result)) {
    return unknown(result?.why ?? 'there is no getent here to ask with whether the name is gone');
  }
  return result.status === GETENT_NOT_FOUND
    ? ok(`${userName} is released, and no longer resolves`)
    : problem(`${userName} is released, and 'getent passwd ${userName}' still finds it`, 'restart nscd or sssd');
}
