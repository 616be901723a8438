/* The mounts below a path that gets a new file system: they are cloned, and attached again in the new one. */
#ifndef RUN_SUBMOUNTS_H
#define RUN_SUBMOUNTS_H

#include <stddef.h>

#include "string_list.h"

/* More than there are below /proc and /sys of any host. */
#define SUBMOUNTS_MAX 256U

struct submount {
	char *path;
	int mount;
};

struct submounts {
	struct submount *items;
	size_t count;
};

/*
 * Clones each mount directly below an absolute path of the host, with all mounts below it, whose place the new file system for that path
 * has (made: its root; present: that of what it replaces), and sets mount flags (bits 1 << enum mount_flag); those at and below the
 * exempt paths do not become read-only.
 * proc is a descriptor of /proc. Ends the process on failure.
 */
struct submounts submounts_clone(int proc, int root, int present, int made, const char *path, unsigned int set,
				 const struct strings *exempt);

/* Attaches them below root, each at its path. Frees them. Ends the process on failure. */
void submounts_attach(struct submounts *submounts, int root);

#endif
