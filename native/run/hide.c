/* Empty things, without rights for anybody, on a tmpfs that is mounted nowhere else; see hide.h. */
#include "hide.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mounts.h"
#include "plan.h"

#define FLAGS (1U << MOUNT_NO_SUID | 1U << MOUNT_NO_DEVICES | 1U << MOUNT_NO_EXEC)

static int clone_named(int tmpfs, const char *name)
{
	int path = openat(tmpfs, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	int clone = path < 0 ? -1 : mount_clone(path, true);
	int error = errno;

	if (path >= 0)
		(void)close(path);
	if (clone >= 0 && mount_flags(clone, 1U << MOUNT_READ_ONLY, 0, true) != 0) {
		error = errno;
		(void)close(clone);
		clone = -1;
	}
	errno = error;
	return clone;
}

/* What is attached nowhere cannot be cloned before Linux 6.15, so for that moment it is put over /. */
static int make_both(struct hidden *hidden, int root, int tmpfs)
{
	if (mkdirat(tmpfs, "directory", 0) != 0 || mknodat(tmpfs, "file", S_IFREG, 0) != 0 || mount_attach(tmpfs, root) != 0)
		return -1;
	hidden->file = clone_named(tmpfs, "file");
	hidden->directory = hidden->file < 0 ? -1 : clone_named(tmpfs, "directory");
	if (hidden->directory < 0) {
		int error = errno;

		(void)mount_detach(tmpfs);
		errno = error;
		return -1;
	}
	return mount_detach(tmpfs);
}

static int make(struct hidden *hidden, int root)
{
	char mode[] = "mode=0755", size[] = "size=4k", inodes[] = "nr_inodes=8";
	char *options[] = { mode, size, inodes };
	const struct strings list = { .items = options, .count = 3 };
	int tmpfs = mount_tmpfs(&list, FLAGS);
	int result = tmpfs < 0 ? -1 : make_both(hidden, root, tmpfs);
	int error = errno;

	if (tmpfs >= 0)
		(void)close(tmpfs);
	errno = error;
	return result;
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

int hide(struct hidden *hidden, int root, int target)
{
	struct stat status;

	if (fstat(target, &status) != 0 || (hidden->file < 0 && make(hidden, root) != 0))
		return -1;
	return S_ISDIR(status.st_mode) ? put(&hidden->directory, &hidden->directory_used, target) :
					 put(&hidden->file, &hidden->file_used, target);
}
