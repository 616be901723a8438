/* Owns the search for POSIX shared memory and message queues of a UID or GID: a walk of two trees. Reads only. */
#ifndef DYNUSER_HELPER_POSIX_IPC_H
#define DYNUSER_HELPER_POSIX_IPC_H

#include "protocol.h"

#define POSIX_SHM_DIRECTORY "/dev/shm"
#define POSIX_MQ_DIRECTORY "/dev/mqueue"

/*
 * Looks below /dev/shm (shm_overview(7)), in all its directories, and in /dev/mqueue (mq_overview(7)) for anything whose
 * owner has the number as UID or GID. A message queue file system that is not mounted hides its queues.
 * Returns whether the answer was written: the first object, or an error.
 */
bool find_posix_ipc(uint32_t number, struct answer *answer);

/*
 * The same in any tree. Symlinks are not followed, other mounts not entered; the top itself is not looked at.
 * A top that is missing is an empty tree. Evidence is answered as "ipc KIND PATH", the path without its first `cut` bytes.
 */
bool find_in_tree(const char *top, const char *kind, size_t cut, uint32_t number, struct answer *answer);

#endif
