/** The fleet as the daemon of this host sees it: what it holds, and whether it is a member. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { FleetStatusReply } from '../../api/generated/io-dynuser-allocator.ts';
import { CommandFailure } from '../failure.ts';
import { type Host, isSeen } from '../host.ts';
import { accountsIn } from '../host-lookups.ts';
import { FLEET_JOIN_POLL_MS, FLEET_JOIN_TIMEOUT_MS } from '../limits.ts';
import type { ProcessIo } from '../process-io.ts';
import { printable } from '../render/text.ts';
import { withClient } from '../with-client.ts';

/** @throws CommandFailure */
export function statusHere(io: ProcessIo): Promise<FleetStatusReply> {
  return withClient(io, client => client.fleetStatus());
}

/** Waits until this host is a member, which it becomes by itself. @throws CommandFailure that says why it does not */
export async function joinHere(io: ProcessIo): Promise<FleetStatusReply> {
  const deadline = io.now() + FLEET_JOIN_TIMEOUT_MS;
  for (;;) {
    const status = await statusHere(io);
    if (status.state === 'member') {
      return status;
    }
    if (status.mode === 'off') {
      throw new CommandFailure('this host has no fleet; set Fleet= in dynuserd.conf, see dynuserd.conf(5)');
    }
    if (io.now() > deadline) {
      const words = `this host is not a member of the fleet after ${FLEET_JOIN_TIMEOUT_MS / 1_000} s`;
      throw new CommandFailure(`${words}: ${printable(status.reason ?? 'the daemon does not say why')}`);
    }
    await sleep(FLEET_JOIN_POLL_MS);
  }
}

/** @returns the UID of an account in the files of this host, undefined if none can be seen */
export function accountOf(host: Pick<Host, 'text'>, name: string): number | undefined {
  const passwd = host.text('/etc/passwd');
  return accountsIn(isSeen(passwd) ? passwd : '').find(account => account.name === name)?.id;
}
