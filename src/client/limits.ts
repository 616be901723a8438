/** The bounds of the client, in milliseconds. */

/** One call, unless the caller says otherwise: above the daemon's own search for a UID (20 s) and its usual grace. */
export const CALL_TIMEOUT_MS = 60_000;
/** The longest that setTimeout() can wait. */
export const TIMEOUT_MAX_MS = 0x7fff_ffff;
/** The connection that leases hang on outlives any one answer: to close it would end them all. */
export const LEASE_CONNECTION_TIMEOUT_MS = 3_600_000;
/** Between two attempts to reach the daemon again: the first, and the longest, well below its grace for claims (10 s). */
export const RETRY_FIRST_MS = 20;
export const RETRY_LONGEST_MS = 1_000;
/** How often a claim is tried if the daemon could not do it at the moment. */
export const CLAIM_ATTEMPTS_MAX = 5;
