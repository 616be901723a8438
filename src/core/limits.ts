/** The bounds of the allocator: what a peer may make grow, and how long a request may take. */

/** Leases in all, unless configured: users of a full default range with several each. */
export const LEASES_MAX = 16_384;
/** What can be configured. */
export const LEASES_CONFIGURED_MAX = 1_048_576;
/** References to one user: its lease file is written whole at every change. */
export const LEASES_PER_USER_MAX = 256;
/** Shared groups that one lease holds. */
export const GROUPS_PER_LEASE_MAX = 32;
/** Shared groups of all leases of a user: their numbers are the text of one symlink (symlink(7)). */
export const GROUPS_PER_USER_MAX = 256;
/** Leases that are memberships in one group: as those of a user, they are written whole at every change. */
export const MEMBERSHIPS_PER_GROUP_MAX = 1_024;
/** Leases that one UID other than root may have, unless configured: a peer that the configuration allows cannot drain the range. */
export const LEASES_PER_PEER_MAX = 1_024;
/** Of all leases, the part that UIDs other than root may have together: the rest is root's. */
export const SHARE_OF_OTHERS = 3 / 4;
/** Requests for users that are under way at a time. */
export const REQUESTS_IN_FLIGHT_MAX = 1_024;
/** Of these, those of one UID other than root, and those of all such UIDs together. */
export const REQUESTS_PER_PEER_MAX = 128;
export const REQUESTS_OF_OTHERS_MAX = 512;
/** Explanations of one UID other than root that are under way: each is a search of its own, and changes nothing. */
export const EXPLANATIONS_PER_PEER_MAX = 16;
/** The whole search for a free UID, in milliseconds: a host on which every answer is slow still gets a word. */
export const SEARCH_DEADLINE_MS = 20_000;
/** Leases in one reply of List: as many as fit into what a client takes of each. */
export const LISTED_AT_ONCE_MAX = 32_768;
/** Changes that wait while a watcher reads the leases that there are. */
export const CHANGES_WAITING_MAX = 4_096;
/** Candidates that are not free in one explanation: the first ones. */
export const EXPLAINED_CANDIDATES_MAX = 4_096;
/** UIDs that cool down at a time; of more, the ones that were freed first are forgotten. */
export const COOLING_MAX = 262_144;
/** Directories in one request. */
export const DIRECTORIES_MAX = 64;
/** Directories of one lease: its own, and above each one at most that another lease of its user has left to it. */
export const HELD_DIRECTORIES_MAX = 2 * DIRECTORIES_MAX;
/** The longest directory value of a request in bytes: PATH_MAX, limits.h. */
export const DIRECTORY_BYTES_MAX = 4_096;
