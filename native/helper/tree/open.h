/*
 * Owns how an inode of a tree is opened and its status read. All of it is by one name relative to a directory that is
 * held open: no path, no symlink, no mount point and no ".." of the tree's owner is ever followed.
 */
#ifndef DYNUSER_HELPER_TREE_OPEN_H
#define DYNUSER_HELPER_TREE_OPEN_H

#include <stdbool.h>
#include <stdint.h>

/* What a walk needs of statx(2). */
struct tree_status {
	uint64_t inode;
	uint64_t mount;
	uint32_t device_major, device_minor;
	uint32_t uid, gid;
	uint32_t links;
	uint16_t mode;
	/* the last change of the inode itself: for a directory, also of the names in it */
	int64_t changed_seconds;
	uint32_t changed_nanoseconds;
};

/* Looks at NAME in DIRECTORY, or at DIRECTORY itself if NAME is "". False with errno; ENOSYS before Linux 5.8. */
bool tree_stat(int directory, const char *name, struct tree_status *status);

/* Pins an inode of any type without opening it, with O_PATH. EXDEV: it is a mount point. */
int tree_pin(int directory, const char *name);

/* Opens a directory for reading. EXDEV: it is a mount point; ENOTDIR, ELOOP: it is none, or no longer one. */
int tree_open(int directory, const char *name);

/* Opens the parent of a directory. Who calls this has to compare what it got with what it had. */
int tree_open_parent(int directory);

bool tree_same(const struct tree_status *one, const struct tree_status *other);

/* Whether neither the directory nor the names in it were changed between the two. */
bool tree_unchanged(const struct tree_status *before, const struct tree_status *after);

#endif
