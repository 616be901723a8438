/*
 * Owns the calls of the mount API as syscall(2) makes them: C libraries have functions for them since glibc 2.36, and musl 1.2.5
 * has none. The names are not theirs, so that neither library is in the way.
 */
#ifndef RUN_MOUNT_CALLS_H
#define RUN_MOUNT_CALLS_H

#include <linux/mount.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Of statx(2), Linux 5.8; <linux/stat.h> has it, and the library's own struct statx once more. */
#ifndef STATX_ATTR_MOUNT_ROOT
#define STATX_ATTR_MOUNT_ROOT 0x00002000
#endif

static inline int call_open_tree(int directory, const char *path, unsigned int flags)
{
	return (int)syscall(SYS_open_tree, directory, path, flags);
}

static inline int call_move_mount(int from, int to, unsigned int flags)
{
	return (int)syscall(SYS_move_mount, from, "", to, "", flags);
}

static inline int call_mount_setattr(int mount, unsigned int flags, const struct mount_attr *attributes)
{
	return (int)syscall(SYS_mount_setattr, mount, "", flags, attributes, sizeof(*attributes));
}

static inline int call_fsopen(const char *type, unsigned int flags)
{
	return (int)syscall(SYS_fsopen, type, flags);
}

static inline int call_fsconfig(int context, unsigned int command, const char *name, const char *value)
{
	return (int)syscall(SYS_fsconfig, context, command, name, value, 0);
}

static inline int call_fsmount(int context, unsigned int flags, unsigned int attributes)
{
	return (int)syscall(SYS_fsmount, context, flags, attributes);
}

#endif
