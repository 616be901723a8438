/*
 * By syscall(2): C libraries have functions for the mount API since glibc 2.36, and musl 1.2.5 has none. See mounts.h.
 */
#include "mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
/* After the library's own, which has the same names. */
#include <linux/mount.h>

#include "protocol/plan.h"
#include "resolve.h"
#include "statx.h"

#ifndef MOUNT_ATTR_NOSYMFOLLOW
#define MOUNT_ATTR_NOSYMFOLLOW 0x00200000
#endif

/* Linux 6.8. Their numbers are those of all processors; headers that are older than that have neither. */
#define CALL_STATMOUNT 457
#define CALL_LISTMOUNT 458
#define MOUNT_POINT 0x10U

/* What listmount(2) and statmount(2) take, in its first version. */
struct mount_request {
	uint32_t size;
	uint32_t unused;
	uint64_t id;
	uint64_t more;
};

/* What statmount(2) gives: of its numbers the place of the path is needed, and the texts. */
struct mount_answer {
	uint32_t numbers[27];
	uint32_t path;
	uint32_t further[100];
	char texts[PATH_MAX];
};

#ifdef STATMOUNT_MNT_POINT
_Static_assert(offsetof(struct mount_answer, path) == offsetof(struct statmount, mnt_point) &&
		       offsetof(struct mount_answer, texts) == offsetof(struct statmount, str) &&
		       STATMOUNT_MNT_POINT == MOUNT_POINT,
	       "statmount(2) has another layout");
#endif

/* The longest name of a mount option, in bytes; the kernel's are far shorter. */
#define NAME_BYTES_MAX 64U

static uint64_t attributes_of(unsigned int flags)
{
	static const uint64_t of_flag[] = {
		[MOUNT_READ_ONLY] = MOUNT_ATTR_RDONLY,	     [MOUNT_NO_SUID] = MOUNT_ATTR_NOSUID,
		[MOUNT_NO_DEVICES] = MOUNT_ATTR_NODEV,	     [MOUNT_NO_EXEC] = MOUNT_ATTR_NOEXEC,
		[MOUNT_NO_ATIME] = MOUNT_ATTR_NOATIME,	     [MOUNT_STRICT_ATIME] = MOUNT_ATTR_STRICTATIME,
		[MOUNT_NO_DIRATIME] = MOUNT_ATTR_NODIRATIME,
	};
	uint64_t attributes = 0;

	for (size_t i = 0; i < sizeof(of_flag) / sizeof(of_flag[0]); i++)
		attributes |= (flags & 1U << i) != 0 ? of_flag[i] : 0;
	return attributes;
}

static unsigned int recursion(bool non_recursive)
{
	return non_recursive ? 0U : (unsigned int)AT_RECURSIVE;
}

int mount_clone(int from, bool non_recursive)
{
	return (int)syscall(SYS_open_tree, from, "",
			    OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | recursion(non_recursive));
}

int mount_flags(int mount, unsigned int set, unsigned int clear, bool non_recursive)
{
	struct mount_attr attributes = { .attr_set = attributes_of(set), .attr_clr = attributes_of(clear) };

	/* How they are kept is one value of several bits, and is cleared as a whole to be set (mount_setattr(2)). */
	if ((attributes.attr_set & (MOUNT_ATTR_NOATIME | MOUNT_ATTR_STRICTATIME)) != 0)
		attributes.attr_clr |= MOUNT_ATTR__ATIME;
	return (int)syscall(SYS_mount_setattr, mount, "", AT_EMPTY_PATH | recursion(non_recursive), &attributes,
			    sizeof(attributes));
}

int mount_map(int mount, int user_namespace)
{
	struct mount_attr attributes = { .attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (unsigned int)user_namespace };

	return (int)syscall(SYS_mount_setattr, mount, "", AT_EMPTY_PATH, &attributes, sizeof(attributes));
}

int mount_attach(int mount, int target)
{
	return (int)syscall(SYS_move_mount, mount, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
}

int mount_detach(int mount)
{
	/* Nobody can change what the path of the working directory itself leads to. */
	return fchdir(mount) != 0 || umount2(".", MNT_DETACH | UMOUNT_NOFOLLOW) != 0 || chdir("/") != 0 ? -1 : 0;
}

static int call_fsconfig(int context, unsigned int command, const char *name, const char *value)
{
	return (int)syscall(SYS_fsconfig, context, command, name, value, 0);
}

int mount_option(int context, const char *option)
{
	size_t length = strcspn(option, "=");
	char name[NAME_BYTES_MAX];

	if (length == 0 || length >= sizeof(name)) {
		errno = EINVAL;
		return -1;
	}
	memcpy(name, option, length);
	name[length] = '\0';
	return option[length] == '\0' ? call_fsconfig(context, FSCONFIG_SET_FLAG, name, NULL) :
					call_fsconfig(context, FSCONFIG_SET_STRING, name, option + length + 1);
}

static int make(int context, const char *type, const struct strings *options, const char *mode, unsigned int flags)
{
	if (call_fsconfig(context, FSCONFIG_SET_STRING, "source", type) != 0)
		return -1;
	for (size_t i = 0; options != NULL && i < options->count; i++) {
		if (mount_option(context, options->items[i]) != 0)
			return -1;
	}
	if (mode != NULL && mount_option(context, mode) != 0)
		return -1;
	if (call_fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL) != 0)
		return -1;
	return (int)syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, (unsigned int)attributes_of(flags));
}

int mount_new(const char *type, const struct strings *options, const char *mode, unsigned int flags)
{
	int context = (int)syscall(SYS_fsopen, type, FSOPEN_CLOEXEC);
	int mount = context < 0 ? -1 : make(context, type, options, mode, flags);

	close_quietly(context);
	return mount;
}

int mount_seal(int mount)
{
	struct mount_attr attributes = { .attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSYMFOLLOW };

	if (syscall(SYS_mount_setattr, mount, "", AT_EMPTY_PATH, &attributes, sizeof(attributes)) == 0)
		return 0;
	return errno == EINVAL ? mount_flags(mount, 1U << MOUNT_READ_ONLY, 0, true) : -1;
}

int mount_is_root(int descriptor)
{
	struct statx status;

	if (statx(descriptor, "", AT_EMPTY_PATH | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC, 0, &status) != 0)
		return -1;
	return (status.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

int mounts_below(int mount, uint64_t *ids, size_t most)
{
	struct mount_request request = { .size = sizeof(request) };
	struct statx status;

	if (statx(mount, "", AT_EMPTY_PATH | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC, STATX_UNIQUE_MOUNT, &status) != 0)
		return -1;
	if ((status.stx_mask & STATX_UNIQUE_MOUNT) == 0 || (status.stx_attributes & STATX_ATTR_MOUNT_ROOT) == 0) {
		errno = ENOSYS;
		return -1;
	}
	request.id = statx_mount(&status);
	return (int)syscall(CALL_LISTMOUNT, &request, ids, most, 0);
}

const char *mount_path(uint64_t id)
{
	static struct mount_answer answer;
	struct mount_request request = { .size = sizeof(request), .id = id, .more = MOUNT_POINT };

	if (syscall(CALL_STATMOUNT, &request, &answer, sizeof(answer), 0) != 0)
		return NULL;
	if (answer.path >= sizeof(answer.texts) ||
	    memchr(answer.texts + answer.path, '\0', sizeof(answer.texts) - answer.path) == NULL) {
		errno = ENAMETOOLONG;
		return NULL;
	}
	return answer.texts + answer.path;
}
