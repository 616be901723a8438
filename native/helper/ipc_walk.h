/* Owns the walk over a tree in which anyone may make and move things while it is walked. Reads only. */
#ifndef DYNUSER_HELPER_IPC_WALK_H
#define DYNUSER_HELPER_IPC_WALK_H

#include <stdbool.h>
#include <sys/stat.h>

#include "protocol.h"

/* How deep a tree may be. Anyone may nest directories in /dev/shm as deep as its inodes reach. */
#define TREE_DEPTH_MAX 1000000

/* Something that is neither a symlink that was followed nor the root of another mount. */
struct walk_entry {
	int directory;	/* its parent, open, and its name there */
	const char *name;
	int descriptor; /* itself, opened with O_PATH */
	const struct stat *status;
};

enum walk_step {
	WALK_ON,
	WALK_DESCEND,  /* only for a directory */
	WALK_ANSWERED, /* the answer is written, and the walk ends */
};

struct ipc_visitor {
	enum walk_step (*entry)(void *data, const struct walk_entry *entry, struct answer *answer);
	/*
	 * Is told when all that is in a directory was visited; the name is what it had in its parent when it was entered.
	 * Not told of one that was moved meanwhile. May be NULL.
	 */
	void (*leave)(void *data, int parent, const char *name, dev_t device, ino_t inode);
	void *data;
};

/*
 * Walks what is below a top, which is not looked at itself. Symlinks are not followed, other mounts not entered. A top
 * that is missing is an empty tree. Returns whether the answer was written: by the visitor, or an error.
 */
bool walk_ipc(const char *top, const struct ipc_visitor *visitor, struct answer *answer);

#endif
