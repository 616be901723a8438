/* Owns the removal of the IPC objects of a UID or GID, of all five kinds. Touches none that belongs to others. */
#ifndef DYNUSER_HELPER_REAP_IPC_REMOVAL_H
#define DYNUSER_HELPER_REAP_IPC_REMOVAL_H

#include <sys/types.h>

#include "protocol.h"
#include "sysv_ipc.h"

/* Walks over everything: a second one is for what was moved or made meanwhile, and more would never end. */
#define REMOVAL_PASSES 3
/* Objects that strangers gave that are named; all are counted. */
#define GIVEN_NAMED_MAX 3

/*
 * Removes what the number created, and what belongs to it, whoever gave it. A directory in which others have something, a mount
 * point, and what somebody hides from the removal become root's. Returns whether something is left, because
 * somebody makes new objects all the time, and answers the first such object.
 */
bool remove_ipc(uid_t number, const struct uid_range *dynamic, struct answer *answer);

/*
 * Removes System V objects that strangers gave to a number, and answers how many, and of the first ones the kind, the id and the
 * creator. One walk: they count for nothing, and somebody who keeps giving must not keep the number from being given out. Always true.
 */
bool remove_given_ipc(uid_t number, const struct uid_range *dynamic, struct answer *answer);

/*
 * What RemoveIPC= removes of a static user of the host: objects whose owner is the UID, and those whose group is the GID. Objects of
 * root and of root's group belong to no static user, so a half that is 0 removes nothing. What cannot be removed is left, and keeps no
 * number from anybody.
 */
void remove_account_ipc(uid_t uid, gid_t gid);

#endif
