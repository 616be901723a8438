/* The frame around the steps: namespace, root, and the way in; see mount_namespace.h. */
#include "mount_namespace.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cli/fail.h"
#include "mounts.h"
#include "resolve.h"
#include "mount_ops.h"

/* Descriptors beside those of the slots: streams, roots, namespaces, and what a step has open. */
#define DESCRIPTORS_MORE 64U

static int open_root(const char *path)
{
	int root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (root < 0)
		fail_errno(errno, "cannot open %s", path);
	return root;
}

static void make_directory(const struct step *step)
{
	int root = open_root("/");
	mode_t mask = umask(0);
	int made = resolve_directory(root, step->path, step->has_mode ? step->mode : PARENT_MODE);

	if (made < 0)
		fail_errno(errno, "cannot make the directory %s", step->path);
	(void)close(made);
	(void)umask(mask);
	(void)close(root);
}

void world_make_directories(const struct plan *plan)
{
	for (size_t i = 0; i < plan->step_count; i++) {
		if (plan->steps[i].verb == STEP_MAKE)
			make_directory(&plan->steps[i]);
	}
}

static void make_namespace(void)
{
	if (unshare(CLONE_NEWNS) != 0) {
		if (errno == EPERM)
			fail(STATUS_LAUNCHER, "cannot have a mount namespace: the capability CAP_SYS_ADMIN is missing or blocked here; give it, or use --isolation=best-effort to run without");
		fail_errno(errno, "cannot have a mount namespace");
	}
	/* From here on mounts come in from the host, and none goes out (mount_namespaces(7)). */
	if (mount("", "/", NULL, MS_REC | MS_SLAVE, NULL) == 0)
		return;
	if (errno == EINVAL)
		fail(STATUS_LAUNCHER, "cannot keep mounts from the host: / is not a mount, as in a chroot; use --isolation=best-effort to run without them");
	if (errno == EPERM || errno == EACCES)
		fail(STATUS_LAUNCHER, "cannot keep mounts from the host: mount(2) is forbidden here, as in some containers; use --isolation=best-effort to run without them");
	fail_errno(errno, "cannot keep mounts from the host");
}

/* Every clone is a descriptor until it is attached, and may be needed until the last step. */
static void make_slots(struct world *world, const struct plan *plan)
{
	struct rlimit more;

	for (size_t i = 0; i < plan->step_count; i++) {
		if (plan->steps[i].has_slot && plan->steps[i].slot >= world->slot_count)
			world->slot_count = plan->steps[i].slot + 1;
	}
	world->slots = malloc((world->slot_count + 1) * sizeof(*world->slots));
	if (world->slots == NULL || getrlimit(RLIMIT_NOFILE, &world->descriptors) != 0)
		fail_errno(errno, "cannot have room for %zu mounts", world->slot_count);
	for (size_t i = 0; i < world->slot_count; i++)
		world->slots[i] = (struct slot){ .mount = SLOT_EMPTY };
	more = world->descriptors;
	if (more.rlim_cur >= world->slot_count + DESCRIPTORS_MORE)
		return;
	more.rlim_cur = world->slot_count + DESCRIPTORS_MORE;
	if (more.rlim_max < more.rlim_cur)
		more.rlim_max = more.rlim_cur;
	if (setrlimit(RLIMIT_NOFILE, &more) != 0)
		fail_errno(errno, "cannot have %zu descriptors open for as many mounts; raise the hard limit (ulimit -Hn)", world->slot_count);
}

static void restore_limit(const struct world *world)
{
	struct rlimit now;

	if (getrlimit(RLIMIT_NOFILE, &now) != 0 ||
	    ((now.rlim_cur != world->descriptors.rlim_cur || now.rlim_max != world->descriptors.rlim_max) &&
	     setrlimit(RLIMIT_NOFILE, &world->descriptors) != 0))
		fail_errno(errno, "cannot put the bound on descriptors back");
}

/* The service's root has to be a mount, for pivot_root(2) and for flags of its own: a clone over itself is one. */
static int open_service_root(const struct plan *plan)
{
	int root = open_root(plan->root);
	int clone = mount_clone(root, false);

	if (clone < 0 || mount_attach(clone, root) != 0)
		fail_errno(errno, "cannot mount the root directory %s", plan->root);
	(void)close(root);
	return clone;
}

static void enter_root(const struct world *world)
{
	if (!world->root_moved)
		return;
	/* The old root ends up on top of the new one, and is taken away from there (pivot_root(2), NOTES). */
	if (fchdir(world->root) != 0 || syscall(SYS_pivot_root, ".", ".") != 0 || umount2(".", MNT_DETACH) != 0)
		fail_errno(errno, "cannot make the root directory the service's");
}

/* A plan without mounts may still have a root; then it is chroot(2)'s. */
static void enter_without_mounts(const struct plan *plan)
{
	if (plan->root != NULL && chroot(plan->root) != 0)
		fail_errno(errno, "cannot make %s the root directory", plan->root);
}

static void enter_with_mounts(const struct plan *plan)
{
	struct world world = { .hidden = HIDDEN_NONE, .attic = ATTIC_NONE, .plan = plan };

	make_namespace();
	world.host_root = open_root("/");
	world.proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	world.root_moved = plan->root != NULL;
	world.root = plan->root != NULL ? open_service_root(plan) : open_root("/");
	make_slots(&world, plan);
	for (size_t i = 0; i < plan->step_count; i++)
		step_do(&world, &plan->steps[i]);
	attic_close(&world.attic);
	enter_root(&world);
	restore_limit(&world);
	free(world.slots);
}

void world_enter(const struct plan *plan)
{
	(void)umask(0);
	if (plan->mount_namespace)
		enter_with_mounts(plan);
	else
		enter_without_mounts(plan);
	/* Not where it was: that may be what the service shall not see. */
	if (chdir("/") != 0)
		fail_errno(errno, "cannot change to the root directory");
}
