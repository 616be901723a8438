/* See mount_namespace.h. */
#include "mount_namespace.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "cli/fail.h"
#include "credentials.h"
#include "descriptor.h"
#include "digits.h"
#include "images/stage.h"
#include "mounts.h"
#include "namespaces.h"
#include "privileges/privileges.h"
#include "resolve.h"
#include "scratch.h"
#include "submounts.h"

/* PROC_USER_INIT_INO of the kernel: the number of the first user namespace, which every kernel gives it. */
#define FIRST_USER_NAMESPACE 0xEFFFFFFDU
/* Descriptors besides those of the slots: streams, roots, namespaces, and what an op has open. */
#define DESCRIPTORS_MORE 64U
/* No descriptor: nothing is at the path of an optional op, which is skipped. */
#define OP_SKIPPED (-1)
/* A slot that no op has filled (0 is standard input, which is open), and one whose op was skipped. */
#define SLOT_EMPTY 0
#define SLOT_SKIPPED (-1)

struct slot {
	int mount;
	/* of a new file system: what is to be mounted below it */
	struct submounts submounts;
	/* whether an op attaches it, and one has done so already */
	bool wanted;
	bool attached;
};

/* The mounts of the namespace while it is set up. */
struct layout {
	/* / as the launcher found it, and as the service will have it */
	int host_root;
	int root;
	/* whether root has yet to become / */
	bool root_moved;
	/* the launcher's /proc; -1: it has none */
	int proc;
	/* by number */
	struct slot *slots;
	size_t slot_count;
	struct idmaps idmaps;
	const struct plan *plan;
	struct scratch scratch;
	/* the file system that holds the credentials, attached nowhere; -1: without any, or attached */
	int credentials;
	/* the limit on descriptors, to be restored */
	struct rlimit descriptors;
};

/* Without /proc the host's own is assumed, and the first mount that fails says why. */
static bool is_in_first_user_namespace(void)
{
	struct stat status;

	return stat("/proc/self/ns/user", &status) != 0 || status.st_ino == FIRST_USER_NAMESPACE;
}

/*
 * Mounts that came from a namespace with more rights cannot be detached (mount_namespaces(7)), as for a process that has only a
 * user namespace of its own.
 */
static int attempt(void)
{
	bool first = is_in_first_user_namespace();

	if (unshare(CLONE_NEWNS) != 0 || mount("", "/", NULL, MS_REC | MS_SLAVE, NULL) != 0)
		return 1;
	return first || umount2("/proc", MNT_DETACH | UMOUNT_NOFOLLOW) == 0 ? 0 : 1;
}

/* In a child, since a mount namespace cannot be left without traces. */
static bool mounts_work(void)
{
	pid_t child = fork();
	int status = -1;

	if (child < 0)
		fail_errno(errno, "cannot fork");
	if (child == 0)
		_exit(attempt());
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		continue;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool may_mount(bool can_do_without)
{
	bool first = is_in_first_user_namespace();

	if (!capability_is_effective(CAP_SYS_ADMIN))
		return false;
	/* The owners of the host's files cannot be mapped from there, so a service with directories would not start. */
	if (!first && can_do_without)
		return false;
	/* If the launch cannot do without mounts, the first mount that fails says why. */
	return (first && !can_do_without) || mounts_work();
}

static void make_directory(const struct mount_op *op)
{
	const char *path = op->path;
	int root;
	mode_t mask = umask(0);

	if (!stage_has(op->path, &root, &path))
		root = open_directory("/");
	int made = resolve_directory(root, path, op->has_mode ? op->mode : PARENT_MODE);

	if (made < 0 && errno == EROFS && path != op->path)
		fail(STATUS_LAUNCHER,
		     "the image has no directory %s, and is read-only; make one in the image, or use RootEphemeral=yes",
		     path);
	if (made < 0)
		fail_errno(errno, "cannot create the directory %s", path);
	(void)close(made);
	(void)umask(mask);
	(void)close(root);
}

void mount_namespace_make_directories(const struct plan *plan)
{
	stage_prepare(plan);
	for (size_t i = 0; i < plan->mount_ops_count; i++) {
		if (plan->mount_ops[i].kind == OP_MKDIR && !stage_is_for(plan->mount_ops[i].path))
			make_directory(&plan->mount_ops[i]);
	}
}

/* Whether a path is the root itself: a mount that is attached there hides itself from paths that begin at the old root. */
static bool is_root(const char *path)
{
	return path[strspn(path, "/")] == '\0';
}

static bool is_mounted(int target, const char *path)
{
	int result = mount_is_root(target);

	if (result < 0)
		fail_errno(errno, "cannot tell whether %s is a mount", path);
	return result != 0;
}

/*
 * Opens the op's path in the service's root, creating it if the op says so. OP_SKIPPED: it is absent and optional, or it is a mount, and
 * the op is only for a place where nothing is mounted.
 */
static int open_target(const struct layout *layout, const struct mount_op *op)
{
	int target;

	if (op->create == CREATE_DIRECTORY)
		target = resolve_directory(layout->root, op->path, PARENT_MODE);
	else if (op->create == CREATE_FILE)
		target = resolve_file(layout->root, op->path);
	else
		target = resolve(layout->root, op->path, 0);
	if (target >= 0 && (!op->unless_mounted || !is_mounted(target, op->path)))
		return target;
	if (target >= 0) {
		(void)close(target);
		return OP_SKIPPED;
	}
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
	scratch_open(&layout->scratch, layout->plan, layout->host_root);
	return &layout->scratch;
}

static void change_flags(int mount, const struct mount_op *op)
{
	if ((op->set != 0 || op->clear != 0) && mount_flags(mount, op->set, op->clear, op->non_recursive) != 0)
		fail_errno(errno, "cannot change the mount flags at %s", op->path);
}

/* Opens what is cloned, or covered by a new file system, in the launcher's own root. */
static int open_source(const struct layout *layout, const struct mount_op *op)
{
	const char *path = op->path;
	int staged = -1, found;

	if (stage_has(op->path, &staged, &path))
		found = resolve(staged, path, 0);
	else
		found = op->no_symlinks ? resolve_no_symlinks(layout->host_root, path) :
					  resolve(layout->host_root, path, 0);
	close_quietly(staged);

	if (found >= 0)
		return found;
	if (op->optional && is_absence(errno))
		return OP_SKIPPED;
	if (op->no_symlinks && errno == ELOOP)
		fail(STATUS_LAUNCHER,
		     "%s, or a directory above it, is a symlink, and must not be one: it was replaced during the start",
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

/*
 * Whether security modules go by labels of devices, which a new device does not get from the one that it is like. If the first one that is
 * asked about has a label, all have.
 */
static bool has_labels(const char *path)
{
	static enum { UNKNOWN, LABELS, NO_LABELS } known = UNKNOWN;

	if (known == UNKNOWN)
		known = getxattr(path, "security.selinux", NULL, 0) > 0 ||
					getxattr(path, "security.SMACK64", NULL, 0) > 0 ?
				LABELS :
				NO_LABELS;
	return known == LABELS;
}

/*
 * Makes a device like the one at the path, in the file system of another slot. False: it has to be cloned, or is missing. It is not
 * opened: its numbers are all that is taken from it.
 */
static bool make_node(const struct layout *layout, const struct mount_op *op)
{
	int file_system = op->node < layout->slot_count ? layout->slots[op->node].mount : SLOT_EMPTY;
	const char *name = strrchr(op->path, '/');
	struct stat status;

	if (file_system == SLOT_SKIPPED)
		return false;
	if (file_system == SLOT_EMPTY || name == NULL)
		fail(STATUS_LAUNCHER, "the plan has no file system for the device %s", op->path);
	if (lstat(op->path, &status) != 0) {
		if (is_absence(errno))
			return false;
		fail_errno(errno, "cannot stat %s", op->path);
	}
	if ((!S_ISCHR(status.st_mode) && !S_ISBLK(status.st_mode)) || has_labels(op->path))
		return false;
	if (mknodat(file_system, name + 1, status.st_mode, status.st_rdev) == 0)
		return true;
	/* Without CAP_MKNOD, in a user namespace, or by the device rules of a control group. */
	if (errno != EPERM && errno != EACCES)
		fail_errno(errno, "cannot make the device %s", op->path);
	return false;
}

/* Clones a mount into a slot. */
static void op_clone(struct layout *layout, const struct mount_op *op)
{
	struct slot *slot = empty_slot(layout, op);
	int found, clone;

	if (op->has_node && make_node(layout, op)) {
		slot->mount = SLOT_SKIPPED;
		return;
	}
	found = open_source(layout, op);
	if (found == OP_SKIPPED) {
		slot->mount = SLOT_SKIPPED;
		return;
	}
	if (op->has_device)
		resolve_check(found, op->path, op->device, op->inode);
	/* Closing a clone that was never attached takes until no processor can see it: it is not made if nothing needs it. */
	if (op->detach && !slot->wanted) {
		detach(layout, op, found);
		(void)close(found);
		slot->mount = SLOT_SKIPPED;
		return;
	}
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
	static const char *const types[] = { "", "proc", "sysfs", "mqueue", "cgroup2", "tmpfs" };
	const unsigned int kept_flags = 1U << MOUNT_READ_ONLY | 1U << MOUNT_NO_SUID;
	struct slot *slot = empty_slot(layout, op);
	int found = open_source(layout, op);

	if (found == OP_SKIPPED) {
		slot->mount = SLOT_SKIPPED;
		return;
	}
	slot->mount = mount_new(types[op->type], &op->options, NULL, op->set);
	if (slot->mount < 0)
		fail_errno(errno, "cannot create a new %s for %s", types[op->type], op->path);
	if (op->type != TYPE_TMPFS)
		slot->submounts = submounts_clone(layout->proc, layout->host_root, found, slot->mount, op->path,
						  op->set & kept_flags, &op->exempt);
	(void)close(found);
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
	submounts_attach(&slot->submounts, layout->root);
	(void)close(target);
}

static int make_tmpfs(const struct mount_op *op)
{
	char mode[sizeof("mode=") + DIGITS_MAX];
	int mount;

	(void)digits_put(stpcpy(mode, "mode="), op->mode, 8);
	mount = mount_new("tmpfs", &op->options, op->has_mode ? mode : NULL, op->set);
	if (mount < 0)
		fail_errno(errno, "cannot create a tmpfs for %s", op->path);
	return mount;
}

/* Covers a path with a tmpfs, or with a directory of the scratch tmpfs. */
static void op_tmpfs(struct layout *layout, const struct mount_op *op, int target)
{
	int mount = op->scratch == NULL ? make_tmpfs(op) : scratch_take_directory(open_scratch(layout), op);

	attach_mount(layout, mount, target, op->path);
	(void)close(mount);
}

/* Changes the flags of the mount at a path. Only mounts have flags: anything else is first cloned over itself. */
static void op_remount(struct layout *layout, const struct mount_op *op, int target)
{
	int mount = is_mounted(target, op->path) ? target : mount_clone(target, false);

	if (mount < 0)
		fail_errno(errno, "cannot clone the mount at %s", op->path);
	if (mount != target)
		attach_mount(layout, mount, target, op->path);
	change_flags(mount, op);
	if (mount != target)
		(void)close(mount);
}

static void op_symlink(struct layout *layout, const struct mount_op *op)
{
	char present[PATH_MAX];
	const char *name;
	int parent = resolve_parent(layout->root, op->path, &name);
	ssize_t length;

	if (parent < 0)
		fail_errno(errno, "cannot open the directory of %s", op->path);
	if (symlinkat(op->target, parent, name) != 0) {
		if (errno != EEXIST)
			fail_errno(errno, "cannot create the symlink %s", op->path);
		length = readlinkat(parent, name, present, sizeof(present));
		if (length < 0)
			fail_errno(errno, "cannot create the symlink %s: something else is there", op->path);
		if ((size_t)length != strlen(op->target) || memcmp(present, op->target, (size_t)length) != 0)
			fail(STATUS_LAUNCHER, "cannot create the symlink %s: there is one already, with another target",
			     op->path);
	}
	(void)close(parent);
}

static void op_credentials(struct layout *layout, const struct mount_op *op, int target)
{
	if (layout->credentials < 0)
		fail(STATUS_LAUNCHER, "the plan has a place for credentials, %s, and no credentials", op->path);
	attach_mount(layout, layout->credentials, target, op->path);
	(void)close(layout->credentials);
	layout->credentials = -1;
}

static void op_mask(struct layout *layout, const struct mount_op *op, int target)
{
	if (scratch_mask(open_scratch(layout), target) != 0)
		fail_errno(errno, "cannot mask %s", op->path);
}

static void copy_bytes(int file, const char *bytes, size_t length, const char *path)
{
	if (!write_all(file, bytes, length))
		fail_errno(errno, "cannot copy %s", path);
}

/* Copies a file, and gives its last line an end. The caller knows that it is a regular file: opening a device has effects. */
static void copy_lines(const struct layout *layout, const struct mount_op *op, int found, int copy)
{
	char name[sizeof("self/fd/") + DIGITS_MAX], bytes[16384], last = '\n';
	int original;
	ssize_t length;

	(void)digits_put(stpcpy(name, "self/fd/"), (uint32_t)found, 10);
	original = openat(layout->proc, name, O_RDONLY | O_CLOEXEC);
	if (original < 0)
		fail_errno(errno, "cannot read %s", op->path);
	while ((length = read_all(original, bytes, sizeof(bytes))) > 0) {
		copy_bytes(copy, bytes, (size_t)length, op->path);
		last = bytes[length - 1];
	}
	if (length < 0)
		fail_errno(errno, "cannot read %s", op->path);
	if (last != '\n')
		copy_bytes(copy, "\n", 1, op->path);
	(void)close(original);
}

/* The copy is mounted: what is at the path, and who else has it open, stay as they are. */
static void op_append(struct layout *layout, const struct mount_op *op, int target)
{
	struct scratch_file file;
	struct stat status;

	if (fstat(target, &status) != 0)
		fail_errno(errno, "cannot stat %s", op->path);
	if (!S_ISREG(status.st_mode))
		fail(STATUS_LAUNCHER, "cannot add lines to %s: it is not a regular file; use --passwd-overlay=no",
		     op->path);
	(void)open_scratch(layout);
	scratch_close(&layout->scratch);
	file = scratch_take_file(&layout->scratch, op);
	copy_lines(layout, op, target, file.writer);
	copy_bytes(file.writer, op->text, strlen(op->text), op->path);
	(void)close(file.writer);
	change_flags(file.mount, op);
	attach_mount(layout, file.mount, target, op->path);
	(void)close(file.mount);
}

/* Those of the host were made before the first namespace: see mount_namespace_make_directories(). */
static void op_mkdir(struct layout *layout, const struct mount_op *op)
{
	(void)layout;
	if (stage_is_for(op->path))
		make_directory(op);
}

static void do_op(struct layout *layout, const struct mount_op *op)
{
	static const struct {
		void (*function)(struct layout *layout, const struct mount_op *op);
		/* of an op that changes what is at its path: gets that opened */
		void (*at_target)(struct layout *layout, const struct mount_op *op, int target);
	} ops[] = {
		[OP_MKDIR] = { .function = op_mkdir },
		[OP_CLONE] = { .function = op_clone },
		[OP_MOUNT] = { .function = op_mount },
		[OP_ATTACH] = { .function = op_attach },
		[OP_SYMLINK] = { .function = op_symlink },
		[OP_TMPFS] = { .at_target = op_tmpfs },
		[OP_REMOUNT] = { .at_target = op_remount },
		[OP_MASK] = { .at_target = op_mask },
		[OP_CREDENTIALS] = { .at_target = op_credentials },
		[OP_APPEND] = { .at_target = op_append },
	};
	/* A kind that the interface gets next needs a row. */
	enum { MOUNT_OP_KIND_ENUM(ROW_), ROWS };
	_Static_assert(sizeof(ops) / sizeof(ops[0]) == ROWS, "each kind of a mount op has a row");
	int target;

	/* All clones are made. From here on ops change what the service sees, and the scratch tmpfs over / is not part of that. */
	if (op->kind != OP_MKDIR && op->kind != OP_CLONE && op->kind != OP_MOUNT)
		scratch_close(&layout->scratch);
	if (ops[op->kind].function != NULL) {
		ops[op->kind].function(layout, op);
		return;
	}
	target = open_target(layout, op);
	if (target == OP_SKIPPED)
		return;
	ops[op->kind].at_target(layout, op, target);
	(void)close(target);
}

static void make_namespace(void)
{
	if (unshare(CLONE_NEWNS) != 0) {
		if (errno == EPERM)
			fail(STATUS_LAUNCHER,
			     "cannot create a mount namespace: CAP_SYS_ADMIN is missing or blocked; grant it, or use --isolation=best-effort to run without one");
		fail_errno(errno, "cannot create a mount namespace");
	}
	/* From here on the host's new mounts appear here, and none of ours there (mount_namespaces(7)). */
	if (mount("", "/", NULL, MS_REC | MS_SLAVE, NULL) == 0)
		return;
	if (errno == EINVAL)
		fail(STATUS_LAUNCHER,
		     "cannot make mounts private: / is not a mount point, as in a chroot; use --isolation=best-effort to run without them");
	if (errno == EPERM || errno == EACCES)
		fail(STATUS_LAUNCHER,
		     "cannot make mounts private: mount(2) is forbidden, as in some containers; use --isolation=best-effort to run without them");
	fail_errno(errno, "cannot make mounts private");
}

/* Every clone is a descriptor until it is attached, and may be needed until the last op. */
static void make_slots(struct layout *layout, const struct plan *plan)
{
	struct rlimit more;

	for (size_t i = 0; i < plan->mount_ops_count; i++) {
		if (plan->mount_ops[i].has_slot && plan->mount_ops[i].slot >= layout->slot_count)
			layout->slot_count = plan->mount_ops[i].slot + 1;
	}
	layout->slots = calloc(layout->slot_count + 1, sizeof(*layout->slots));
	if (layout->slots == NULL || getrlimit(RLIMIT_NOFILE, &layout->descriptors) != 0)
		fail_errno(errno, "cannot allocate %zu mounts", layout->slot_count);
	for (size_t i = 0; i < plan->mount_ops_count; i++) {
		if (plan->mount_ops[i].kind == OP_ATTACH && plan->mount_ops[i].has_slot)
			layout->slots[plan->mount_ops[i].slot].wanted = true;
	}
	more = layout->descriptors;
	if (more.rlim_cur >= layout->slot_count + DESCRIPTORS_MORE)
		return;
	more.rlim_cur = layout->slot_count + DESCRIPTORS_MORE;
	if (more.rlim_max < more.rlim_cur)
		more.rlim_max = more.rlim_cur;
	if (setrlimit(RLIMIT_NOFILE, &more) != 0)
		fail_errno(errno, "cannot open %zu descriptors for as many mounts; raise the hard limit (ulimit -Hn)",
			   layout->slot_count);
}

static void restore_limit(const struct layout *layout)
{
	struct rlimit now;

	if (getrlimit(RLIMIT_NOFILE, &now) != 0 ||
	    ((now.rlim_cur != layout->descriptors.rlim_cur || now.rlim_max != layout->descriptors.rlim_max) &&
	     setrlimit(RLIMIT_NOFILE, &layout->descriptors) != 0))
		fail_errno(errno, "cannot restore the limit on descriptors");
}

/* Last, since a mount that is shared cannot be moved (mount_namespaces(7)). */
static void set_propagation(const struct plan *plan)
{
	static const unsigned long flags[] = {
		[PROPAGATION_NONE] = MS_SHARED,
		[PROPAGATION_SHARED] = MS_SHARED,
		[PROPAGATION_SLAVE] = MS_SLAVE,
		[PROPAGATION_PRIVATE] = MS_PRIVATE,
	};

	if (mount(NULL, "/", NULL, MS_REC | flags[plan->propagation], NULL) != 0)
		fail_errno(errno, "cannot set how mounts are shared with other namespaces");
}

/* For pivot_root(2) and for mount flags the service's root must be a mount: it is cloned over itself. */
static int open_service_root(const struct plan *plan)
{
	int root = open_directory(plan->root);
	int clone;

	/* An image is a mount already. */
	if (stage_is_for(plan->root))
		return root;
	clone = mount_clone(root, false);
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
	struct layout layout = { .scratch = SCRATCH_NONE, .plan = plan };

	make_namespace();
	layout.host_root = open_directory("/");
	stage_set(plan);
	layout.proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	layout.root_moved = plan->root != NULL;
	layout.root = plan->root != NULL ? open_service_root(plan) : open_directory("/");
	layout.credentials = plan->credentials_count > 0 ? credentials_make(plan) : -1;
	make_slots(&layout, plan);
	for (size_t i = 0; i < plan->mount_ops_count; i++)
		do_op(&layout, &plan->mount_ops[i]);
	scratch_close(&layout.scratch);
	if (plan->root == NULL)
		stage_clear(plan);
	enter_root(&layout);
	set_propagation(plan);
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
