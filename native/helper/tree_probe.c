/*
 * Whether the file system of a tree can show it under other owners: makes an id-mapped mount that is attached nowhere,
 * the way of mount_setattr(2), and lets it go.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
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

/* A child in a user namespace of its own, which waits to be killed. -1 with errno. */
static pid_t start_namespace(void)
{
	/*
	 * clone(2), since a seccomp filter that looks at the namespaces, such as that of RestrictNamespaces=, can only refuse
	 * clone3. As a bare system call, whose first two arguments s390 has the other way round, it is fork(2) with flags.
	 */
	const unsigned long flags = CLONE_NEWUSER | SIGCHLD;
#ifdef __s390x__
	pid_t child = (pid_t)syscall(SYS_clone, 0UL, flags, NULL, NULL, 0UL);
#else
	pid_t child = (pid_t)syscall(SYS_clone, flags, 0UL, NULL, NULL, 0UL);
#endif

	if (child != 0)
		return child;
	(void)alarm(CHILD_SECONDS);
	for (;;)
		(void)pause();
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
		return (struct refusal){ "clone3", errno };
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
