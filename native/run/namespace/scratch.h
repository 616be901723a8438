/*
 * A tmpfs that is attached over / while the mounts of a namespace are cloned. It holds directories that the service shares the
 * tmpfs of, and mounts that were detached from where they were, so that one unmount removes them all: the kernel waits for every
 * single unmount until nobody can see the mount any more, longer than all else takes. A failure ends the process with a message.
 */
#ifndef RUN_SCRATCH_H
#define RUN_SCRATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "mask.h"
#include "protocol/plan.h"

/* A service has two: /tmp and /var/tmp. */
#define SCRATCH_DIRECTORIES_MAX 16U
#define SCRATCH_NONE { .mount = -1, .detached = -1 }

/* A directory of the tmpfs, as a mount that is attached nowhere until it is used. */
struct scratch_directory {
	const char *name;
	int mount;
};

struct scratch {
	/* whether the tmpfs was created, and its directories with it */
	bool created;
	/* the tmpfs while it is attached, otherwise -1 */
	int mount;
	/* where detached mounts go, one on top of the other; -1: nowhere */
	int detached;
	struct scratch_directory directories[SCRATCH_DIRECTORIES_MAX];
	size_t directory_count;
};

/*
 * Creates and attaches it, with the directories that the plan's ops name and the masks, unless it was created before.
 * root: / as the launcher found it. While it is attached no user namespace can be created: the kernel takes a process with
 * something over / for one in a chroot (user_namespaces(7), EPERM).
 */
void scratch_open(struct scratch *scratch, const struct plan *plan, int root, struct masks *masks);

/*
 * Detaches a mount from where it is; the descriptor is its root. Without the scratch tmpfs if it is closed or the mount cannot be
 * moved. False with errno: the kernel refuses.
 */
bool scratch_detach(const struct scratch *scratch, int mount);

/* Hands over the directory that an op names, attached nowhere; the caller closes it. */
int scratch_take_directory(struct scratch *scratch, const struct mount_op *op);

/* Detaches it, with all that was moved into it. May be called again. Changes the working directory to /. */
void scratch_close(struct scratch *scratch);

#endif
