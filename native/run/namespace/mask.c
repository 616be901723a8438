/* See mask.h. */
#include "mask.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mounts.h"
#include "protocol/plan.h"

/* No other directory of the tmpfs begins with a dot (scratch.h). */
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

int mask_prepare(struct masks *masks, int tmpfs)
{
	if (mkdirat(tmpfs, EMPTY_DIRECTORY, 0) != 0 || mknodat(tmpfs, EMPTY_FILE, S_IFREG, 0) != 0)
		return -1;
	masks->file = clone_named(tmpfs, EMPTY_FILE);
	masks->directory = masks->file < 0 ? -1 : clone_named(tmpfs, EMPTY_DIRECTORY);
	return masks->directory < 0 ? -1 : 0;
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

int mask_attach(struct masks *masks, int target)
{
	struct stat status;

	if (fstat(target, &status) != 0)
		return -1;
	return S_ISDIR(status.st_mode) ? put(&masks->directory, &masks->directory_used, target) :
					 put(&masks->file, &masks->file_used, target);
}
