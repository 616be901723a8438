/* The bounds of the module on waits, lengths and counts. */
#ifndef DYNUSER_NSS_BOUNDS_H
#define DYNUSER_NSS_BOUNDS_H

#include "dynuser.h"

/* A lookup through the socket, from connecting to the last byte. The daemon answers within 0.1 ms. */
#define LOOKUP_WAIT_MS 2000U
/* For the daemon to check whether the process of a user has ended. It answers from its memory; if it hangs, the links count. */
#define NUDGE_WAIT_MS 200U
/* The same for the list of all users. 4,336 of them are listed within 0.1 s. */
#define LIST_WAIT_MS 5000U

/* One reply, in bytes, the NUL counted. A record has about 250. It is on the caller's stack, so it is not generous. */
#define REPLY_MAX 4096U
/* One request: the longest method and the longest name make less than 200. */
#define REQUEST_MAX 256U

/* The shared groups of one user that are reported: GROUPS_PER_USER_MAX of the daemon. */
#define GROUPS_MAX 256U
/* The memberships of one list: MEMBERSHIPS_PER_GROUP_MAX of the daemon, and those of a user are fewer. */
#define MEMBERSHIPS_MAX 1024U

/* The users of one list. The default range has 4,336 numbers; MaxLeases= may allow more. Nothing beyond this is waited for. */
#define LIST_RECORDS_MAX 131072U
/* What a list may have in bytes, whatever it holds. */
#define LIST_BYTES_MAX (LIST_RECORDS_MAX * 512UL)
/* The bytes of a list that are read at once: one system call for many replies. */
#define LIST_BUFFER 65536U

/*
 * How long other threads may use the same list. They hold the lock for less than 1 µs at a time; after this long a wait their
 * thread is stopped.
 */
#define LOCK_WAIT_MS 1000U

/* The runtime directory, in bytes: what sun_path (unix(7)) holds without a slash and the socket's name. */
#define RUNTIME_DIRECTORY_MAX (107U - sizeof("/" DYNUSER_SOCKET) + 1U)

#endif
