/** Who may do what: a decision over what the kernel says of the peer, never over what the peer says of itself. */
import type { Gid, Uid } from './ids.ts';

/** The peers beside root that may acquire. */
export interface AccessPolicy {
  readonly uids: ReadonlySet<Uid>;
  readonly gids: ReadonlySet<Gid>;
}

export interface AccessPeer {
  readonly uid: Uid;
  readonly gid: Gid;
  readonly groups: readonly Gid[];
}

export type Access = { readonly allowed: true } | { readonly allowed: false; readonly reason: string };

const ALLOWED: Access = { allowed: true };

export function mayAcquire(peer: AccessPeer, policy: AccessPolicy): Access {
  if (
    peer.uid === 0 ||
    policy.uids.has(peer.uid) ||
    policy.gids.has(peer.gid) ||
    peer.groups.some(gid => policy.gids.has(gid))
  ) {
    return ALLOWED;
  }
  return {
    allowed: false,
    reason: `the user ${peer.uid} may not acquire users: run this as root, or name it in AllowUsers= or AllowGroups=`,
  };
}

/**
 * A directory is any below its base: whoever could name one could have the host's own package database given to a user
 * that it holds.
 */
export function mayNameDirectories(peer: Pick<AccessPeer, 'uid'>): Access {
  if (peer.uid === 0) {
    return ALLOWED;
  }
  return {
    allowed: false,
    reason: `the user ${peer.uid} may acquire users, but name no directories: they are root's to give; leave them out, or run this as root`,
  };
}

/** @param owner the UID of the process that acquired the reference */
export function mayRelease(peer: Pick<AccessPeer, 'uid'>, owner: Uid): Access {
  if (peer.uid === 0 || peer.uid === owner) {
    return ALLOWED;
  }
  return { allowed: false, reason: `the lease belongs to the user ${owner}: only it and root may release it` };
}
