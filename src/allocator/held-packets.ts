/** The rules for the packets of a user: in the kernel before it has the lease that brings them, and taken back if it gets none. */
import type { DynamicUser } from '../core/lease.ts';
import { type PacketRules, restrictsPackets } from '../core/packet-rules.ts';
import type { PacketFilter } from './ports.ts';
import type { UserRequest } from './request.ts';

export interface HeldPackets extends AsyncDisposable {
  /** what the user is to be written down with; absent: no launch has run with its UID yet */
  readonly rules: Pick<DynamicUser, 'packetRules'>;
  /** The user is written down: its teardown takes them away. */
  kept(): void;
}

/** @throws DynuserError HostFailed */
export async function holdPackets(
  filter: PacketFilter,
  user: DynamicUser,
  request: Pick<UserRequest, 'packetRules'>,
): Promise<HeldPackets> {
  const packetRules: PacketRules | undefined = user.dynamic ? (user.packetRules ?? request.packetRules) : undefined;
  const isNew = user.packetRules === undefined && restrictsPackets(packetRules);
  let hold = isNew ? await filter.hold(user.uid, packetRules) : undefined;
  return {
    rules: packetRules === undefined ? {} : { packetRules },
    kept() {
      hold = undefined;
    },
    async [Symbol.asyncDispose]() {
      await hold?.undo();
    },
  };
}
