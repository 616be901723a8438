/*
 * Sets up the mount namespace of the service by the mount ops of a plan, in order. Nothing of it shows outside, and it ends with the
 * last process in it. A failure ends the process with a message.
 */
#ifndef RUN_MOUNT_NAMESPACE_H
#define RUN_MOUNT_NAMESPACE_H

#include <sys/resource.h>

#include "idmap.h"
#include "mask.h"
#include "protocol/plan.h"
#include "scratch.h"
#include "submounts.h"

/* A slot that no op has filled, and one whose op was skipped. */
#define SLOT_EMPTY (-1)
#define SLOT_SKIPPED (-2)

struct slot {
	int mount;
	/* of a new file system: what is to be mounted below it, and how many bytes of their paths are the service's root */
	struct submounts submounts;
	size_t root_length;
	/* whether it is attached somewhere already */
	bool attached;
};

/* The mounts of the namespace while it is set up. */
struct layout {
	/* / as the launcher found it, and as the service will have it */
	int host_root;
	int root;
	/* whether root has yet to become / */
	bool root_moved;
	/* the launcher's /proc; -1: it has none */
	int proc;
	/* by number */
	struct slot *slots;
	size_t slot_count;
	struct idmaps idmaps;
	const struct plan *plan;
	struct masks masks;
	struct scratch scratch;
	/* the limit on descriptors, to be restored */
	struct rlimit descriptors;
};

/* Makes the host's directories that a plan asks for. Before the first namespace, since commands outside of it need them too. */
void mount_namespace_make_directories(const struct plan *plan);

/* Enters the namespace of a plan, with / as working directory. The file mode creation mask is 0 afterwards. */
void mount_namespace_enter(const struct plan *plan);

#endif
