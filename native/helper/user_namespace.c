/* A child makes it, and it lives by whatever has it open or mounted; see user_namespace.h. */
#include "user_namespace.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "descriptor.h"
#include "role.h"

#define FILE_MODE 0600

/* The owner on disk of a mapped tree, which systemd uses too, mapped to itself: any mapping tells. */
#define MAPPING "65534 65534 1"

/* The child is needed for less than a millisecond; if this process is killed meanwhile, nobody else ends it. */
#define CHILD_SECONDS 5U

static void be_namespace(int ready)
{
	const char byte = 0;

	if (unshare(CLONE_NEWUSER) != 0 || write(ready, &byte, sizeof(byte)) != (ssize_t)sizeof(byte))
		_exit(EXIT_FAILURE);
	(void)alarm(CHILD_SECONDS);
	for (;;)
		(void)pause();
}

/*
 * A child in a user namespace of its own, which waits to be killed. One call of clone3(2) would be enough, but
 * filters like that of systemd's RestrictNamespaces= cannot look at its arguments, and refuse it. -1 with errno.
 */
static pid_t start_namespace(void)
{
	int ends[2];
	char byte;

	if (pipe2(ends, O_CLOEXEC) != 0)
		return -1;
	pid_t child = fork();

	if (child == 0)
		be_namespace(ends[1]);
	int error = errno;

	(void)close(ends[1]);
	if (child > 0 && read(ends[0], &byte, sizeof(byte)) != (ssize_t)sizeof(byte)) {
		/* It has ended: user namespaces are not there, not allowed, or all used up. */
		(void)waitpid(child, NULL, 0);
		child = -1;
		error = EPERM;
	}
	(void)close(ends[0]);
	errno = error;
	return child;
}

static int open_of(pid_t child, const char *file, int mode)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", child, file);
	return open(path, mode | O_CLOEXEC);
}

static bool write_mapping(pid_t child, const char *file)
{
	int opened = open_of(child, file, O_WRONLY);
	bool good = opened >= 0 && write(opened, MAPPING, strlen(MAPPING)) == (ssize_t)strlen(MAPPING);

	close_quietly(opened);
	return good;
}

/* The user namespace outlives the child by the descriptor. */
static const char *make_namespace(int *opened)
{
	pid_t child = start_namespace();
	const char *refused = NULL;

	*opened = -1;
	if (child < 0)
		return "unshare";
	if (!write_mapping(child, "uid_map") || !write_mapping(child, "gid_map"))
		refused = "write";
	else if ((*opened = open_of(child, "ns/user", O_RDONLY)) < 0)
		refused = "open";
	int error = errno;

	(void)kill(child, SIGKILL);
	(void)waitpid(child, NULL, 0);
	errno = error;
	return refused;
}

/* Only root can write to the directory; still, what is at the path is looked at before it is used. -1 if there is none. */
static int open_kept(void)
{
	int opened = open(NAMESPACE_PATH, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	/* Any other file answers ENOTTY. */
	if (opened < 0 || ioctl(opened, NS_GET_NSTYPE) == CLONE_NEWUSER)
		return opened;
	(void)close(opened);
	return -1;
}

const char *namespace_open(int *opened)
{
	*opened = open_kept();
	return *opened >= 0 ? NULL : make_namespace(opened);
}

static int failed(const char *what)
{
	(void)fprintf(stderr, "dynuser-helper: %s: %s: %s; trees are handed over by a walk instead of a mount\n",
		      NAMESPACE_PATH, what, strerror(errno));
	return EXIT_FAILURE;
}

static int keep(void)
{
	char source[64];
	int namespace = open_kept();

	if (namespace >= 0) {
		(void)close(namespace);
		return EXIT_SUCCESS;
	}
	const char *refused = make_namespace(&namespace);

	if (refused != NULL)
		return failed(refused);
	(void)snprintf(source, sizeof(source), "/proc/self/fd/%d", namespace);
	int file = open(NAMESPACE_PATH, O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, FILE_MODE);
	int status = EXIT_SUCCESS;

	if (file < 0)
		status = failed("open");
	else if (mount(source, NAMESPACE_PATH, NULL, MS_BIND, NULL) != 0)
		status = failed("mount");
	close_quietly(file);
	(void)close(namespace);
	return status;
}

/* Without a mount there may still be the file. */
static int drop(void)
{
	if (umount2(NAMESPACE_PATH, MNT_DETACH | UMOUNT_NOFOLLOW) != 0 && errno != EINVAL && errno != ENOENT)
		return failed("umount2");
	if (unlink(NAMESPACE_PATH) != 0 && errno != ENOENT)
		return failed("unlink");
	return EXIT_SUCCESS;
}

/* A command of a unit has a mount namespace of its own even with "+" (systemd.service(5)); the mount belongs in the host's. */
static bool enter_mounts_of_process_one(void)
{
	int opened = open("/proc/1/ns/mnt", O_RDONLY | O_CLOEXEC);
	bool entered = opened >= 0 && setns(opened, CLONE_NEWNS) == 0;

	close_quietly(opened);
	return entered;
}

int namespace_main(const char *action)
{
	if (!enter_mounts_of_process_one())
		return failed("/proc/1/ns/mnt");
	if (strcmp(action, "keep") == 0)
		return keep();
	if (strcmp(action, "drop") == 0)
		return drop();
	(void)fprintf(stderr, "dynuser-helper: namespace: there are keep and drop\n");
	return EXIT_USAGE;
}
