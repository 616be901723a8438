/* See scratch.h. */
#include "scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/fail.h"
#include "mounts.h"

/* No directory that an op names begins with a dot. */
#define DETACHED ".detached"
#define FLAGS (1U << MOUNT_NO_SUID | 1U << MOUNT_NO_DEVICES)

struct needs {
	/* the first op that names a directory, whose options the tmpfs has */
	const struct mount_op *first;
	bool detaches, masks;
};

static struct needs needs_of(const struct plan *plan)
{
	struct needs needs = { 0 };

	for (size_t i = 0; i < plan->mount_op_count; i++) {
		const struct mount_op *op = &plan->mount_ops[i];

		needs.detaches = needs.detaches || op->detach;
		needs.masks = needs.masks || op->kind == OP_MASK;
		if (op->scratch != NULL && needs.first == NULL)
			needs.first = op;
	}
	return needs;
}

/* Without directories it holds a handful of empty files. Nobody reaches anything in it but through the mount of a directory. */
static int make_tmpfs(const struct mount_op *first)
{
	char size[] = "size=4k", inodes[] = "nr_inodes=16", mode[] = "mode=0700";
	char *const alone[] = { size, inodes };
	struct strings options = { 0 };
	size_t count = first == NULL ? sizeof(alone) / sizeof(alone[0]) : first->options.count;
	bool fits = true;
	int mount;

	for (size_t i = 0; i < count; i++)
		fits = fits && strings_add(&options, first == NULL ? alone[i] : first->options.items[i]);
	if (!fits || !strings_add(&options, mode))
		fail(STATUS_LAUNCHER, "out of memory");
	mount = mount_new("tmpfs", &options, FLAGS);
	if (mount < 0)
		fail_errno(errno, "cannot create a tmpfs for %s", first == NULL ? "what is hidden from the service" : first->path);
	free(options.items);
	return mount;
}

static bool same_options(const struct mount_op *one, const struct mount_op *other)
{
	bool same = one->options.count == other->options.count && one->set == other->set;

	for (size_t i = 0; same && i < one->options.count; i++)
		same = strcmp(one->options.items[i], other->options.items[i]) == 0;
	return same;
}

static void make_directory(struct scratch *scratch, const struct mount_op *op, const struct mount_op *first)
{
	struct scratch_directory *made = &scratch->directories[scratch->directory_count];
	int directory;

	if (!same_options(op, first))
		fail(STATUS_LAUNCHER, "the plan has %s in one tmpfs with %s, but with other options", op->path, first->path);
	if (scratch->directory_count == SCRATCH_DIRECTORIES_MAX)
		fail(STATUS_LAUNCHER, "the plan has more than %u directories in one tmpfs", SCRATCH_DIRECTORIES_MAX);
	if (mkdirat(scratch->mount, op->scratch, op->mode) != 0)
		fail_errno(errno, "cannot create a directory for %s", op->path);
	directory = openat(scratch->mount, op->scratch, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	made->name = op->scratch;
	made->mount = directory < 0 ? -1 : mount_clone(directory, true);
	if (made->mount < 0 || mount_flags(made->mount, op->set, FLAGS & ~op->set, true) != 0)
		fail_errno(errno, "cannot create a mount for %s", op->path);
	(void)close(directory);
	scratch->directory_count++;
}

static int make_detached(int mount)
{
	int detached = mkdirat(mount, DETACHED, 0) != 0 ? -1 : openat(mount, DETACHED, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	if (detached < 0)
		fail_errno(errno, "cannot create a directory for detached mounts");
	return detached;
}

void scratch_open(struct scratch *scratch, const struct plan *plan, int root, struct masks *masks)
{
	const struct needs needs = needs_of(plan);

	if (scratch->created)
		return;
	scratch->created = true;
	scratch->mount = make_tmpfs(needs.first);
	/* What is attached nowhere cannot be cloned before Linux 6.15. */
	if (mount_attach(scratch->mount, root) != 0)
		fail_errno(errno, "cannot mount a tmpfs over /");
	for (size_t i = 0; i < plan->mount_op_count; i++) {
		if (plan->mount_ops[i].scratch != NULL)
			make_directory(scratch, &plan->mount_ops[i], needs.first);
	}
	if (needs.masks && mask_prepare(masks, scratch->mount) != 0)
		fail_errno(errno, "cannot create the empty file and directory that hide others");
	if (needs.detaches)
		scratch->detached = make_detached(scratch->mount);
}

bool scratch_detach(const struct scratch *scratch, int mount)
{
	return (scratch->detached >= 0 && mount_attach(mount, scratch->detached) == 0) || mount_detach(mount) == 0;
}

int scratch_take_directory(struct scratch *scratch, const struct mount_op *op)
{
	for (size_t i = 0; i < scratch->directory_count; i++) {
		struct scratch_directory *directory = &scratch->directories[i];
		int mount = directory->mount;

		if (strcmp(directory->name, op->scratch) != 0)
			continue;
		directory->mount = -1;
		if (mount >= 0)
			return mount;
	}
	fail(STATUS_LAUNCHER, "the plan has no directory for %s", op->path);
}

void scratch_close(struct scratch *scratch)
{
	if (scratch->mount < 0)
		return;
	if (scratch->detached >= 0)
		(void)close(scratch->detached);
	scratch->detached = -1;
	if (mount_detach(scratch->mount) != 0)
		fail_errno(errno, "cannot detach the scratch tmpfs");
	(void)close(scratch->mount);
	scratch->mount = -1;
}
