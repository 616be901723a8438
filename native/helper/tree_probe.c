/*
 * Whether the file system of a tree can show it under other owners: makes an id-mapped mount that is attached nowhere,
 * the way of mount_setattr(2), and lets it go.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tree_verbs.h"

/* The owner on disk of a mapped tree, which systemd uses too, mapped to itself: any mapping tells. */
#define MAPPING "65534 65534 1"

/* The child is needed for less than a millisecond; where this process is killed meanwhile, nobody else ends it. */
#define CHILD_SECONDS 5U

struct refusal {
	const char *call;
	int error;
};

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
 * A child in a user namespace of its own, which waits to be killed. clone3(2) would do in one call, but cannot be had below
 * a filter like that of systemd's RestrictNamespaces=, which has no way to look at its arguments. -1 with errno.
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

static bool write_mapping(pid_t child, const char *file)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", child, file);
	int opened = open(path, O_WRONLY | O_CLOEXEC);
	bool good = opened >= 0 && write(opened, MAPPING, strlen(MAPPING)) == (ssize_t)strlen(MAPPING);
	int error = errno;

	if (opened >= 0)
		(void)close(opened);
	errno = error;
	return good;
}

static int open_namespace(pid_t child)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%d/ns/user", child);
	return open(path, O_RDONLY | O_CLOEXEC);
}

/* The user namespace outlives the child by the descriptor. */
static struct refusal make_namespace(int *opened)
{
	pid_t child = start_namespace();

	if (child < 0)
		return (struct refusal){ "unshare", errno };
	struct refusal refusal = { NULL, 0 };

	if (!write_mapping(child, "uid_map") || !write_mapping(child, "gid_map"))
		refusal = (struct refusal){ "write", errno };
	else if ((*opened = open_namespace(child)) < 0)
		refusal = (struct refusal){ "open", errno };
	(void)kill(child, SIGKILL);
	(void)waitpid(child, NULL, 0);
	return refusal;
}

static struct refusal map(int top, int namespace)
{
	struct mount_attr attributes = {
		.attr_set = MOUNT_ATTR_IDMAP | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV,
		.userns_fd = (__u64)namespace,
	};
	int mount = open_tree(top, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	if (mount < 0)
		return (struct refusal){ "open_tree", errno };
	struct refusal refusal = { NULL, 0 };

	if (mount_setattr(mount, "", AT_EMPTY_PATH, &attributes, sizeof(attributes)) != 0)
		refusal = (struct refusal){ "mount_setattr", errno };
	(void)close(mount);
	return refusal;
}

bool tree_probe(int top, struct tree_report *report)
{
	struct answer line;
	int namespace = -1;
	struct refusal refusal = make_namespace(&namespace);

	if (refusal.call == NULL)
		refusal = map(top, namespace);
	if (namespace >= 0)
		(void)close(namespace);
	if (refusal.call == NULL) {
		answer_begin(&line, "yes");
	} else {
		answer_begin(&line, "no");
		answer_word(&line, refusal.call);
		answer_number(&line, (uint64_t)refusal.error);
	}
	return answer_write(report->output, &line);
}
