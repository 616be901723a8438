/*
 * Owns the world that a service sees: a mount namespace, made by the steps of a plan one after the other. Nothing of it
 * shows outside, and it goes with the last process in it. Every failure ends the process with a sentence.
 */
#ifndef RUN_WORLD_H
#define RUN_WORLD_H

#include <sys/resource.h>

#include "scratch.h"
#include "mask.h"
#include "idmap.h"
#include "protocol/plan.h"
#include "submounts.h"

/* A slot that no pin has filled, and one whose pin was left out. */
#define SLOT_EMPTY (-1)
#define SLOT_LEFT_OUT (-2)

struct slot {
	int mount;
	/* of a new file system: what is to be mounted below it, and how much of their paths is not the service's */
	struct submounts below;
	size_t cut;
	/* whether it is attached somewhere already */
	bool placed;
};

struct world {
	/* / as the launcher found it, and as the service will have it */
	int host_root;
	int root;
	/* whether root has yet to become / */
	bool root_moved;
	/* the launcher's /proc */
	int proc;
	/* clones, by number */
	struct slot *slots;
	size_t slot_count;
	struct idmaps idmaps;
	const struct plan *plan;
	struct hidden hidden;
	struct attic attic;
	/* the bound on descriptors, to be put back */
	struct rlimit descriptors;
};

/* Makes the host's directories that a plan asks for; before the first world, since no command waits for them. */
void world_make_directories(const struct plan *plan);

/* Puts this process into the world of a plan, with / as working directory. The file mode creation mask is 0 afterwards. */
void world_enter(const struct plan *plan);

#endif
