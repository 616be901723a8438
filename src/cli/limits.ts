/** The bounds of the command: how long it waits, and how much it takes from the daemon. */

/** For a reply that the daemon has at hand, in milliseconds. */
export const REPLY_TIMEOUT_MS = 5_000;
/**
 * For a reply that asks the host's name services first (Acquire, Explain), in milliseconds: above the bound of the
 * daemon's own search, 20 s. Acquire tells how far it is while it hands directories over, and each such reply is one.
 */
export const ALLOCATION_TIMEOUT_MS = 30_000;
/** For the end of a user, whose processes have a grace to end by themselves (Release), in milliseconds. */
export const RELEASE_TIMEOUT_MS = 60_000;
/** How long a command that holds a lease waits for a daemon that went away, in milliseconds. */
export const RETURN_DEADLINE_MS = 30_000;
/** Leases in one listing: far above what the daemon keeps (HOLDERS_MAX of core/limits.ts). */
export const LISTED_LEASES_MAX = 262_144;
/** Paths in one warning of what was left alone in a directory. */
export const LEFT_PATHS_SHOWN_MAX = 8;
/** Users in the status that are ending. */
export const ENDING_SHOWN_MAX = 8;
/** Bytes read of /etc/nsswitch.conf. */
export const NSSWITCH_BYTES_MAX = 65_536;
/** Bytes that doctor reads of one file of the host. */
export const DOCTOR_FILE_BYTES_MAX = 1_048_576;
/** For a program that doctor asks the host with, in milliseconds. */
export const PROBE_TIMEOUT_MS = 5_000;
/** Bytes that such a program may print. */
export const PROBE_OUTPUT_BYTES_MAX = 1_048_576;
/** Findings of one kind that doctor shows: accounts in the range, users that do not end. */
export const FINDINGS_OF_A_KIND_MAX = 8;
/** How often the bus is asked whether the daemon's name is there, and how long is waited between, in milliseconds. */
export const BUS_NAME_TRIES = 15;
export const BUS_NAME_RETRY_MS = 200;
