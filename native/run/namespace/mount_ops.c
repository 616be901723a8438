/* See mount_ops.h. */
#include "mount_ops.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/fail.h"
#include "digits.h"
#include "mounts.h"
#include "resolve.h"

/* No descriptor: nothing is at the path of an optional op, which is skipped. */
#define OP_SKIPPED (-1)

/* Whether an errno number says that nothing is at a path. */
static bool is_absence(int error)
{
	return error == ENOENT || error == ENOTDIR;
}

/* Whether a path is the root itself: a mount that is attached there hides itself from paths that begin at the old root. */
static bool is_root(const char *path)
{
	return path[strspn(path, "/")] == '\0';
}

/* Opens the op's path in the service's root, creating it if the op says so. OP_SKIPPED: it is absent and optional. */
static int open_target(const struct layout *layout, const struct mount_op *op)
{
	int target;

	if (op->create == CREATE_DIRECTORY)
		target = resolve_directory(layout->root, op->path, PARENT_MODE);
	else if (op->create == CREATE_FILE)
		target = resolve_file(layout->root, op->path);
	else
		target = resolve(layout->root, op->path, 0);
	if (target >= 0)
		return target;
	if (op->create != CREATE_NOTHING)
		fail_errno(errno, "cannot create %s", op->path);
	if (op->optional && is_absence(errno))
		return OP_SKIPPED;
	fail_errno(errno, "cannot open %s", op->path);
}

/* Attaches a mount to what target was opened by path. */
static void attach_mount(struct layout *layout, int mount, int target, const char *path)
{
	if (mount_attach(mount, target) != 0)
		fail_errno(errno, "cannot mount over %s", path);
	if (!is_root(path))
		return;
	(void)close(layout->root);
	layout->root = fcntl(mount, F_DUPFD_CLOEXEC, 3);
	layout->root_moved = true;
	if (layout->root < 0)
		fail_errno(errno, "cannot keep the new root directory open");
}

/* The scratch file system, created on first use. While it is attached, every op but mkdir, clone and mount closes it first. */
static struct scratch *open_scratch(struct layout *layout)
{
	scratch_open(&layout->scratch, layout->plan, layout->host_root, &layout->masks);
	return &layout->scratch;
}

static void change_flags(int mount, const struct mount_op *op)
{
	if ((op->set != 0 || op->clear != 0) && mount_flags(mount, op->set, op->clear, op->non_recursive) != 0)
		fail_errno(errno, "cannot change the mount flags at %s", op->path);
}

/* Below a path without symlinks must be the object that the daemon prepared. */
static void check_object(const struct mount_op *op, int found)
{
	struct stat status;

	if (!op->has_device)
		return;
	if (fstat(found, &status) != 0)
		fail_errno(errno, "cannot stat %s", op->path);
	if (status.st_dev != (dev_t)op->device || status.st_ino != (ino_t)op->inode)
		fail(STATUS_LAUNCHER,
		     "%s is not the directory that was prepared for the service: it was replaced during the start, or the daemon sees another file system there",
		     op->path);
}

/* Opens what is cloned, or covered by a new file system, in the launcher's own root. */
static int open_source(const struct layout *layout, const struct mount_op *op)
{
	int found = op->no_symlinks ? resolve_no_symlinks(layout->host_root, op->path) :
				      resolve(layout->host_root, op->path, 0);

	if (found >= 0)
		return found;
	if (op->optional && is_absence(errno))
		return OP_SKIPPED;
	if (op->no_symlinks && errno == ELOOP)
		fail(STATUS_LAUNCHER, "%s, or a directory above it, is a symlink, and must not be one: it was replaced during the start",
		     op->path);
	fail_errno(errno, "cannot open %s", op->path);
}

/* A file cannot be the working directory, so it is detached by path; this namespace is ours alone. */
static void detach(struct layout *layout, const struct mount_op *op, int found)
{
	int result = mount_is_root(found);
	struct stat status;

	if (result == 0)
		return;
	if (result < 0 || fstat(found, &status) != 0)
		fail_errno(errno, "cannot stat %s", op->path);
	if (S_ISDIR(status.st_mode))
		result = scratch_detach(open_scratch(layout), found) ? 0 : -1;
	else
		result = umount2(op->path, MNT_DETACH | UMOUNT_NOFOLLOW);
	if (result != 0)
		fail_errno(errno, "cannot detach the mount at %s", op->path);
}

static void map_owners(struct layout *layout, const struct mount_op *op, int clone)
{
	int namespace;

	if (layout->proc < 0)
		fail(STATUS_LAUNCHER, "cannot id-map %s: /proc is not mounted", op->path);
	scratch_close(&layout->scratch);
	namespace = idmap_namespace(&layout->idmaps, layout->proc, &op->map);
	if (namespace < 0)
		fail_errno(errno, "cannot create a user namespace that maps the owners of %s", op->path);
	if (mount_map(clone, namespace) != 0)
		fail_errno(errno, "cannot map the owners of %s", op->path);
}

static struct slot *empty_slot(const struct layout *layout, const struct mount_op *op)
{
	struct slot *slot = &layout->slots[op->slot];

	if (slot->mount != SLOT_EMPTY)
		fail(STATUS_LAUNCHER, "the plan fills slot %u twice, the second time with %s", op->slot, op->path);
	return slot;
}

/* Clones a mount into a slot. */
static void op_clone(struct layout *layout, const struct mount_op *op)
{
	struct slot *slot = empty_slot(layout, op);
	int found = open_source(layout, op), clone;

	if (found == OP_SKIPPED) {
		slot->mount = SLOT_SKIPPED;
		return;
	}
	check_object(op, found);
	clone = mount_clone(found, op->non_recursive);
	if (clone < 0)
		fail_errno(errno, "cannot clone the mount at %s", op->path);
	if (op->has_map)
		map_owners(layout, op, clone);
	change_flags(clone, op);
	if (op->detach)
		detach(layout, op, found);
	(void)close(found);
	slot->mount = clone;
}

/* Creates a file system in a slot, for a path that has one already. */
static void op_mount(struct layout *layout, const struct mount_op *op)
{
	static const char *const types[] = { "", "proc", "sysfs", "mqueue" };
	const unsigned int kept_flags = 1U << MOUNT_READ_ONLY | 1U << MOUNT_NO_SUID;
	struct slot *slot = empty_slot(layout, op);
	const char *root = layout->plan->root;
	int found = open_source(layout, op);

	if (found == OP_SKIPPED) {
		slot->mount = SLOT_SKIPPED;
		return;
	}
	(void)close(found);
	slot->mount = mount_new(types[op->type], &op->options, op->set);
	if (slot->mount < 0)
		fail_errno(errno, "cannot create a new %s for %s", types[op->type], op->path);
	slot->submounts = submounts_clone(layout->proc, layout->host_root, op->path, op->set & kept_flags);
	slot->root_length = root == NULL ? 0 : strlen(root);
}

/* Attaches the mount of a slot. */
static void op_attach(struct layout *layout, const struct mount_op *op)
{
	struct slot *slot = &layout->slots[op->slot];
	int target;

	if (slot->mount == SLOT_EMPTY)
		fail(STATUS_LAUNCHER, "the plan attaches slot %u, which is empty, at %s", op->slot, op->path);
	if (slot->mount == SLOT_SKIPPED)
		return;
	target = open_target(layout, op);
	if (target == OP_SKIPPED)
		return;
	if (slot->attached) {
		int again = mount_clone(slot->mount, false);

		if (again < 0)
			fail_errno(errno, "cannot clone the mount for %s again", op->path);
		(void)close(slot->mount);
		slot->mount = again;
	}
	slot->attached = true;
	attach_mount(layout, slot->mount, target, op->path);
	submounts_attach(&slot->submounts, layout->root, slot->root_length);
	(void)close(target);
}

static int make_tmpfs(const struct mount_op *op)
{
	struct strings options = { 0 };
	char mode[sizeof("mode=") + DIGITS_MAX];
	int mount;

	(void)digits_put(stpcpy(mode, "mode="), op->mode, 8);
	for (size_t i = 0; i < op->options.count; i++) {
		if (!strings_add(&options, op->options.items[i]))
			fail(STATUS_LAUNCHER, "out of memory");
	}
	if (op->has_mode && !strings_add(&options, mode))
		fail(STATUS_LAUNCHER, "out of memory");
	mount = mount_new("tmpfs", &options, op->set);
	if (mount < 0)
		fail_errno(errno, "cannot create a tmpfs for %s", op->path);
	free(options.items);
	return mount;
}

/* Covers a path with a tmpfs, or with a directory of the scratch tmpfs. */
static void op_tmpfs(struct layout *layout, const struct mount_op *op)
{
	int target = open_target(layout, op), mount;

	if (target == OP_SKIPPED)
		return;
	mount = op->scratch == NULL ? make_tmpfs(op) : scratch_take_directory(open_scratch(layout), op);
	attach_mount(layout, mount, target, op->path);
	(void)close(mount);
	(void)close(target);
}

/* Changes the flags of the mount at a path. Only mounts have flags: anything else is first cloned over itself. */
static void op_remount(struct layout *layout, const struct mount_op *op)
{
	int target = open_target(layout, op), is_mount, mount;

	if (target == OP_SKIPPED)
		return;
	is_mount = mount_is_root(target);
	if (is_mount < 0)
		fail_errno(errno, "cannot tell whether %s is a mount", op->path);
	mount = is_mount != 0 ? target : mount_clone(target, false);
	if (mount < 0)
		fail_errno(errno, "cannot clone the mount at %s", op->path);
	if (mount != target)
		attach_mount(layout, mount, target, op->path);
	change_flags(mount, op);
	if (mount != target)
		(void)close(mount);
	(void)close(target);
}

static void op_symlink(const struct layout *layout, const struct mount_op *op)
{
	char present[PATH_MAX];
	const char *name;
	int parent = resolve_parent(layout->root, op->path, &name);
	ssize_t length;

	if (parent < 0)
		fail_errno(errno, "cannot open the directory of %s", op->path);
	length = readlinkat(parent, name, present, sizeof(present));
	if (length < 0 && errno != ENOENT)
		fail_errno(errno, "cannot create the symlink %s: something else is there", op->path);
	if (length >= 0 && ((size_t)length != strlen(op->target) || memcmp(present, op->target, (size_t)length) != 0))
		fail(STATUS_LAUNCHER, "cannot create the symlink %s: there is one already, with another target", op->path);
	if (length < 0 && symlinkat(op->target, parent, name) != 0)
		fail_errno(errno, "cannot create the symlink %s", op->path);
	(void)close(parent);
}

static void op_mask(struct layout *layout, const struct mount_op *op)
{
	int target = open_target(layout, op);

	if (target == OP_SKIPPED)
		return;
	(void)open_scratch(layout);
	if (mask_attach(&layout->masks, target) != 0)
		fail_errno(errno, "cannot mask %s", op->path);
	(void)close(target);
}

void mount_op_do(struct layout *layout, const struct mount_op *op)
{
	/* All clones are made. From here on ops change what the service sees, and the scratch tmpfs over / is no part of that. */
	if (op->kind != OP_MKDIR && op->kind != OP_CLONE && op->kind != OP_MOUNT)
		scratch_close(&layout->scratch);
	switch (op->kind) {
	case OP_MKDIR:
		/* Done before the first namespace: see mount_namespace_make_directories(). */
		break;
	case OP_CLONE:
		op_clone(layout, op);
		break;
	case OP_MOUNT:
		op_mount(layout, op);
		break;
	case OP_TMPFS:
		op_tmpfs(layout, op);
		break;
	case OP_REMOUNT:
		op_remount(layout, op);
		break;
	case OP_ATTACH:
		op_attach(layout, op);
		break;
	case OP_SYMLINK:
		op_symlink(layout, op);
		break;
	case OP_MASK:
		op_mask(layout, op);
		break;
	}
}
