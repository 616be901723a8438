/*
 * Owns what is done to one inode that gets a new owner. It is named by a descriptor that pins it, so that nothing its
 * old owner does meanwhile can put another inode in its place.
 */
#ifndef DYNUSER_HELPER_TREE_OWNER_H
#define DYNUSER_HELPER_TREE_OWNER_H

#include <stdbool.h>
#include <stdint.h>

#include "tree_open.h"

struct tree_owner {
	uint32_t uid, gid;
};

/*
 * Makes /proc/self/fd the working directory: what has no call for a descriptor of O_PATH is done by the name that the
 * descriptor has there (proc_pid_fd(5)). False with errno.
 */
bool tree_owner_prepare(void);

bool tree_owned(const struct tree_status *status, const struct tree_owner *owner);

/*
 * Takes the POSIX ACLs from an inode: they grant what its old owner wished. The group's bits of the mode stay as they are.
 * Returns NULL, or the call that failed, with errno.
 */
const char *tree_drop_acls(int descriptor, const struct tree_status *status);

/*
 * Gives an inode to its new owner: without setuid and setgid, and before it can be used with either by the new one.
 * Returns NULL, or the call that failed, with errno.
 */
const char *tree_give(int descriptor, const struct tree_status *status, const struct tree_owner *owner);

/* Sets the permission bits, 0 to 07777, of an inode that is no symlink. Returns NULL, or the call that failed. */
const char *tree_set_mode(int descriptor, uint32_t mode);

#endif
