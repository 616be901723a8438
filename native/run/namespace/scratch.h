/*
 * A tmpfs that is attached over / while the mounts of a namespace are cloned. It holds directories of the service that share
 * the tmpfs, files that take the place of others, an empty file, an empty directory and a device of no driver that are mounted over what
 * the service must not see, and mounts that were detached from where they were, so that one unmount removes them all: the kernel
 * waits for every single unmount until nobody can see the mount any more, longer than all else takes. A failure ends the process
 * with a message.
 */
#ifndef RUN_SCRATCH_H
#define RUN_SCRATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "protocol/plan.h"

/* A service has two: /tmp and /var/tmp. */
#define SCRATCH_DIRECTORIES_MAX 16U
/* /etc/passwd and /etc/group, each perhaps twice. */
#define SCRATCH_FILES_MAX 8U
#define SCRATCH_NONE \
	{ .mount = -1, \
	  .detached = -1, \
	  .file = { .mount = -1 }, \
	  .directory = { .mount = -1 }, \
	  .device = { .mount = -1 } }

/* A directory of the tmpfs, as a mount that is attached nowhere until it is used. */
struct scratch_directory {
	const char *name;
	int mount;
};

/* An empty file, as a mount that is attached nowhere until it is used, and open to be written. */
struct scratch_file {
	const struct mount_op *op;
	int mount;
	int writer;
};

/* A mount of the empty file, directory or device. */
struct mask {
	int mount;
	/* the next one is a clone of this one, which must be attached in this namespace for that */
	bool used;
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
	struct scratch_file files[SCRATCH_FILES_MAX];
	size_t file_count;
	/* -1: none was created */
	struct mask file, directory, device;
};

/*
 * Creates and attaches it, with all that the plan's ops need of it, unless it was created before.
 * root: / as the launcher found it. While it is attached no user namespace can be created: the kernel takes a process with
 * something over / for one in a chroot (user_namespaces(7), EPERM).
 */
void scratch_open(struct scratch *scratch, const struct plan *plan, int root);

/*
 * Detaches a mount from where it is; the descriptor is its root. Without the scratch tmpfs if it is closed or the mount cannot be
 * moved. False with errno: the kernel refuses.
 */
bool scratch_detach(const struct scratch *scratch, int mount);

/* Mounts the empty file, directory or device over the file or directory of a descriptor, after scratch_open(). -1 with errno. */
int scratch_mask(struct scratch *scratch, int target);

/* Hands over the directory that an op names, attached nowhere; the caller closes it. */
int scratch_take_directory(struct scratch *scratch, const struct mount_op *op);

/* Hands over the file of an op; the caller closes both descriptors. */
struct scratch_file scratch_take_file(struct scratch *scratch, const struct mount_op *op);

/* Detaches it, with all that was moved into it. May be called again. Changes the working directory to /. */
void scratch_close(struct scratch *scratch);

#endif
