/** The bounds on what is done with directories; times in milliseconds. */

/** A lock that its holder has not renewed for so long is a dead holder's. */
export const LOCK_STALE_MS = 10_000;
/** How long a request waits for a tree that another is handing over, and how often it looks. */
export const LOCK_WAIT_MS = 60_000;
export const LOCK_POLL_MS = 50;
/** How long a caller that asked for progress hears nothing; it gives up after 30 s. */
export const PROGRESS_SILENCE_MS = 5_000;
/** A helper that says nothing for so long is stuck, on a file system that does not answer. */
export const HELPER_SILENCE_MS = 60_000;
/** Walks at a time, each of which may use several processors; and probes, which take a millisecond and wait for no walk. */
export const WALKS_MAX = 4;
export const PROBES_MAX = 16;
/** Directories with so few files and nothing else are emptied without a helper, which takes the daemon several milliseconds to start. */
export const FEW_FILES = 64;
/** In memory, a file of so many bytes at most is removed on the daemon's own thread: that takes less than the way to another. */
export const SMALL_FILE_BYTES = 256 * 1024;
/** Trees that are counted at a time: who only asks takes no place of a handover. */
export const COUNTS_MAX = 2;
/** Explain counts inodes for so long, and says then that there are more. */
export const COUNT_DEADLINE_MS = 5_000;
/** One line of a helper, in characters (native/helper/protocol.h, ANSWER_MAX), and what is kept of its standard error. */
export const HELPER_LINE_MAX = 8_192;
export const HELPER_WORDS_MAX = 2_048;
/** How long a snapshot of directories is good for: as long as NSS usually takes, and not as long as it may. */
export const SNAPSHOT_FRESH_MS = 1_000;
/** How long the answer holds whether a file system can have id-mapped mounts, in milliseconds; and of how many. */
export const MAP_SUPPORT_TTL_MS = 60_000;
export const MAP_SUPPORT_MAX = 256;
