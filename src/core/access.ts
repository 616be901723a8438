/** Who may do what: a decision over what the kernel says of the peer, never over what the peer says of itself. */
import type { Gid, Uid } from './ids.ts';

/** On whose behalf the host is asked or a lease is made. */
export interface Requester {
  readonly uid: Uid;
  /** whether it is root of this host: what it asks waits for nobody else */
  readonly isRoot: boolean;
}

/** The daemon itself, and root. */
export const ROOT: Requester = { uid: 0 as Uid, isRoot: true };

/**
 * What a process with the UID 0 is to this host. UID 0 alone says little: a process may have it without a capability, or
 * in a container, where every path means something else.
 */
export type Standing =
  /** in our user namespace, with our root directory; mayChown: CAP_CHOWN and CAP_DAC_OVERRIDE are effective */
  | { readonly kind: 'host'; readonly mayChown: boolean }
  /** somewhere else; the reason completes "the process that asks …" */
  | { readonly kind: 'foreign'; readonly reason: string }
  /** the kernel does not tell; the reason is a sentence's first half */
  | { readonly kind: 'unknown'; readonly reason: string };

/** The peers besides root that may acquire, and those of them that may name directories. */
export interface AccessPolicy {
  readonly uids: ReadonlySet<Uid>;
  readonly gids: ReadonlySet<Gid>;
  readonly directoryUids: ReadonlySet<Uid>;
}

export interface AccessPeer {
  readonly uid: Uid;
  readonly gid: Gid;
  readonly groups: readonly Gid[];
  /** of a peer with the UID 0 */
  readonly standing?: Standing;
}

export type Access = { readonly allowed: true } | { readonly allowed: false; readonly reason: string };

const ALLOWED: Access = { allowed: true };

/** What a peer may do. */
export interface Rights {
  readonly requester: Requester;
  readonly acquire: Access;
  /** whether its requests may name directories; only who may acquire may */
  readonly directories: Access;
}

/**
 * Root without capabilities can still write whatever root owns, the registry of leases included: so it is root. Root of
 * another user namespace or of a container is an ordinary peer. On a kernel that cannot tell, it is root for all but
 * directories.
 */
export function isRootOfHost({ uid, standing }: Pick<AccessPeer, 'uid' | 'standing'>): boolean {
  return uid === 0 && standing !== undefined && standing.kind !== 'foreign';
}

export function decideRights(peer: AccessPeer, policy: AccessPolicy): Rights {
  const isRoot = isRootOfHost(peer);
  const acquire = mayAcquire(peer, isRoot, policy);
  const directories = acquire.allowed ? mayNameDirectories(peer, policy) : acquire;
  return { requester: { uid: peer.uid, isRoot }, acquire, directories };
}

/** Root of this host with all that it needs: no configuration can say anything about it. */
export function rootRights({ uid, standing }: Pick<AccessPeer, 'uid' | 'standing'>): Rights | undefined {
  const isWhole = uid === 0 && standing?.kind === 'host' && standing.mayChown;
  return isWhole ? { requester: ROOT, acquire: ALLOWED, directories: ALLOWED } : undefined;
}

function mayAcquire(peer: AccessPeer, isRoot: boolean, policy: AccessPolicy): Access {
  const { uid, gid, groups, standing } = peer;
  const isListed = policy.uids.has(uid) || policy.gids.has(gid) || groups.some(group => policy.gids.has(group));
  if (isRoot || isListed) {
    return ALLOWED;
  }
  return {
    allowed: false,
    reason:
      standing?.kind === 'foreign'
        ? `root may not acquire users here, since the process that asks ${standing.reason}: run this on the host, or name root in AllowUsers=`
        : `the user ${uid} may not acquire users: run this as root, or name it in AllowUsers= or AllowGroups=`,
  };
}

/**
 * A directory is any below its base: whoever could name one could have the host's own package database given to a user
 * that it holds. So it takes what chown(1) would take, or a line of the configuration.
 */
function mayNameDirectories({ uid, standing }: AccessPeer, policy: AccessPolicy): Access {
  if (policy.directoryUids.has(uid)) {
    return ALLOWED;
  }
  switch (standing?.kind) {
    case 'host':
      return standing.mayChown
        ? ALLOWED
        : refusal(
            'root may name directories only with CAP_CHOWN and CAP_DAC_OVERRIDE, which the process that asks lacks',
          );
    case 'foreign':
      return refusal(`root may name directories only on the host itself, and the process that asks ${standing.reason}`);
    case 'unknown':
      return refusal(`${standing.reason}, so that root cannot be told from the root of a container`);
    case undefined:
      return refusal(`the user ${uid} may acquire users, but name no directories, which are root's to give`);
  }
}

function refusal(problem: string): Access {
  return { allowed: false, reason: `${problem}: leave the directories out, or name the user in DirectoryUsers=` };
}

/** @param owner the UID of the process that acquired the lease */
export function mayRelease({ uid, isRoot }: Requester, owner: Uid): Access {
  // What root acquired is not released by the root of a container.
  if (isRoot || (uid === owner && uid !== 0)) {
    return ALLOWED;
  }
  return { allowed: false, reason: `the lease belongs to the user ${owner}: only it and root may release it` };
}

/**
 * Whether a requester may join a live user, or a shared group. Whoever joins gets the number, so it must have been given to it
 * before: root may join every user and group, others those whose every lease they hold themselves.
 * @param owners the UIDs of the processes that acquired the leases
 */
export function mayJoin(
  { uid, isRoot }: Requester,
  name: string,
  owners: readonly Uid[],
  kind: 'user' | 'group' = 'user',
): Access {
  const other = owners.find(owner => owner !== uid || owner === 0);
  if (isRoot || other === undefined) {
    return ALLOWED;
  }
  const whose = other === 0 ? 'root' : `the user ${other}`;
  return {
    allowed: false,
    reason: `the ${kind} ${name} is held by ${whose}, and only its owner and root may join it; choose another ${kind} name`,
  };
}
