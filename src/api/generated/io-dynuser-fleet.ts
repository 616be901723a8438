/** Generated from io.dynuser.Fleet.varlink by "npm run generate": change that file, not this one. */

export const FLEET_INTERFACE = `# One UID for a name on every host of a fleet: what dynuserd asks of dynuser-fleetd, and dynuserctl of both. For root alone. dynuser-fleetd keeps
# nothing of a host but what is in the store; every call says which host it is for.
#
# A call that changes something may be made again after any failure, StoreUnavailable too: what was done already is found and answered as
# if it were done now.
interface io.dynuser.Fleet

type StoreKind (etcd, directory)

# A point in the life of the store: its revision, which only grows unless the store was restored from a backup, and its identity.
type Position (cluster: string, revision: int)

type Binding (name: string, uid: int)

# bound: the name has this UID on every host
# cooling: no host holds the name; its UID is given to no other name yet
# free: the UID is nobody's
type BindingState (bound, cooling, free)

type Change (name: string, uid: int, state: BindingState)

# member: the recorded incarnation is the one of the store
# joined: the store did not know the host
# replaced: the store knew the host by another incarnation, which is not alive. Its holds are still the host's
# fenced: the host was given up, and so were its holds. 'incarnation' is the fence: with it the host holds again (HoldAgain) what is still
# bound as it was, ends the other users, and joins again with the fence as its incarnation
type JoinState (member, joined, replaced, fenced)

# A host of the fleet.
type Host (
  host: string,
  # the name that it gave when it joined last; absent if the store does not have it
  hostName: ?string,
  # it was heard of within the last minute
  alive: bool,
  fenced: bool,
  incarnation: string,
  # how many names it holds
  holds: int,
  # the version of its dynuserd, if it is alive
  version: ?string,
  # after a restore of the store: it has put its bindings again
  restored: ?bool
)

# A directory on shared storage, which belongs to one name.
type SharedDirectory (storage: string, path: string)

# A binding that cannot be put again: the store has the name with boundUid, or the UID with boundName.
type RestoreConflict (name: string, uid: int, boundUid: ?int, boundName: ?string)

# What dynuser-fleetd knows of its store. Never waits for the store longer than the deadline of one call.
method Status() -> (
  # Fleet= of fleetd.conf
  fleet: string,
  store: StoreKind,
  # where the store is, in words
  location: string,
  reachable: bool,
  # why it is not reachable, or what is wrong with it
  reason: ?string,
  # absent if the fleet was not created, or nothing could be read yet
  ranges: ?string,
  position: ?Position,
  # the store was restored from a backup, and nobody said yet that all hosts have put their bindings again
  restoring: bool
)

# Creates the fleet with the UIDs that it gives out: intervals in ascending order, "65536-79999 90000-99999".
method Create(ranges: string) -> ()

# Makes a host a member, and says from then on that it is alive, for as long as dynuser-fleetd runs.
method Join(
  # 16 hexadecimal digits, which do not change as long as the machine-id does not
  host: string,
  hostName: string,
  version: string,
  # the incarnation that the host has recorded, if there is one; or the fence, after the host has done what 'fenced' asks for
  incarnation: ?string,
  # the incarnation that it has from now on if it is not a member by the recorded one
  next: string,
  # take 'next' too if the recorded one is in force: with each boot of the host
  renew: bool,
  # the UIDs that the host knows the fleet to give out
  ranges: string,
  # the last position of the store that the host has seen. If the store is another one, or is at an earlier revision, it was restored from a
  # backup; it is then marked as restoring
  seen: ?Position
) -> (
  state: JoinState,
  # of the host from now on; if it is fenced, the fence
  incarnation: string,
  position: Position,
  restoring: bool
)

# Holds a name for a host: the host may run processes as its user from then on, until it forgets the name. A name that no host has is bound
# to the first candidate that is free. A name that is bound already is held only if its UID is among the candidates.
method Hold(
  host: string,
  incarnation: string,
  name: string,
  # 1 to 64
  candidates: []int
) -> (
  uid: int,
  # the name was not bound before
  fresh: bool
)

# Holds a name that the host held before it was fenced, if it is still bound to that UID. 'incarnation' is the fence, or that of the host.
method HoldAgain(host: string, incarnation: string, name: string, uid: int) -> (held: bool)

# The host does not run processes as the name's user any more, and has removed its own record. 'seen' is the position of the store when the
# host began to forget: a hold that was put after it stays, however late the call is done.
method Forget(host: string, incarnation: string, name: string, seen: Position) -> ()

# What a host holds, in batches of at most 500.
# [Supports 'more' flag]
method HoldsOf(host: string) -> (holds: []Binding)

# All bindings, then every change of one. A batch has at most 500 changes. Everything up to the first batch with 'complete' is as the store was
# at one revision, read anew with the majority of its members.
# [Requires 'more' flag]
method Bindings(
  # go on after this position if that is possible
  since: ?Position,
  # end after the first batch with 'complete'
  once: ?bool
) -> (
  position: Position,
  # what was known before is void: everything comes again, from this batch on
  reset: bool,
  # with this batch all is known that the store has at 'position'
  complete: bool,
  changes: []Change
)

# Says that a directory on shared storage is the name's, on all hosts and until FreeDirectory.
method TakeDirectory(
  host: string,
  incarnation: string,
  storage: string,
  # below the root of the storage, as "/srv/web"
  path: string,
  name: string
) -> ()

# The directory is nobody's any more: its files are gone.
method FreeDirectory(storage: string, path: string) -> ()

# The hosts, one reply for each.
# [Supports 'more' flag]
method Hosts() -> (host: ?Host, hosts: ?[]Host)

# What the store has of a name. At most 500 hosts and 500 directories are told.
method Name(name: string) -> (
  state: BindingState,
  uid: ?int,
  # hosts that hold it, as Hosts has them
  hosts: []string,
  directories: []SharedDirectory
)

# Ends the bindings of names that no host holds and that have no directory: their UIDs cool down. One reply for each, then one without a
# name. With 'name' only that one is looked at.
# [Requires 'more' flag]
method Collect(name: ?string) -> (name: ?string, uid: ?int)

# Fences a host that is powered off, and ends its holds: the caller vouches for it that none of its processes runs any more. A host that was heard
# of within the last minute is refused unless 'evenAlive' is true.
method ForgetHost(host: string, evenAlive: ?bool) -> (names: []string)

# A host leaves the fleet: it has no record any more, and none of its users runs. It is no member afterwards.
method Leave(host: string, incarnation: string) -> ()

# After the store was restored from a backup: puts the bindings of a host's records again, at most 500 in a call. What the store has
# otherwise stays as it is, and is told. 'incarnation' is that of the host, or the fence if the store has it fenced; it joins after that.
method Restore(
  host: string,
  incarnation: string,
  bindings: []Binding,
  # these were the last ones: the host has put all of its bindings again
  last: bool
) -> (conflicts: []RestoreConflict)

# All hosts have put their bindings again, and no conflict is left: names may be held again.
method Resume() -> ()

# The caller is not root.
error NotPermitted(reason: string)
# The store did not answer in time, or could not do it. Whether it was done is not known.
error StoreUnavailable(reason: string)
# The store has no fleet of this name; Create makes it.
error NoFleet(fleet: string)
# The fleet was created already, with these UIDs.
error FleetExists(ranges: string)
# The fleet gives out other UIDs than the host knows.
error RangesDiffer(ranges: string)
# Another machine with the same machine-id is a member and alive.
error HostAlive(hostName: string)
# The incarnation is not the one that the store has: the host was fenced, or replaced by a clone; it has to join again.
error NotMember(incarnation: ?string)
# The name is bound to a UID that is not among the candidates.
error NameBound(uid: int)
# Each candidate is bound to another name, or cools down for one.
error NoneFree()
# The store was restored from a backup, and names are not held before Resume.
error Restoring()
# The directory is another name's.
error DirectoryOfAnother(name: string)
# Resume, while these hosts have not put their bindings again, or while the store has records of hosts otherwise: "HOST/NAME".
error NotRestored(hosts: []string, conflicts: []string)
# The store does not know the host.
error NoSuchHost(host: string)
# A parameter is not what it should be.
error InvalidParameter(field: string, reason: string)
`;

export type StoreKind = 'etcd' | 'directory';

/** A point in the life of the store: its revision, which only grows unless the store was restored from a backup, and its identity. */
export type Position = {
  readonly cluster: string;
  readonly revision: number;
};

export type Binding = {
  readonly name: string;
  readonly uid: number;
};

/**
 * bound: the name has this UID on every host
 * cooling: no host holds the name; its UID is given to no other name yet
 * free: the UID is nobody's
 */
export type BindingState = 'bound' | 'cooling' | 'free';

export type Change = {
  readonly name: string;
  readonly uid: number;
  readonly state: BindingState;
};

/**
 * member: the recorded incarnation is the one of the store
 * joined: the store did not know the host
 * replaced: the store knew the host by another incarnation, which is not alive. Its holds are still the host's
 * fenced: the host was given up, and so were its holds. 'incarnation' is the fence: with it the host holds again (HoldAgain) what is still
 * bound as it was, ends the other users, and joins again with the fence as its incarnation
 */
export type JoinState = 'member' | 'joined' | 'replaced' | 'fenced';

/** A host of the fleet. */
export type Host = {
  readonly host: string;
  /** the name that it gave when it joined last; absent if the store does not have it */
  readonly hostName?: string;
  /** it was heard of within the last minute */
  readonly alive: boolean;
  readonly fenced: boolean;
  readonly incarnation: string;
  /** how many names it holds */
  readonly holds: number;
  /** the version of its dynuserd, if it is alive */
  readonly version?: string;
  /** after a restore of the store: it has put its bindings again */
  readonly restored?: boolean;
};

/** A directory on shared storage, which belongs to one name. */
export type SharedDirectory = {
  readonly storage: string;
  readonly path: string;
};

/** A binding that cannot be put again: the store has the name with boundUid, or the UID with boundName. */
export type RestoreConflict = {
  readonly name: string;
  readonly uid: number;
  readonly boundUid?: number;
  readonly boundName?: string;
};

export type StatusReply = {
  /** Fleet= of fleetd.conf */
  readonly fleet: string;
  readonly store: StoreKind;
  /** where the store is, in words */
  readonly location: string;
  readonly reachable: boolean;
  /** why it is not reachable, or what is wrong with it */
  readonly reason?: string;
  /** absent if the fleet was not created, or nothing could be read yet */
  readonly ranges?: string;
  readonly position?: Position;
  /** the store was restored from a backup, and nobody said yet that all hosts have put their bindings again */
  readonly restoring: boolean;
};

export type CreateParameters = {
  readonly ranges: string;
};

export type JoinParameters = {
  /** 16 hexadecimal digits, which do not change as long as the machine-id does not */
  readonly host: string;
  readonly hostName: string;
  readonly version: string;
  /** the incarnation that the host has recorded, if there is one; or the fence, after the host has done what 'fenced' asks for */
  readonly incarnation?: string;
  /** the incarnation that it has from now on if it is not a member by the recorded one */
  readonly next: string;
  /** take 'next' too if the recorded one is in force: with each boot of the host */
  readonly renew: boolean;
  /** the UIDs that the host knows the fleet to give out */
  readonly ranges: string;
  /**
   * the last position of the store that the host has seen. If the store is another one, or is at an earlier revision, it was restored from a
   * backup; it is then marked as restoring
   */
  readonly seen?: Position;
};

export type JoinReply = {
  readonly state: JoinState;
  /** of the host from now on; if it is fenced, the fence */
  readonly incarnation: string;
  readonly position: Position;
  readonly restoring: boolean;
};

export type HoldParameters = {
  readonly host: string;
  readonly incarnation: string;
  readonly name: string;
  /** 1 to 64 */
  readonly candidates: readonly number[];
};

export type HoldReply = {
  readonly uid: number;
  /** the name was not bound before */
  readonly fresh: boolean;
};

export type HoldAgainParameters = {
  readonly host: string;
  readonly incarnation: string;
  readonly name: string;
  readonly uid: number;
};

export type HoldAgainReply = {
  readonly held: boolean;
};

export type ForgetParameters = {
  readonly host: string;
  readonly incarnation: string;
  readonly name: string;
  readonly seen: Position;
};

export type HoldsOfParameters = {
  readonly host: string;
};

export type HoldsOfReply = {
  readonly holds: readonly Binding[];
};

export type BindingsParameters = {
  /** go on after this position if that is possible */
  readonly since?: Position;
  /** end after the first batch with 'complete' */
  readonly once?: boolean;
};

export type BindingsReply = {
  readonly position: Position;
  /** what was known before is void: everything comes again, from this batch on */
  readonly reset: boolean;
  /** with this batch all is known that the store has at 'position' */
  readonly complete: boolean;
  readonly changes: readonly Change[];
};

export type TakeDirectoryParameters = {
  readonly host: string;
  readonly incarnation: string;
  readonly storage: string;
  /** below the root of the storage, as "/srv/web" */
  readonly path: string;
  readonly name: string;
};

export type FreeDirectoryParameters = {
  readonly storage: string;
  readonly path: string;
};

export type HostsReply = {
  readonly host?: Host;
  readonly hosts?: readonly Host[];
};

export type NameParameters = {
  readonly name: string;
};

export type NameReply = {
  readonly state: BindingState;
  readonly uid?: number;
  /** hosts that hold it, as Hosts has them */
  readonly hosts: readonly string[];
  readonly directories: readonly SharedDirectory[];
};

export type CollectParameters = {
  readonly name?: string;
};

export type CollectReply = {
  readonly name?: string;
  readonly uid?: number;
};

export type ForgetHostParameters = {
  readonly host: string;
  readonly evenAlive?: boolean;
};

export type ForgetHostReply = {
  readonly names: readonly string[];
};

export type LeaveParameters = {
  readonly host: string;
  readonly incarnation: string;
};

export type RestoreParameters = {
  readonly host: string;
  readonly incarnation: string;
  readonly bindings: readonly Binding[];
  /** these were the last ones: the host has put all of its bindings again */
  readonly last: boolean;
};

export type RestoreReply = {
  readonly conflicts: readonly RestoreConflict[];
};
