/* By the mount API of Linux 5.2; see file_system.h. */
#include "file_system.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>
/* After the library's own, which has the same names. */
#include <linux/mount.h>

#define NAME_MAX_BYTES 64U

static bool set(int context, const char *option)
{
	char name[NAME_MAX_BYTES];
	size_t length = strcspn(option, "=");

	if (length == 0 || length >= sizeof(name)) {
		errno = EINVAL;
		return false;
	}
	memcpy(name, option, length);
	name[length] = '\0';
	return syscall(SYS_fsconfig, context, option[length] == '\0' ? FSCONFIG_SET_FLAG : FSCONFIG_SET_STRING, name,
		       option[length] == '\0' ? NULL : option + length + 1, 0) == 0;
}

static int mount_context(int context, const struct loop *loop, char *const *options, size_t count,
			 char error[IMAGE_ERROR_MAX])
{
	char what[IMAGE_ERROR_MAX / 2];
	int mount;

	if (syscall(SYS_fsconfig, context, FSCONFIG_SET_STRING, "source", loop->path, 0) != 0 ||
	    (!loop->writable && !set(context, "ro"))) {
		image_error(error, "its device cannot be named");
		return -1;
	}
	for (size_t i = 0; i < count; i++) {
		if (!set(context, options[i])) {
			(void)snprintf(what, sizeof(what), "its file system does not take the option \"%.64s\"",
				       options[i]);
			image_error(error, what);
			return -1;
		}
	}
	if (syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) != 0) {
		image_error(error, "its file system cannot be mounted");
		return -1;
	}
	mount = (int)syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC,
			     MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_RDONLY);
	if (mount < 0)
		image_error(error, "its file system cannot be mounted");
	return mount;
}

int file_system_mount(const struct loop *loop, const char *type, char *const *options, size_t count,
		      char error[IMAGE_ERROR_MAX])
{
	int context = (int)syscall(SYS_fsopen, type, FSOPEN_CLOEXEC);
	int mount;

	if (context < 0 && errno == ENODEV)
		(void)snprintf(error, IMAGE_ERROR_MAX, "this kernel has no %.32s", type);
	else if (context < 0)
		image_error(error, "its file system cannot be mounted");
	if (context < 0)
		return -1;
	mount = mount_context(context, loop, options, count, error);
	(void)close(context);
	return mount;
}
