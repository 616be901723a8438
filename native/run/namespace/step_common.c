/* What steps have in common: where they are about, attaching, flags; see mount_ops.h. */
#include "mount_ops.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "cli/fail.h"
#include "mounts.h"
#include "resolve.h"

bool step_is_absence(int error)
{
	return error == ENOENT || error == ENOTDIR;
}

/* Whether a path is the root itself, which has to be known since what is attached there is not seen below it. */
static bool is_root(const char *path)
{
	return path[strspn(path, "/")] == '\0';
}

int step_target(const struct world *world, const struct step *step)
{
	int target;

	if (step->create == CREATE_DIRECTORY)
		target = resolve_directory(world->root, step->path, PARENT_MODE);
	else if (step->create == CREATE_FILE)
		target = resolve_file(world->root, step->path);
	else
		target = resolve(world->root, step->path, 0);
	if (target >= 0)
		return target;
	if (step->create != CREATE_NOTHING)
		fail_errno(errno, "cannot make %s", step->path);
	if (step->optional && step_is_absence(errno))
		return STEP_ABSENT;
	fail_errno(errno, "cannot find %s", step->path);
}

void step_attach(struct world *world, int mount, int target, const char *path)
{
	if (mount_attach(mount, target) != 0)
		fail_errno(errno, "cannot mount over %s", path);
	if (!is_root(path))
		return;
	(void)close(world->root);
	world->root = fcntl(mount, F_DUPFD_CLOEXEC, 3);
	world->root_moved = true;
	if (world->root < 0)
		fail_errno(errno, "cannot keep the new root directory");
}

struct attic *step_attic(struct world *world)
{
	attic_open(&world->attic, world->plan, world->host_root, &world->hidden);
	return &world->attic;
}

void step_flags(int mount, const struct step *step, bool single)
{
	if ((step->set != 0 || step->clear != 0) && mount_flags(mount, step->set, step->clear, single) != 0)
		fail_errno(errno, "cannot change the flags of the mounts at %s", step->path);
}
