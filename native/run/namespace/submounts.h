/* Owns what is mounted below a path that gets a new file system: it is kept, and put back into the new one. */
#ifndef RUN_SUBMOUNTS_H
#define RUN_SUBMOUNTS_H

#include <stddef.h>

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
 * Clones each mount that is directly below an absolute path of the host, with all below it, and sets flags of it. proc is a
 * descriptor of /proc. Ends the process if that fails.
 */
struct submounts submounts_keep(int proc, int root, const char *path, unsigned int set);

/* Attaches them below root, each at its path less the first 'cut' bytes, if there is such a path. Frees them. */
void submounts_place(struct submounts *submounts, int root, size_t cut);

#endif
