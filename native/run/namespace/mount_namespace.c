/* See mount_namespace.h. */
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

/* Descriptors besides those of the slots: streams, roots, namespaces, and what an op has open. */
#define DESCRIPTORS_MORE 64U

static int open_root(const char *path)
{
	int root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (root < 0)
		fail_errno(errno, "cannot open %s", path);
	return root;
}

static void make_directory(const struct mount_op *op)
{
	int root = open_root("/");
	mode_t mask = umask(0);
	int made = resolve_directory(root, op->path, op->has_mode ? op->mode : PARENT_MODE);

	if (made < 0)
		fail_errno(errno, "cannot create the directory %s", op->path);
	(void)close(made);
	(void)umask(mask);
	(void)close(root);
}

void mount_namespace_make_directories(const struct plan *plan)
{
	for (size_t i = 0; i < plan->mount_op_count; i++) {
		if (plan->mount_ops[i].kind == OP_MKDIR)
			make_directory(&plan->mount_ops[i]);
	}
}

static void make_namespace(void)
{
	if (unshare(CLONE_NEWNS) != 0) {
		if (errno == EPERM)
			fail(STATUS_LAUNCHER, "cannot create a mount namespace: CAP_SYS_ADMIN is missing or blocked; grant it, or use --isolation=best-effort to run without one");
		fail_errno(errno, "cannot create a mount namespace");
	}
	/* From here on the host's new mounts appear here, and none of ours there (mount_namespaces(7)). */
	if (mount("", "/", NULL, MS_REC | MS_SLAVE, NULL) == 0)
		return;
	if (errno == EINVAL)
		fail(STATUS_LAUNCHER, "cannot make mounts private: / is not a mount point, as in a chroot; use --isolation=best-effort to run without them");
	if (errno == EPERM || errno == EACCES)
		fail(STATUS_LAUNCHER, "cannot make mounts private: mount(2) is forbidden, as in some containers; use --isolation=best-effort to run without them");
	fail_errno(errno, "cannot make mounts private");
}

/* Every clone is a descriptor until it is attached, and may be needed until the last op. */
static void make_slots(struct layout *layout, const struct plan *plan)
{
	struct rlimit more;

	for (size_t i = 0; i < plan->mount_op_count; i++) {
		if (plan->mount_ops[i].has_slot && plan->mount_ops[i].slot >= layout->slot_count)
			layout->slot_count = plan->mount_ops[i].slot + 1;
	}
	layout->slots = malloc((layout->slot_count + 1) * sizeof(*layout->slots));
	if (layout->slots == NULL || getrlimit(RLIMIT_NOFILE, &layout->descriptors) != 0)
		fail_errno(errno, "cannot allocate %zu mounts", layout->slot_count);
	for (size_t i = 0; i < layout->slot_count; i++)
		layout->slots[i] = (struct slot){ .mount = SLOT_EMPTY };
	more = layout->descriptors;
	if (more.rlim_cur >= layout->slot_count + DESCRIPTORS_MORE)
		return;
	more.rlim_cur = layout->slot_count + DESCRIPTORS_MORE;
	if (more.rlim_max < more.rlim_cur)
		more.rlim_max = more.rlim_cur;
	if (setrlimit(RLIMIT_NOFILE, &more) != 0)
		fail_errno(errno, "cannot open %zu descriptors for as many mounts; raise the hard limit (ulimit -Hn)", layout->slot_count);
}

static void restore_limit(const struct layout *layout)
{
	struct rlimit now;

	if (getrlimit(RLIMIT_NOFILE, &now) != 0 ||
	    ((now.rlim_cur != layout->descriptors.rlim_cur || now.rlim_max != layout->descriptors.rlim_max) &&
	     setrlimit(RLIMIT_NOFILE, &layout->descriptors) != 0))
		fail_errno(errno, "cannot restore the limit on descriptors");
}

/* For pivot_root(2) and for mount flags the service's root must be a mount: it is cloned over itself. */
static int open_service_root(const struct plan *plan)
{
	int root = open_root(plan->root);
	int clone = mount_clone(root, false);

	if (clone < 0 || mount_attach(clone, root) != 0)
		fail_errno(errno, "cannot mount the root directory %s", plan->root);
	(void)close(root);
	return clone;
}

static void enter_root(const struct layout *layout)
{
	if (!layout->root_moved)
		return;
	/* The old root ends up on top of the new one, and is detached from there (pivot_root(2), NOTES). */
	if (fchdir(layout->root) != 0 || syscall(SYS_pivot_root, ".", ".") != 0 || umount2(".", MNT_DETACH) != 0)
		fail_errno(errno, "cannot change to the service's root directory");
}

/* A plan without mounts may still have a root, by chroot(2). */
static void enter_without_mounts(const struct plan *plan)
{
	if (plan->root != NULL && chroot(plan->root) != 0)
		fail_errno(errno, "cannot make %s the root directory", plan->root);
}

static void enter_with_mounts(const struct plan *plan)
{
	struct layout layout = { .masks = MASKS_NONE, .scratch = SCRATCH_NONE, .plan = plan };

	make_namespace();
	layout.host_root = open_root("/");
	layout.proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	layout.root_moved = plan->root != NULL;
	layout.root = plan->root != NULL ? open_service_root(plan) : open_root("/");
	make_slots(&layout, plan);
	for (size_t i = 0; i < plan->mount_op_count; i++)
		mount_op_do(&layout, &plan->mount_ops[i]);
	scratch_close(&layout.scratch);
	enter_root(&layout);
	restore_limit(&layout);
	free(layout.slots);
}

void mount_namespace_enter(const struct plan *plan)
{
	(void)umask(0);
	if (plan->mount_namespace)
		enter_with_mounts(plan);
	else
		enter_without_mounts(plan);
	/* The former directory may be one that the service must not see. */
	if (chdir("/") != 0)
		fail_errno(errno, "cannot change to the root directory");
}
