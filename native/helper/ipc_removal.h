/* Owns the removal of the IPC objects of a UID or GID, of all five kinds. Touches none that belongs to others. */
#ifndef DYNUSER_HELPER_IPC_REMOVAL_H
#define DYNUSER_HELPER_IPC_REMOVAL_H

#include <sys/types.h>

#include "protocol.h"

/* Walks over everything: a second one is for what was moved or made meanwhile, and more would never end. */
#define REMOVAL_PASSES 3

/*
 * Removes what find_sysv_ipc and find_posix_ipc find for the number. Answers "free" where nothing is left, else the first that
 * is: a segment that is attached, which the kernel removes with its last user; a directory that has things of others in it;
 * a mount point; what somebody makes anew all the time.
 */
void remove_ipc(uid_t number, struct answer *answer);

/* No object is of this number: it stands for a half that is not asked for. */
#define NO_OWNER ((uid_t)-1)

/*
 * The two halves: objects whose owner is the UID, and those whose group is the GID. Both leave out what they cannot remove; none
 * of root's is removed for its owner or its group.
 */
void remove_sysv_ipc(uid_t uid, gid_t gid);
void remove_posix_ipc(uid_t uid, gid_t gid);

/* The second half in any tree. */
void remove_in_tree(const char *top, uid_t uid, gid_t gid);

#endif
