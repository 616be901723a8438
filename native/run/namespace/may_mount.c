/* See may_mount.h. */
#include "may_mount.h"

#include <errno.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "privileges/capabilities.h"
#include "cli/fail.h"

/* PROC_USER_INIT_INO of the kernel: the number of the first user namespace, which every kernel gives it. */
#define FIRST_USER_NAMESPACE 0xEFFFFFFDU

/* Without /proc the host's own is assumed, and the first mount that fails says why. */
static bool is_in_first_user_namespace(void)
{
	struct stat status;

	return stat("/proc/self/ns/user", &status) != 0 || status.st_ino == FIRST_USER_NAMESPACE;
}

/*
 * Mounts that came from a namespace with more rights cannot be detached (mount_namespaces(7)), as for a process that has only a
 * user namespace of its own.
 */
static int attempt(void)
{
	bool first = is_in_first_user_namespace();

	if (unshare(CLONE_NEWNS) != 0 || mount("", "/", NULL, MS_REC | MS_SLAVE, NULL) != 0)
		return 1;
	return first || umount2("/proc", MNT_DETACH | UMOUNT_NOFOLLOW) == 0 ? 0 : 1;
}

/* In a child, since a mount namespace cannot be left without traces. */
static bool mounts_work(void)
{
	pid_t child = fork();
	int status = -1;

	if (child < 0)
		fail_errno(errno, "cannot fork");
	if (child == 0)
		_exit(attempt());
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		continue;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool may_mount(bool can_do_without)
{
	bool first = is_in_first_user_namespace();

	if (!capability_is_effective(CAP_SYS_ADMIN))
		return false;
	/* The owners of the host's files cannot be mapped from there, so a service with directories would not start. */
	if (!first && can_do_without)
		return false;
	/* If the launch cannot do without mounts, the first mount that fails says why. */
	return (first && !can_do_without) || mounts_work();
}
