/* The user namespace of PrivateUsers=: root, the user and its group are mapped to themselves, everybody else is nobody. */
#ifndef RUN_PRIVATE_USERS_H
#define RUN_PRIVATE_USERS_H

#include <sys/types.h>

/*
 * Moves this process into such a namespace; proc is a descriptor of /proc. It gets all capabilities in the namespace, and none
 * outside. Ends the process on failure.
 */
void private_users_enter(int proc, uid_t uid, gid_t gid);

#endif
