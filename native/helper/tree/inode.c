/* See inode.h. */
#include "inode.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "statx.h"

#define WANTED (STATX_TYPE | STATX_MODE | STATX_NLINK | STATX_UID | STATX_GID | STATX_INO | STATX_CTIME | STATX_MNT_ID)

/* New in Linux 6.13; the same number on every architecture that has generic ones, and on x86-64. */
#ifndef SYS_listxattrat
#define SYS_listxattrat 465
#endif

/* Far more than an inode has; of one with more, both ACLs are removed unseen. */
#define ATTRIBUTE_NAMES_MAX 1024
#define ACL_PREFIX "system.posix_acl_"

static const char *const acl_names[] = { ACL_PREFIX "access", ACL_PREFIX "default" };

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
		.mount = statx_mount(&found),
		.device_major = found.stx_dev_major,
		.device_minor = found.stx_dev_minor,
		.uid = found.stx_uid,
		.gid = found.stx_gid,
		.links = found.stx_nlink,
		.mode = found.stx_mode,
		.changed = found.stx_ctime,
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

int tree_open_file(int directory, const char *name)
{
	return open_below(directory, name, O_RDONLY | O_NONBLOCK | O_NOCTTY);
}

bool tree_same(const struct tree_status *one, const struct tree_status *other)
{
	return one->inode == other->inode && one->mount == other->mount && one->device_major == other->device_major &&
	       one->device_minor == other->device_minor && ((one->mode ^ other->mode) & S_IFMT) == 0;
}

bool tree_unchanged(const struct tree_status *before, const struct tree_status *after)
{
	return tree_same(before, after) && before->changed.tv_sec == after->changed.tv_sec &&
	       before->changed.tv_nsec == after->changed.tv_nsec;
}

/*
 * A path below the working directory: what has no call for a descriptor of O_PATH is done by the name that it has there
 * (proc_pid_fd(5)).
 */
struct link_path {
	char text[NAME_MAX + 16];
};

static bool pinned(struct tree_place place)
{
	return place.name[0] == '\0';
}

static struct link_path link_to(struct tree_place place)
{
	struct link_path path;

	(void)snprintf(path.text, sizeof(path.text), pinned(place) ? "%d" : "%d/%s", place.descriptor, place.name);
	return path;
}

bool tree_owned(const struct tree_status *status, const struct tree_owner *owner)
{
	return status->uid == owner->uid && status->gid == owner->gid;
}

static ssize_t list_attributes(struct tree_place place, char names[ATTRIBUTE_NAMES_MAX])
{
	if (pinned(place))
		return listxattr(link_to(place).text, names, ATTRIBUTE_NAMES_MAX);
	long length = syscall(SYS_listxattrat, place.descriptor, place.name, AT_SYMLINK_NOFOLLOW, names,
			      (size_t)ATTRIBUTE_NAMES_MAX);

	/* EPERM is what a seccomp filter says that does not know the call. */
	if (length < 0 && (errno == ENOSYS || errno == EPERM))
		length = llistxattr(link_to(place).text, names, ATTRIBUTE_NAMES_MAX);
	return length;
}

static int remove_attribute(struct tree_place place, const char *attribute)
{
	/* Of a pinned symlink the link in /proc is followed, and not the symlink. */
	return pinned(place) ? removexattr(link_to(place).text, attribute) :
			       lremovexattr(link_to(place).text, attribute);
}

/* Most inodes have no attribute at all, which one call tells; removing blindly would write to each (xattr(7)). */
static bool may_have_acls(const char *names, ssize_t length)
{
	for (ssize_t at = 0; at < length; at += (ssize_t)strlen(names + at) + 1) {
		if (strncmp(names + at, ACL_PREFIX, sizeof(ACL_PREFIX) - 1) == 0)
			return true;
	}
	return false;
}

bool tree_has_acls(int directory)
{
	char names[ATTRIBUTE_NAMES_MAX];
	ssize_t length = flistxattr(directory, names, sizeof(names));

	return length < 0 ? errno != EOPNOTSUPP : may_have_acls(names, length);
}

const char *tree_drop_acls(struct tree_place place, const struct tree_status *status)
{
	char names[ATTRIBUTE_NAMES_MAX];

	if (S_ISLNK(status->mode))
		return NULL;
	ssize_t length = list_attributes(place, names);

	if (length < 0 && errno == EOPNOTSUPP)
		return NULL;
	if (length < 0 && errno != ERANGE && errno != E2BIG)
		return "listxattr";
	if (length >= 0 && !may_have_acls(names, length))
		return NULL;
	for (size_t i = 0; i < sizeof(acl_names) / sizeof(acl_names[0]); i++) {
		if (remove_attribute(place, acl_names[i]) != 0 && errno != ENODATA && errno != EOPNOTSUPP)
			return "removexattr";
	}
	return NULL;
}

const char *tree_set_mode(struct tree_place place, uint32_t mode)
{
	/* fchmod(2) refuses a descriptor of O_PATH, and fchmodat2(2) is new in Linux 6.6. */
	int result = pinned(place) ? chmod(link_to(place).text, mode) : fchmodat(place.descriptor, place.name, mode, 0);

	return result == 0 ? NULL : "chmod";
}

const char *tree_give(struct tree_place place, const struct tree_status *status, const struct tree_owner *owner)
{
	uint32_t bits = status->mode & 07777U;
	uint32_t kept = bits & ~(uint32_t)(S_ISUID | S_ISGID);
	const char *failed = tree_drop_acls(place, status);

	/* chown(2) clears both on what can be executed, and neither on a directory. */
	if (failed == NULL && !S_ISLNK(status->mode) && kept != bits)
		failed = tree_set_mode(place, kept);
	if (failed != NULL)
		return failed;
	int flags = pinned(place) ? AT_EMPTY_PATH : AT_SYMLINK_NOFOLLOW;

	return fchownat(place.descriptor, place.name, owner->uid, owner->gid, flags) == 0 ? NULL : "fchownat";
}
