/* Clones of mounts: pin takes one into a slot, mount makes a new one there, place puts it where the service shall see it; see mount_ops.h. */
#include <errno.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/fail.h"
#include "mounts.h"
#include "resolve.h"
#include "mount_ops.h"

/* The object at a straight path is the one that the daemon prepared, or the start ends here. */
static void check_object(const struct step *step, int found)
{
	struct stat status;

	if (!step->has_device)
		return;
	if (fstat(found, &status) != 0)
		fail_errno(errno, "cannot look at %s", step->path);
	if (status.st_dev != (dev_t)step->device || status.st_ino != (ino_t)step->inode)
		fail(STATUS_LAUNCHER,
		     "%s is not the directory that was made ready for the service: it was exchanged while the service started, or the daemon sees another file system there",
		     step->path);
}

static int open_pinned(const struct world *world, const struct step *step)
{
	int found = step->straight ? resolve_straight(world->host_root, step->path) :
				     resolve(world->host_root, step->path, 0);

	if (found >= 0)
		return found;
	if (step->optional && step_is_absence(errno))
		return STEP_ABSENT;
	if (step->straight && errno == ELOOP)
		fail(STATUS_LAUNCHER, "%s, or a directory above it, is a symlink where there must be none: it was exchanged while the service started",
		     step->path);
	fail_errno(errno, "cannot find %s", step->path);
}

/* Of a file, no descriptor can be the working directory, so its path has to do; this namespace is ours alone. */
static void take_away(struct world *world, const struct step *step, int found)
{
	int result = mount_is_root(found);
	struct stat status;

	if (result == 0)
		return;
	if (result < 0 || fstat(found, &status) != 0)
		fail_errno(errno, "cannot look at %s", step->path);
	if (S_ISDIR(status.st_mode))
		result = attic_take(step_attic(world), found) ? 0 : -1;
	else
		result = umount2(step->path, MNT_DETACH | UMOUNT_NOFOLLOW);
	if (result != 0)
		fail_errno(errno, "cannot take the mount at %s away", step->path);
}

static void map(struct world *world, const struct step *step, int clone)
{
	int namespace;

	if (world->proc < 0)
		fail(STATUS_LAUNCHER, "/proc is not mounted, and %s cannot be id-mapped without", step->path);
	attic_close(&world->attic);
	namespace = idmap_namespace(&world->idmaps, world->proc, &step->map);
	if (namespace < 0)
		fail_errno(errno, "cannot have a user namespace to map the owners of %s", step->path);
	if (mount_map(clone, namespace) != 0)
		fail_errno(errno, "cannot map the owners of %s", step->path);
}

static void check_empty(const struct world *world, const struct step *step)
{
	if (world->slots[step->slot].mount != SLOT_EMPTY)
		fail(STATUS_LAUNCHER, "the plan fills slot %u twice, the second time with %s", step->slot, step->path);
}

void step_mount(struct world *world, const struct step *step)
{
	static const char *const types[] = { "", "proc", "sysfs", "mqueue" };
	struct slot *slot = &world->slots[step->slot];
	const char *root = world->plan->root;
	int found;

	check_empty(world, step);
	found = open_pinned(world, step);
	if (found == STEP_ABSENT) {
		slot->mount = SLOT_LEFT_OUT;
		return;
	}
	(void)close(found);
	slot->mount = mount_new(types[step->type], &step->options, step->set);
	if (slot->mount < 0)
		fail_errno(errno, "cannot mount a new %s for %s", types[step->type], step->path);
	slot->below = submounts_keep(world->proc, world->host_root, step->path, step->set & (1U << MOUNT_READ_ONLY | 1U << MOUNT_NO_SUID));
	slot->cut = root == NULL ? 0 : strlen(root);
}

void step_pin(struct world *world, const struct step *step)
{
	int found, clone;

	check_empty(world, step);
	found = open_pinned(world, step);
	if (found == STEP_ABSENT) {
		world->slots[step->slot].mount = SLOT_LEFT_OUT;
		return;
	}
	check_object(step, found);
	clone = mount_clone(found, step->single);
	if (clone < 0)
		fail_errno(errno, "cannot clone the mount at %s", step->path);
	if (step->has_map)
		map(world, step, clone);
	step_flags(clone, step, step->single);
	if (step->take_away)
		take_away(world, step, found);
	(void)close(found);
	world->slots[step->slot].mount = clone;
}

void step_place(struct world *world, const struct step *step)
{
	struct slot *slot = &world->slots[step->slot];
	int target;

	if (slot->mount == SLOT_EMPTY)
		fail(STATUS_LAUNCHER, "the plan places slot %u, which nothing was pinned to, at %s", step->slot, step->path);
	if (slot->mount == SLOT_LEFT_OUT)
		return;
	target = step_target(world, step);
	if (target == STEP_ABSENT)
		return;
	if (slot->placed) {
		int again = mount_clone(slot->mount, false);

		if (again < 0)
			fail_errno(errno, "cannot clone the mount for %s once more", step->path);
		(void)close(slot->mount);
		slot->mount = again;
	}
	slot->placed = true;
	step_attach(world, slot->mount, target, step->path);
	submounts_place(&slot->below, world->root, slot->cut);
	(void)close(target);
}
