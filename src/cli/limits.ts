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
/** Replies of one method of the metrics: far above what the daemon has. */
export const METRICS_MAX = 10_000;
/** Leases in one listing: more than the daemon keeps (LEASES_CONFIGURED_MAX of core/limits.ts), and what is ending. */
export const LISTED_LEASES_MAX = 2_097_152;
/** Files of former users in one tree. */
export const ORPHANS_MAX = 2_000_000;
/** Trees of former users of which the history is asked whose they were. */
export const ORPHAN_OWNERS_ASKED_MAX = 2_000;
/** Users of the past in one answer. */
export const HISTORY_SPANS_MAX = 50_000;
/** Paths in one warning of what was left alone in a directory. */
export const LEFT_PATHS_SHOWN_MAX = 8;
/** Leases that a question about their release shows. */
export const RELEASED_SHOWN_MAX = 16;
/** Users in the status that are ending. */
export const ENDING_SHOWN_MAX = 8;
/** Bytes read of one file of the host. */
export const HOST_FILE_BYTES_MAX = 1_048_576;
/** For a program that doctor asks the host with, in milliseconds. */
export const PROBE_TIMEOUT_MS = 5_000;
/** Bytes that such a program may print. */
export const PROBE_OUTPUT_BYTES_MAX = 1_048_576;
/** Findings of one kind that doctor shows: accounts in the range, users that do not end. */
export const FINDINGS_OF_A_KIND_MAX = 8;
/** How often the bus is asked whether the daemon's name is there, and how long is waited between, in milliseconds. */
export const BUS_NAME_TRIES = 15;
export const BUS_NAME_RETRY_MS = 200;

/** What check reads of a file, and of a directory: more is neither a unit file nor a directory of drop-ins. */
export const UNIT_FILE_BYTES_MAX = 1_048_576;
export const UNIT_NAMES_MAX = 10_000;

/** What is read of a portable service image: more is not an image that somebody means to attach. */
export const OS_RELEASE_BYTES_MAX = 65_536;
/** Names in one of its unit directories, units that match, and bytes of these together. */
export const IMAGE_NAMES_MAX = 65_536;
export const IMAGE_UNITS_MAX = 256;
export const IMAGE_BYTES_MAX = 8_388_608;
/** Images that are laid over one: their names are those of a file together. */
export const EXTENSIONS_MAX = 16;
/** Until a disk image is mounted to be read, and then until it has been read, in milliseconds. */
export const IMAGE_MOUNT_TIMEOUT_MS = 60_000;
/** Images in one directory that list shows, and bytes of what attach has written down. */
export const IMAGES_LISTED_MAX = 1_024;
export const MANIFEST_BYTES_MAX = 1_048_576;
/** For what a service manager is told, in milliseconds: a service has 90 s to stop unless it says otherwise. */
export const MANAGER_TIMEOUT_MS = 120_000;
/** Until a supervisor has seen that a service has come or gone, and between two looks whether it has, in milliseconds. */
export const SUPERVISOR_LOOKS_WITHIN_MS = 12_000;
export const SUPERVISOR_POLL_MS = 100;
/** For another attach or detach that is at work, in milliseconds. */
export const ATTACH_LOCK_TIMEOUT_MS = 30_000;

/** For one reply of dynuser-fleetd, in milliseconds: above what it waits for its store itself. */
export const COMPANION_TIMEOUT_MS = 10_000;
/** Replies of one call to it, and hosts that are asked what they hold. */
export const FLEET_REPLIES_MAX = 100_000;
/** How long join waits until the host is a member, in milliseconds, and how often it looks. */
export const FLEET_JOIN_TIMEOUT_MS = 60_000;
export const FLEET_JOIN_POLL_MS = 250;
/** What check finds of one kind, and shows. */
export const FLEET_FAULTS_SHOWN_MAX = 16;
