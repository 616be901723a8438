/* Empty things, without rights for anybody, on a tmpfs that is the service's alone, and read-only there; see mask.h. */
#include "mask.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mounts.h"
#include "protocol/plan.h"

/* No part of the tmpfs begins with a dot (attic.h). */
#define EMPTY_DIRECTORY ".directory"
#define EMPTY_FILE ".file"
#define FLAGS (1U << MOUNT_READ_ONLY | 1U << MOUNT_NO_SUID | 1U << MOUNT_NO_DEVICES | 1U << MOUNT_NO_EXEC)

static int clone_named(int tmpfs, const char *name)
{
	int path = openat(tmpfs, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	int clone = path < 0 ? -1 : mount_clone(path, true);
	int error = errno;

	if (path >= 0)
		(void)close(path);
	if (clone >= 0 && mount_flags(clone, FLAGS, 0, true) != 0) {
		error = errno;
		(void)close(clone);
		clone = -1;
	}
	errno = error;
	return clone;
}

int hide_prepare(struct hidden *hidden, int tmpfs)
{
	if (mkdirat(tmpfs, EMPTY_DIRECTORY, 0) != 0 || mknodat(tmpfs, EMPTY_FILE, S_IFREG, 0) != 0)
		return -1;
	hidden->file = clone_named(tmpfs, EMPTY_FILE);
	hidden->directory = hidden->file < 0 ? -1 : clone_named(tmpfs, EMPTY_DIRECTORY);
	return hidden->directory < 0 ? -1 : 0;
}

static int put(int *mount, bool *used, int target)
{
	if (*used) {
		int next = mount_clone(*mount, true);

		if (next < 0)
			return -1;
		(void)close(*mount);
		*mount = next;
	}
	*used = true;
	return mount_attach(*mount, target);
}

int hide(struct hidden *hidden, int target)
{
	struct stat status;

	if (fstat(target, &status) != 0)
		return -1;
	return S_ISDIR(status.st_mode) ? put(&hidden->directory, &hidden->directory_used, target) :
					 put(&hidden->file, &hidden->file_used, target);
}
