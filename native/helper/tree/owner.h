/*
 * Owns what is done to one inode that gets a new owner. The inode is either pinned by a descriptor, or a name in a closed
 * directory, whose names root alone can change: so nothing that its old owner does puts another inode in its place.
 */
#ifndef DYNUSER_HELPER_TREE_OWNER_H
#define DYNUSER_HELPER_TREE_OWNER_H

#include <stdbool.h>
#include <stdint.h>

#include "open.h"

struct tree_owner {
	uint32_t uid, gid;
};

/* An inode: the descriptor that pins it, with the name ""; or its name in a closed directory. */
struct tree_place {
	int descriptor;
	const char *name;
};

/*
 * Makes /proc/self/fd the working directory: what has no call for a descriptor of O_PATH is done by the name that the
 * descriptor has there (proc_pid_fd(5)). False with errno.
 */
bool tree_owner_prepare(void);

bool tree_owned(const struct tree_status *status, const struct tree_owner *owner);

/*
 * Gives an inode to its new owner, without what the old one granted by it: POSIX ACLs, setuid, setgid. They go first, so
 * that at no moment the new owner has an inode with either; the other permission bits stay.
 * Returns NULL, or the call that failed, with errno.
 */
const char *tree_give(struct tree_place place, const struct tree_status *status, const struct tree_owner *owner);

/* Takes the POSIX ACLs from an inode; the group's bits of its mode stay as they are. Returns as tree_give() does. */
const char *tree_drop_acls(struct tree_place place, const struct tree_status *status);

/* Whether a directory that is open for reading has POSIX ACLs; also true if the system does not say. */
bool tree_has_acls(int directory);

/* Sets the permission bits, 0 to 07777, of an inode that is no symlink. Returns as tree_give() does. */
const char *tree_set_mode(struct tree_place place, uint32_t mode);

#endif
