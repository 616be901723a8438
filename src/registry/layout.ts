/** The names below the runtime directory that are the registry's own; core/paths.ts has those that others use. */

/** Lease files of dynamic users, by UID. Not for others to read: the public part is the links and the socket. */
export const LEASES = 'leases';
/** Lease files of static users that are in use, by name, since several names may share a number. */
export const STATIC_LEASES = 'static';
/** Files that were found in place of leases and are not leases. */
export const SET_ASIDE = 'set-aside';
/** Held by the one daemon of the runtime directory. */
export const DAEMON_LOCK = 'dynuserd.lock';
/** Marks a lease file that is being written: an intent until it is renamed. */
export const INTENT_SUFFIX = '.new';
/** Marks the lease file of a user that ends. */
export const ENDING_SUFFIX = '.end';

export const PUBLIC_MODE = 0o755;
export const PRIVATE_MODE = 0o700;
