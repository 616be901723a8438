/* See scratch.h. */
#include "scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/fail.h"
#include "digits.h"
#include "mounts.h"
#include "resolve.h"

/* No directory that an op names begins with a dot. */
#define DETACHED ".detached"
#define EMPTY_DIRECTORY ".directory"
#define EMPTY_FILE ".file"
#define NEW_FILE ".new"
/* With a number. */
#define NEW_FILE_BYTES (sizeof(NEW_FILE) + DIGITS_MAX)
#define EMPTY_DEVICE ".device"
/* Where the kernel's devices are. */
#define DEVICES "/dev/"
#define FLAGS (1U << MOUNT_NO_SUID | 1U << MOUNT_NO_DEVICES)
#define MASK_FLAGS (FLAGS | 1U << MOUNT_READ_ONLY | 1U << MOUNT_NO_EXEC)

struct needs {
	/* the first op that names a directory, whose options the tmpfs has */
	const struct mount_op *first;
	bool detaches, files, directories, devices;
	/* files that take the place of others */
	bool appends;
};

/* Whether something is put above a path, so that the host does not tell what will be there. */
static bool is_covered(const struct plan *plan, const char *path)
{
	for (size_t i = 0; i < plan->mount_ops_count; i++) {
		const struct mount_op *op = &plan->mount_ops[i];
		size_t length;

		if (op->kind != OP_ATTACH && op->kind != OP_TMPFS)
			continue;
		length = strlen(op->path);
		if (strncmp(path, op->path, length) == 0 && (path[length] == '/' || strcmp(op->path, "/") == 0))
			return true;
	}
	return false;
}

/* Adds what a mask needs: a mount that nothing needs in the end costs more than to look before. */
static void add_mask(struct needs *needs, const struct plan *plan, const char *path)
{
	bool is_known = plan->root == NULL && !is_covered(plan, path);
	struct stat status;

	if (is_known && stat(path, &status) != 0) {
		if (is_absence(errno))
			return;
		is_known = false;
	}
	if (!is_known) {
		needs->files = needs->directories = true;
		needs->devices = needs->devices || strncmp(path, DEVICES, sizeof(DEVICES) - 1) == 0;
	} else if (S_ISDIR(status.st_mode)) {
		needs->directories = true;
	} else if (S_ISCHR(status.st_mode) || S_ISBLK(status.st_mode)) {
		needs->devices = true;
	} else {
		needs->files = true;
	}
}

static struct needs needs_of(const struct plan *plan)
{
	struct needs needs = { 0 };

	for (size_t i = 0; i < plan->mount_ops_count; i++) {
		const struct mount_op *op = &plan->mount_ops[i];

		needs.detaches = needs.detaches || op->detach;
		needs.appends = needs.appends || op->kind == OP_APPEND;
		if (op->kind == OP_MASK)
			add_mask(&needs, plan, op->path);
		if (op->scratch != NULL && needs.first == NULL)
			needs.first = op;
	}
	return needs;
}

/*
 * Without directories it holds a handful of files, empty ones unless some take the place of others. Nobody reaches anything in it but
 * through the mount of a directory or a file.
 */
static int make_tmpfs(const struct mount_op *first, bool appends)
{
	char small[] = "size=4k", large[] = "size=64m", inodes[] = "nr_inodes=32";
	char *items[] = { appends ? large : small, inodes };
	const struct strings alone = { .items = items, .count = sizeof(items) / sizeof(items[0]) };
	int mount = mount_new("tmpfs", first == NULL ? &alone : &first->options, "mode=0700", FLAGS);

	if (mount < 0)
		fail_errno(errno, "cannot create a tmpfs for %s",
			   first == NULL ? "what is hidden from the service" : first->path);
	return mount;
}

static bool same_options(const struct mount_op *one, const struct mount_op *other)
{
	bool same = one->options.count == other->options.count && one->set == other->set;

	for (size_t i = 0; same && i < one->options.count; i++)
		same = strcmp(one->options.items[i], other->options.items[i]) == 0;
	return same;
}

/* A mount of what has that name in the tmpfs. -1 with errno. */
static int clone_named(int tmpfs, const char *name, unsigned int set, unsigned int clear)
{
	int path = openat(tmpfs, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	int clone = path < 0 ? -1 : mount_clone(path, true);

	close_quietly(path);
	if (clone < 0 || mount_flags(clone, set, clear, true) == 0)
		return clone;
	close_quietly(clone);
	return -1;
}

static void make_directory(struct scratch *scratch, const struct mount_op *op, const struct mount_op *first)
{
	struct scratch_directory *made = &scratch->directories[scratch->directory_count];

	if (!same_options(op, first))
		fail(STATUS_LAUNCHER, "the plan has %s in one tmpfs with %s, but with other options", op->path,
		     first->path);
	if (scratch->directory_count == SCRATCH_DIRECTORIES_MAX)
		fail(STATUS_LAUNCHER, "the plan has more than %u directories in one tmpfs", SCRATCH_DIRECTORIES_MAX);
	if (mkdirat(scratch->mount, op->scratch, op->mode) != 0)
		fail_errno(errno, "cannot create a directory for %s", op->path);
	made->name = op->scratch;
	made->mount = clone_named(scratch->mount, op->scratch, op->set, FLAGS & ~op->set);
	if (made->mount < 0)
		fail_errno(errno, "cannot create a mount for %s", op->path);
	scratch->directory_count++;
}

static void make_file(struct scratch *scratch, const struct mount_op *op)
{
	struct scratch_file *made = &scratch->files[scratch->file_count];
	char name[NEW_FILE_BYTES];

	if (scratch->file_count == SCRATCH_FILES_MAX)
		fail(STATUS_LAUNCHER, "the plan has more than %u files in one tmpfs", SCRATCH_FILES_MAX);
	(void)digits_put(stpcpy(name, NEW_FILE), (uint32_t)scratch->file_count, 10);
	made->op = op;
	made->writer = openat(scratch->mount, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	made->mount = made->writer < 0 ? -1 : clone_named(scratch->mount, name, FLAGS, 0);
	if (made->mount < 0)
		fail_errno(errno, "cannot create a file for %s", op->path);
	scratch->file_count++;
}

static void make_mask(const struct scratch *scratch, struct mask *mask, bool made, const char *name, const char *what)
{
	if (made)
		mask->mount = clone_named(scratch->mount, name, MASK_FLAGS, 0);
	if (mask->mount < 0)
		fail_errno(errno, "cannot create the %s that hides others", what);
}

static void make_masks(struct scratch *scratch, struct needs needs)
{
	if (needs.devices) {
		/* A device of no driver. Before Linux 5.8 this takes CAP_MKNOD; without it an empty file has to do. */
		bool made = mknodat(scratch->mount, EMPTY_DEVICE, S_IFCHR, 0) == 0;

		if (!made && errno == EPERM)
			needs.files = true;
		else
			make_mask(scratch, &scratch->device, made, EMPTY_DEVICE, "device");
	}
	if (needs.files)
		make_mask(scratch, &scratch->file, mknodat(scratch->mount, EMPTY_FILE, S_IFREG, 0) == 0, EMPTY_FILE,
			  "empty file");
	if (needs.directories)
		make_mask(scratch, &scratch->directory, mkdirat(scratch->mount, EMPTY_DIRECTORY, 0) == 0,
			  EMPTY_DIRECTORY, "empty directory");
}

static int make_detached(int mount)
{
	int detached = mkdirat(mount, DETACHED, 0) != 0 ? -1 : openat(mount, DETACHED, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	if (detached < 0)
		fail_errno(errno, "cannot create a directory for detached mounts");
	return detached;
}

void scratch_open(struct scratch *scratch, const struct plan *plan, int root)
{
	struct needs needs;

	if (scratch->created)
		return;
	scratch->created = true;
	needs = needs_of(plan);
	scratch->mount = make_tmpfs(needs.first, needs.appends);
	/* What is attached nowhere cannot be cloned before Linux 6.15. */
	if (mount_attach(scratch->mount, root) != 0)
		fail_errno(errno, "cannot mount a tmpfs over /");
	for (size_t i = 0; i < plan->mount_ops_count; i++) {
		if (plan->mount_ops[i].scratch != NULL)
			make_directory(scratch, &plan->mount_ops[i], needs.first);
		if (plan->mount_ops[i].kind == OP_APPEND)
			make_file(scratch, &plan->mount_ops[i]);
	}
	make_masks(scratch, needs);
	if (needs.detaches)
		scratch->detached = make_detached(scratch->mount);
}

bool scratch_detach(const struct scratch *scratch, int mount)
{
	return (scratch->detached >= 0 && mount_attach(mount, scratch->detached) == 0) || mount_detach(mount) == 0;
}

static struct mask *mask_of(struct scratch *scratch, mode_t mode)
{
	if (S_ISDIR(mode))
		return &scratch->directory;
	return (S_ISCHR(mode) || S_ISBLK(mode)) && scratch->device.mount >= 0 ? &scratch->device : &scratch->file;
}

int scratch_mask(struct scratch *scratch, int target)
{
	struct mask *mask;
	struct stat status;

	if (fstat(target, &status) != 0)
		return -1;
	mask = mask_of(scratch, status.st_mode);
	if (mask->used) {
		int next = mount_clone(mask->mount, true);

		if (next < 0)
			return -1;
		(void)close(mask->mount);
		mask->mount = next;
	}
	mask->used = true;
	return mount_attach(mask->mount, target);
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

struct scratch_file scratch_take_file(struct scratch *scratch, const struct mount_op *op)
{
	for (size_t i = 0; i < scratch->file_count; i++) {
		if (scratch->files[i].op == op)
			return scratch->files[i];
	}
	fail(STATUS_LAUNCHER, "the plan has no file for %s", op->path);
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
