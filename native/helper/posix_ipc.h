/*
 * Owns POSIX shared memory and message queues as they are found: the walk over their trees, in which anyone may make and move things
 * while it is walked, and the search for what a UID or GID has. Reads only.
 */
#ifndef DYNUSER_HELPER_POSIX_IPC_H
#define DYNUSER_HELPER_POSIX_IPC_H

#include <stdbool.h>
#include <sys/stat.h>

#include "protocol.h"

#define POSIX_SHM_DIRECTORY "/dev/shm"
#define POSIX_MQ_DIRECTORY "/dev/mqueue"

/* Something that is neither a symlink that was followed nor the root of another mount. */
struct walk_entry {
	int directory; /* its parent, open, and its name there */
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

/*
 * Looks below /dev/shm (shm_overview(7)), in all its directories, and in /dev/mqueue (mq_overview(7)) for anything whose
 * owner has the number as UID or GID. A message queue file system that is not mounted hides its queues.
 * Returns whether the answer was written: the first object, or an error.
 */
bool find_posix_ipc(uint32_t number, struct answer *answer);

/* The same in any tree. Evidence is answered as "ipc KIND PATH", the path without its first `cut` bytes. */
bool find_in_tree(const char *top, const char *kind, size_t cut, uint32_t number, struct answer *answer);

#endif
