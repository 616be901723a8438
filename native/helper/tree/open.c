#include "open.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define WANTED (STATX_TYPE | STATX_MODE | STATX_NLINK | STATX_UID | STATX_GID | STATX_INO | STATX_CTIME | STATX_MNT_ID)

bool tree_stat(int directory, const char *name, struct tree_status *status)
{
	struct statx found;
	/* A network file system may answer from its cache: what is decided on is read again once it is pinned. */
	const int flags = AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC;

	if (statx(directory, name, flags, WANTED, &found) != 0)
		return false;
	if ((found.stx_mask & STATX_MNT_ID) == 0) {
		errno = ENOSYS;
		return false;
	}
	*status = (struct tree_status){
		.inode = found.stx_ino,
		.mount = found.stx_mnt_id,
		.device_major = found.stx_dev_major,
		.device_minor = found.stx_dev_minor,
		.uid = found.stx_uid,
		.gid = found.stx_gid,
		.links = found.stx_nlink,
		.mode = found.stx_mode,
		.changed_seconds = found.stx_ctime.tv_sec,
		.changed_nanoseconds = found.stx_ctime.tv_nsec,
	};
	return true;
}

static int open_below(int directory, const char *name, uint64_t flags)
{
	struct open_how how = {
		.flags = flags | O_NOFOLLOW | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV,
	};

	return (int)syscall(SYS_openat2, directory, name, &how, sizeof(how));
}

int tree_pin(int directory, const char *name)
{
	return open_below(directory, name, O_PATH);
}

int tree_open(int directory, const char *name)
{
	/* A walk that finds all right must not write, so it must not touch access times either. */
	int opened = open_below(directory, name, O_RDONLY | O_DIRECTORY | O_NOATIME);

	/* O_NOATIME is for owners, and for root unless the owner is unknown in its user namespace: open(2). */
	return opened < 0 && errno == EPERM ? open_below(directory, name, O_RDONLY | O_DIRECTORY) : opened;
}

int tree_open_parent(int directory)
{
	/* Not below the directory, so RESOLVE_BENEATH cannot be had. */
	return openat(directory, "..", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

bool tree_same(const struct tree_status *one, const struct tree_status *other)
{
	return one->inode == other->inode && one->mount == other->mount && one->device_major == other->device_major &&
	       one->device_minor == other->device_minor && ((one->mode ^ other->mode) & S_IFMT) == 0;
}

bool tree_unchanged(const struct tree_status *before, const struct tree_status *after)
{
	return tree_same(before, after) && before->changed_seconds == after->changed_seconds &&
	       before->changed_nanoseconds == after->changed_nanoseconds;
}
