/* See mounts.h. */
#include "mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mount_calls.h"
#include "protocol/plan.h"

/* musl before 1.2.5, as Debian 12 has it, knows nothing of statx(2). */
#ifndef STATX_TYPE
#include <linux/stat.h>
#include <sys/syscall.h>

static int statx(int directory, const char *path, int flags, unsigned int mask, struct statx *status)
{
	return (int)syscall(SYS_statx, directory, path, flags, mask, status);
}
#endif

/* The longest name of a mount option, in bytes; the kernel's are far shorter. */
#define NAME_BYTES_MAX 64U

static uint64_t attributes_of(unsigned int flags)
{
	uint64_t attributes = 0;

	if ((flags & 1U << MOUNT_READ_ONLY) != 0)
		attributes |= MOUNT_ATTR_RDONLY;
	if ((flags & 1U << MOUNT_NO_SUID) != 0)
		attributes |= MOUNT_ATTR_NOSUID;
	if ((flags & 1U << MOUNT_NO_DEVICES) != 0)
		attributes |= MOUNT_ATTR_NODEV;
	if ((flags & 1U << MOUNT_NO_EXEC) != 0)
		attributes |= MOUNT_ATTR_NOEXEC;
	return attributes;
}

int mount_clone(int from, bool non_recursive)
{
	return call_open_tree(from, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | (non_recursive ? 0U : (unsigned int)AT_RECURSIVE));
}

int mount_flags(int mount, unsigned int set, unsigned int clear, bool non_recursive)
{
	struct mount_attr attributes = { .attr_set = attributes_of(set), .attr_clr = attributes_of(clear) };

	return call_mount_setattr(mount, AT_EMPTY_PATH | (non_recursive ? 0U : (unsigned int)AT_RECURSIVE), &attributes);
}

int mount_map(int mount, int user_namespace)
{
	struct mount_attr attributes = { .attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (unsigned int)user_namespace };

	return call_mount_setattr(mount, AT_EMPTY_PATH, &attributes);
}

int mount_attach(int mount, int target)
{
	return call_move_mount(mount, target, MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
}

int mount_detach(int mount)
{
	/* Nobody can change what the path of the working directory itself leads to. */
	return fchdir(mount) != 0 || umount2(".", MNT_DETACH | UMOUNT_NOFOLLOW) != 0 || chdir("/") != 0 ? -1 : 0;
}

static int configure(int context, const char *option)
{
	const char *value = strchr(option, '=');
	char name[NAME_BYTES_MAX];
	size_t length = value == NULL ? strlen(option) : (size_t)(value - option);

	if (length == 0 || length >= sizeof(name)) {
		errno = EINVAL;
		return -1;
	}
	memcpy(name, option, length);
	name[length] = '\0';
	return value == NULL ? call_fsconfig(context, FSCONFIG_SET_FLAG, name, NULL) :
			       call_fsconfig(context, FSCONFIG_SET_STRING, name, value + 1);
}

static int make(int context, const char *type, const struct strings *options, unsigned int flags)
{
	if (call_fsconfig(context, FSCONFIG_SET_STRING, "source", type) != 0)
		return -1;
	for (size_t i = 0; i < options->count; i++) {
		if (configure(context, options->items[i]) != 0)
			return -1;
	}
	if (call_fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL) != 0)
		return -1;
	return call_fsmount(context, FSMOUNT_CLOEXEC, (unsigned int)attributes_of(flags));
}

int mount_new(const char *type, const struct strings *options, unsigned int flags)
{
	int context = call_fsopen(type, FSOPEN_CLOEXEC);
	int mount, error;

	if (context < 0)
		return -1;
	mount = make(context, type, options, flags);
	error = errno;
	(void)close(context);
	errno = error;
	return mount;
}

int mount_is_root(int descriptor)
{
	struct statx status;

	if (statx(descriptor, "", AT_EMPTY_PATH | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC, 0, &status) != 0)
		return -1;
	return (status.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}
