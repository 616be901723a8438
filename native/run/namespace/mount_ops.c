/* What each verb of a step does; see mount_ops.h, and io.dynuser.Allocator.varlink for what it means. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "digits.h"
#include "cli/fail.h"
#include "mounts.h"
#include "resolve.h"
#include "mount_ops.h"

static int make_tmpfs(const struct step *step)
{
	struct strings options = { 0 };
	char mode[sizeof("mode=") + DIGITS_MAX];
	int mount;

	(void)digits_put(stpcpy(mode, "mode="), step->mode, 8);
	for (size_t i = 0; i < step->options.count; i++) {
		if (!strings_add(&options, step->options.items[i]))
			fail(STATUS_LAUNCHER, "out of memory");
	}
	if (step->has_mode && !strings_add(&options, mode))
		fail(STATUS_LAUNCHER, "out of memory");
	mount = mount_new("tmpfs", &options, step->set);
	if (mount < 0)
		fail_errno(errno, "cannot make a tmpfs for %s", step->path);
	free(options.items);
	return mount;
}

static void cover(struct world *world, const struct step *step)
{
	int target = step_target(world, step), mount;

	if (target == STEP_ABSENT)
		return;
	mount = step->part == NULL ? make_tmpfs(step) : attic_part(step_attic(world), step);
	step_attach(world, mount, target, step->path);
	(void)close(mount);
	(void)close(target);
}

static void attributes(struct world *world, const struct step *step)
{
	int target = step_target(world, step), is_root, mount;

	if (target == STEP_ABSENT)
		return;
	is_root = mount_is_root(target);
	if (is_root < 0)
		fail_errno(errno, "cannot tell whether a mount is at %s", step->path);
	/* Only mounts have flags; what is none becomes one, by a clone over itself. */
	mount = is_root != 0 ? target : mount_clone(target, false);
	if (mount < 0)
		fail_errno(errno, "cannot clone the mount at %s", step->path);
	if (mount != target)
		step_attach(world, mount, target, step->path);
	step_flags(mount, step, step->single);
	if (mount != target)
		(void)close(mount);
	(void)close(target);
}

static void link_step(const struct world *world, const struct step *step)
{
	char present[PATH_MAX];
	const char *name;
	int parent = resolve_parent(world->root, step->path, &name);
	ssize_t length;

	if (parent < 0)
		fail_errno(errno, "cannot open the directory of %s", step->path);
	length = readlinkat(parent, name, present, sizeof(present));
	if (length < 0 && errno != ENOENT)
		fail_errno(errno, "cannot make the symlink %s: something else is there", step->path);
	if (length >= 0 && ((size_t)length != strlen(step->target) || memcmp(present, step->target, (size_t)length) != 0))
		fail(STATUS_LAUNCHER, "cannot make the symlink %s: there is one already that leads elsewhere", step->path);
	if (length < 0 && symlinkat(step->target, parent, name) != 0)
		fail_errno(errno, "cannot make the symlink %s", step->path);
	(void)close(parent);
}

static void hide_step(struct world *world, const struct step *step)
{
	int target = step_target(world, step);

	if (target == STEP_ABSENT)
		return;
	(void)step_attic(world);
	if (hide(&world->hidden, target) != 0)
		fail_errno(errno, "cannot hide %s", step->path);
	(void)close(target);
}

void step_do(struct world *world, const struct step *step)
{
	/* All clones are made; from here on what the service sees changes, and what is over / is no part of it. */
	if (step->verb != STEP_MAKE && step->verb != STEP_PIN && step->verb != STEP_MOUNT)
		attic_close(&world->attic);
	switch (step->verb) {
	case STEP_MAKE:
		/* The host's directories were there before the first step; see world_make_directories(). */
		break;
	case STEP_PIN:
		step_pin(world, step);
		break;
	case STEP_MOUNT:
		step_mount(world, step);
		break;
	case STEP_COVER:
		cover(world, step);
		break;
	case STEP_ATTRIBUTES:
		attributes(world, step);
		break;
	case STEP_PLACE:
		step_place(world, step);
		break;
	case STEP_LINK:
		link_step(world, step);
		break;
	case STEP_HIDE:
		hide_step(world, step);
		break;
	}
}
