/*
 * Owns what is done to one inode of a tree. It is reached by one name relative to a directory that is held open: no path, no symlink,
 * no mount point and no ".." of the tree's owner is ever followed. One that gets a new owner is either pinned by a descriptor, or a
 * name in a closed directory, whose names root alone can change: so nothing that its old owner does puts another inode in its place.
 */
#ifndef DYNUSER_HELPER_TREE_INODE_H
#define DYNUSER_HELPER_TREE_INODE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

/* What a walk needs of statx(2). */
struct tree_status {
	uint64_t inode;
	uint64_t mount;
	uint32_t device_major, device_minor;
	uint32_t uid, gid;
	uint32_t links;
	uint16_t mode;
	/* the last change of the inode itself: for a directory, also of the names in it */
	struct statx_timestamp changed;
};

/* Looks at NAME in DIRECTORY, or at DIRECTORY itself if NAME is "". False with errno; ENOSYS before Linux 5.8. */
bool tree_stat(int directory, const char *name, struct tree_status *status);

/* Pins an inode of any type without opening it, with O_PATH. EXDEV: it is a mount point. */
int tree_pin(int directory, const char *name);

/* Opens a directory for reading. EXDEV: it is a mount point; ENOTDIR, ELOOP: it is not a directory, or no longer one. */
int tree_open(int directory, const char *name);

/* Opens a file for ioctl(2). If it has become something else, this neither waits nor makes that our controlling terminal. */
int tree_open_file(int directory, const char *name);

bool tree_same(const struct tree_status *one, const struct tree_status *other);

/* Whether neither the directory nor the names in it were changed between the two. */
bool tree_unchanged(const struct tree_status *before, const struct tree_status *after);

struct tree_owner {
	uint32_t uid, gid;
};

/* The working directory of those who give, drop or set something at a place: it has a name for each descriptor. */
#define TREE_WORKING_DIRECTORY "/proc/self/fd"

/* An inode: the descriptor that pins it, with the name ""; or its name in a closed directory. */
struct tree_place {
	int descriptor;
	const char *name;
};

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

/* Sets the permission bits, 0 to 07777, of an inode that is not a symlink. Returns as tree_give() does. */
const char *tree_set_mode(struct tree_place place, uint32_t mode);

#endif
