/** The bounds of the allocator: what a peer may make grow, and how long a request may take. */

/** Leases in all: users of a full default range with several each. */
export const LEASES_MAX = 16_384;
/** References to one user: its lease file is written whole at every change. */
export const LEASES_PER_USER_MAX = 256;
/** References that one UID other than root may have: a peer that the configuration allows cannot drain the range. */
export const LEASES_PER_PEER_MAX = 1_024;
/** Of all leases, those that UIDs other than root may have together: the rest is root's. */
export const LEASES_OF_OTHERS_MAX = 12_288;
/** Requests for users that are under way at a time. */
export const REQUESTS_IN_FLIGHT_MAX = 1_024;
/** Of these, those of one UID other than root, and those of all such UIDs together. */
export const REQUESTS_PER_PEER_MAX = 128;
export const REQUESTS_OF_OTHERS_MAX = 512;
/** Explanations of one UID other than root that are under way: each is a search of its own, and changes nothing. */
export const EXPLANATIONS_PER_PEER_MAX = 16;
/** The whole search for a free UID, in milliseconds: a host on which every answer is slow still gets a word. */
export const SEARCH_DEADLINE_MS = 20_000;
/** Directories in one request. */
export const DIRECTORIES_MAX = 64;
/** Directories of one lease: its own, and above each one at most that another lease of its user has left to it. */
export const HELD_DIRECTORIES_MAX = 2 * DIRECTORIES_MAX;
/** The longest directory value of a request in bytes: PATH_MAX, limits.h. */
export const DIRECTORY_BYTES_MAX = 4_096;
