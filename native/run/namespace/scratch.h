/*
 * Owns a tmpfs that is attached over / while the mounts of a world are cloned. What the service shall have parts of is made in
 * it, and what is taken away is moved into it, so that all of that goes with one detach: for each the kernel waits until
 * nobody can be looking at the mounts any more, which takes longer than all the rest of a step. Every failure ends the process
 * with a sentence.
 */
#ifndef RUN_ATTIC_H
#define RUN_ATTIC_H

#include <stdbool.h>
#include <stddef.h>

#include "mask.h"
#include "protocol/plan.h"

/* A service has two: /tmp and /var/tmp. */
#define PARTS_MAX 16U
#define ATTIC_NONE { .mount = -1, .taken = -1 }

/* A directory of the tmpfs, as a mount that is attached nowhere until it is used. */
struct part {
	const char *name;
	int mount;
};

struct attic {
	/* whether it was made, and its parts with it */
	bool made;
	/* the tmpfs while it is attached, otherwise -1 */
	int mount;
	/* where what is taken away goes, one on top of the other; -1 where nothing does */
	int taken;
	struct part parts[PARTS_MAX];
	size_t part_count;
};

/*
 * Makes and attaches it, with the parts of the plan's steps, and what it hides things with, unless it was made before.
 * root: / as the launcher found it. While it is attached no user namespace can be made: the kernel takes whoever has something
 * over / for one in a chroot (user_namespaces(7), EPERM).
 */
void attic_open(struct attic *attic, const struct plan *plan, int root, struct hidden *hidden);

/*
 * Takes a mount away from where it is attached; the descriptor is its root. By itself where it cannot be moved, or after the
 * attic was closed. False with errno: the kernel refuses.
 */
bool attic_take(const struct attic *attic, int mount);

/* Gives out the part of a step, attached nowhere; its caller closes it. */
int attic_part(struct attic *attic, const struct step *step);

/* Detaches it, with all that was taken away. May be called again. Changes the working directory to /. */
void attic_close(struct attic *attic);

#endif
