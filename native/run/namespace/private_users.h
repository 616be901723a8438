/* Owns the user namespace of PrivateUsers=: root, the user and its group are themselves in it, all others are nobody. */
#ifndef RUN_PRIVATE_USERS_H
#define RUN_PRIVATE_USERS_H

#include <sys/types.h>

/*
 * Puts this process into such a namespace, by way of the /proc that is a descriptor; its capabilities are all those of the
 * namespace, and none outside. Ends the process where it cannot be done.
 */
void private_users_enter(int proc, uid_t uid, gid_t gid);

#endif
