#include "tree_owner.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

/* Far more than an inode has; of one with more, both ACLs are removed unseen. */
#define ATTRIBUTE_NAMES_MAX 1024
#define ACL_PREFIX "system.posix_acl_"

static const char *const acl_names[] = { ACL_PREFIX "access", ACL_PREFIX "default" };

struct link_name {
	char digits[16];
};

static struct link_name link_to(int descriptor)
{
	struct link_name name;

	(void)snprintf(name.digits, sizeof(name.digits), "%d", descriptor);
	return name;
}

bool tree_owner_prepare(void)
{
	return chdir("/proc/self/fd") == 0;
}

bool tree_owned(const struct tree_status *status, const struct tree_owner *owner)
{
	return status->uid == owner->uid && status->gid == owner->gid;
}

/* Most inodes have no attribute at all, and one look says so; removing blindly would write to each (xattr(7)). */
static bool may_have_acls(const char *names, ssize_t length)
{
	for (ssize_t at = 0; at < length; at += (ssize_t)strlen(names + at) + 1) {
		if (strncmp(names + at, ACL_PREFIX, sizeof(ACL_PREFIX) - 1) == 0)
			return true;
	}
	return false;
}

const char *tree_drop_acls(int descriptor, const struct tree_status *status)
{
	char names[ATTRIBUTE_NAMES_MAX];
	struct link_name link = link_to(descriptor);

	if (S_ISLNK(status->mode))
		return NULL;
	ssize_t length = listxattr(link.digits, names, sizeof(names));

	if (length < 0 && errno == EOPNOTSUPP)
		return NULL;
	if (length < 0 && errno != ERANGE && errno != E2BIG)
		return "listxattr";
	if (length >= 0 && !may_have_acls(names, length))
		return NULL;
	for (size_t i = 0; i < sizeof(acl_names) / sizeof(acl_names[0]); i++) {
		if (removexattr(link.digits, acl_names[i]) != 0 && errno != ENODATA && errno != EOPNOTSUPP)
			return "removexattr";
	}
	return NULL;
}

const char *tree_set_mode(int descriptor, uint32_t mode)
{
	/* fchmod(2) refuses a descriptor of O_PATH, and fchmodat2(2) is new in Linux 6.6. */
	return chmod(link_to(descriptor).digits, mode) == 0 ? NULL : "chmod";
}

const char *tree_give(int descriptor, const struct tree_status *status, const struct tree_owner *owner)
{
	uint32_t bits = status->mode & 07777U;
	uint32_t kept = bits & ~(uint32_t)(S_ISUID | S_ISGID);

	/* chown(2) clears both on what can be executed, and neither on a directory. */
	if (!S_ISLNK(status->mode) && kept != bits) {
		const char *failed = tree_set_mode(descriptor, kept);

		if (failed != NULL)
			return failed;
	}
	return fchownat(descriptor, "", owner->uid, owner->gid, AT_EMPTY_PATH) == 0 ? NULL : "fchownat";
}
