/* By the mount API of Linux 5.2; see file_system.h. */
#include "file_system.h"

#include <errno.h>
#include <stddef.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>
/* After the library's own, which has the same names. */
#include <linux/mount.h>

#include "cli/fail.h"
#include "namespace/mounts.h"

int file_system_mount(const char *image, const struct loop *loop, const char *type, const struct strings *options)
{
	int context = (int)syscall(SYS_fsopen, type, FSOPEN_CLOEXEC);
	int mount = -1;

	if (context < 0 && errno == ENODEV)
		fail(STATUS_LAUNCHER, "cannot use the image %s: this kernel has no %s", image, type);
	if (context >= 0 && (syscall(SYS_fsconfig, context, FSCONFIG_SET_STRING, "source", loop->path, 0) != 0 ||
			     (!loop->writable && mount_option(context, "ro") != 0)))
		fail_errno(errno, "cannot use the image %s: its device cannot be named", image);
	for (size_t i = 0; context >= 0 && i < options->count; i++) {
		if (mount_option(context, options->items[i]) != 0)
			fail_errno(errno, "cannot use the image %s: its file system does not take the option \"%.64s\"",
				   image, options->items[i]);
	}
	if (context >= 0 && syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0)
		mount = (int)syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC,
				     MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_RDONLY);
	if (mount < 0)
		fail_errno(errno, "cannot use the image %s: its file system cannot be mounted", image);
	(void)close(context);
	return mount;
}
