/**
 * Which user a request gets: the live one of its name, a new one, or the host's account. Acquire and Explain share these decisions and
 * refusals: Acquire carries them out, Explain only reports them.
 */
import { mayJoin, type Requester } from '../core/access.ts';
import { type AccountAnswer, isKnown } from '../core/account.ts';
import { DynuserError } from '../core/errors.ts';
import type { Evidence } from '../core/evidence.ts';
import type { Gid, Uid, UserName } from '../core/ids.ts';
import type { DynamicUser } from '../core/lease.ts';
import { GROUPS_PER_USER_MAX, LEASES_PER_USER_MAX, MEMBERSHIPS_PER_GROUP_MAX } from '../core/limits.ts';
import { heldGroups } from '../core/memberships.ts';
import { restrictsPackets, samePacketRules } from '../core/packet-rules.ts';
import type { CheckPurpose, Probe, UidLocks } from './ports.ts';
import type { AcquireRequest, SharedGroupRequest, UserRequest } from './request.ts';
import type { UserTable } from './user-table.ts';

/** @throws DynuserError NameConflict, NotPermitted, LimitReached if a requester cannot have one more lease of a user */
export function checkJoin(user: DynamicUser, requester: Requester, request: JoinRequest): void {
  const { name, uid, leases, lost } = user;
  if (lost !== undefined) {
    throw nameConflict(
      `the user ${name} has lost its UID ${uid}: ${lost}; release its leases ('dynuserctl release ${name}'), then acquire it anew`,
    );
  }
  const owners = leases.map(lease => lease.owner);
  const access = mayJoin(requester, name, owners, request.member === undefined ? 'user' : 'group');
  if (!access.allowed) {
    throw new DynuserError('NotPermitted', access.reason, { field: 'userName' });
  }
  checkCounts(user, request);
  checkPacketRules(user, request);
}

function checkCounts({ name, leases }: DynamicUser, { member, groups }: JoinRequest): void {
  const memberships = leases.filter(lease => lease.member !== undefined).length;
  const [count, max, what] =
    member === undefined
      ? [leases.length - memberships, LEASES_PER_USER_MAX, `the user ${name} has ${LEASES_PER_USER_MAX} leases`]
      : [memberships, MEMBERSHIPS_PER_GROUP_MAX, `the group ${name} has ${MEMBERSHIPS_PER_GROUP_MAX} memberships`];
  if (count >= max) {
    throw new DynuserError('LimitReached', `${what} already`, { field: 'userName' });
  }
  const held = heldGroups({ leases: [...leases, { groups: groups ?? [] }] });
  if (groups !== undefined && held.length > GROUPS_PER_USER_MAX) {
    throw new DynuserError('LimitReached', `the user ${name} is in ${GROUPS_PER_USER_MAX} groups already`, {
      field: 'userName',
    });
  }
}

/** What of a request decides whether it may join. */
export type JoinRequest = PacketRequest & Pick<AcquireRequest, 'groups'> & { readonly member?: unknown };
type PacketRequest = Pick<UserRequest, 'packetRules' | 'takesPacketRules'>;

/**
 * Packets are told apart by their UID alone. So no launch may loosen or tighten the rules of another launch of the same user, and an
 * account of the host gets no rules, since they would reach everything else that runs as it.
 * @throws DynuserError NameConflict
 */
export function checkPacketRules(user: DynamicUser, { packetRules, takesPacketRules }: PacketRequest): void {
  const { name, dynamic, packetRules: present } = user;
  if (!dynamic && restrictsPackets(packetRules)) {
    throw nameConflict(
      `the user ${name} is an account of this host, and IPAddressDeny= or RestrictNetworkInterfaces= would reach all that runs as it; use a dynamic user, or PrivateNetwork=yes`,
    );
  }
  const isBound = packetRules !== undefined && takesPacketRules !== true && present !== undefined;
  if (isBound && !samePacketRules(packetRules, present)) {
    throw nameConflict(
      `the user ${name} lives already with other values of IPAddressDeny=, IPAddressAllow= or RestrictNetworkInterfaces=, and a UID can have but one; give all its launches the same, or release its other leases`,
    );
  }
}

/** The NSS lookup of a request's name: made once, alone or together with the first UID that is checked for it. */
export class NameLookup {
  readonly #probe: Probe;
  readonly #name: UserName;
  readonly #purpose: CheckPurpose;
  #account: Promise<AccountAnswer> | undefined;

  /** @param purpose 'look' removes nothing */
  constructor(probe: Probe, name: UserName, purpose: CheckPurpose) {
    this.#probe = probe;
    this.#name = name;
    this.#purpose = purpose;
  }

  /** @throws DynuserError ProbeFailed, LimitReached; the same each time */
  account(): Promise<AccountAnswer> {
    this.#account ??= this.#probe.account(this.#name);
    return this.#account;
  }

  /**
   * Decides between the error of a search and what NSS says of the name, which comes first: a user of the host needs no UID.
   * @returns normally if the host has the name
   * @throws the error if it has not; DynuserError ProbeFailed, LimitReached
   */
  async comesBefore(error: unknown): Promise<undefined> {
    if (!isKnown(await this.account())) {
      throw error;
    }
  }

  /**
   * @returns the evidence against a UID, or undefined; 'known' if the host has the name, whatever the evidence is
   * @throws DynuserError ProbeFailed, LimitReached
   */
  async check(uid: Uid): Promise<Evidence | 'known' | undefined> {
    if (this.#account !== undefined) {
      if (isKnown(await this.#account)) {
        return 'known';
      }
      return this.#purpose === 'take' ? this.#probe.take(uid) : this.#probe.evidence(uid);
    }
    const claim = this.#probe.check(this.#name, uid, this.#purpose);
    this.#account = claim.then(({ account }) => account);
    // If nobody calls account(), its failure is reported by the check alone.
    this.#account.catch(() => {});
    const { account, evidence } = await claim;
    return isKnown(account) ? 'known' : evidence;
  }
}

const OTHER_NAME = 'choose another user name';

/**
 * The host's account of a name, for which no user is made. systemd's rule (systemd.exec(5), DynamicUser=): an existing user is
 * used as it is, with its own group, whatever that is called; a group without the user is refused, since half of the name
 * would be somebody else's. Unlike there, a user that systemd itself allocated a moment ago is refused too: its UID ends
 * with systemd's unit, not with our lease.
 * No UID that was tried may be locked any more: a lock that is seen now is not ours.
 * @returns the account as a user without a lease
 * @throws DynuserError NameConflict, NotPermitted; ProbeFailed, LimitReached
 */
export async function hostAccount(
  { locks }: { readonly locks: Pick<UidLocks, 'peek'> },
  name: UserName,
  { isRoot }: Requester,
  lookup: NameLookup,
): Promise<DynamicUser> {
  const { user, group } = await lookup.account();
  if (user === undefined) {
    throw nameConflict(
      group === undefined
        ? `user ${name} does not exist and DynamicUser=no forbids creating it; name an existing user`
        : `the group ${name} (${group.gid}) exists on this host, but no user of that name; ${OTHER_NAME}, or create the user`,
    );
  }
  if (locks.peek(user.uid).kind === 'taken') {
    throw nameConflict(
      `the user ${name} is a dynamic user of systemd (UID ${user.uid}); ${OTHER_NAME}, or stop its unit first`,
    );
  }
  if (!isRoot) {
    // A lease of a static user decides about its directories and what it leaves behind.
    const reason = `the user ${name} is an account of this host, and only root may acquire it; ${OTHER_NAME}`;
    throw new DynuserError('NotPermitted', reason, { field: 'userName' });
  }
  return { name, uid: user.uid, gid: user.gid, dynamic: false, leases: [] };
}

/**
 * The host's group of a name, which is used as it is unless a dynamic one lives. As of users, one that systemd allocated is refused: its
 * number ends with systemd's unit, not with our lease.
 * @returns undefined if the group is a dynamic one, which lives or may be made
 * @throws DynuserError NameConflict, NotPermitted; ProbeFailed, LimitReached
 */
export async function hostGroup(
  { locks, users }: { readonly locks: Pick<UidLocks, 'peek'>; readonly users: Pick<UserTable, 'byName'> },
  { name, isPrimary, mustExist }: SharedGroupRequest,
  { isRoot }: Requester,
  probe: Pick<Probe, 'account'>,
): Promise<Gid | undefined> {
  if (users.byName(name)?.dynamic === true) {
    return undefined;
  }
  const { user, group } = await probe.account(name);
  if (group === undefined && user !== undefined) {
    throw nameConflict(
      `the user ${name} (${user.uid}) exists on this host, but no group of that name; name another group`,
    );
  }
  if (group === undefined) {
    if (mustExist) {
      throw noSuchGroup(name, isPrimary);
    }
    return undefined;
  }
  if (locks.peek(group.gid as number as Uid).kind === 'taken') {
    throw nameConflict(
      `the group ${name} is a dynamic group of systemd (GID ${group.gid}); name another group, or stop its units first`,
    );
  }
  if (!isRoot) {
    // Its members can use what others gave to the group.
    const reason = `the group ${name} is a group of this host, and only root may have a user in it; name another group`;
    throw new DynuserError('NotPermitted', reason, { field: 'userName' });
  }
  return group.gid;
}

/** The refusal of a request for a group that does not exist and must not be made. */
export function noSuchGroup(name: UserName, isPrimary: boolean): DynuserError {
  const otherwise = isPrimary ? ", or leave it out for the user's own" : '';
  return nameConflict(`group ${name} does not exist; name an existing group${otherwise}`);
}

function nameConflict(reason: string): DynuserError {
  return new DynuserError('NameConflict', reason, { field: 'userName' });
}
