/* A child that stays outside writes the mappings, for which it takes privileges there (user_namespaces(7)). */
#include "private_users.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/fail.h"
#include "idmap.h"

static _Noreturn void write_maps(int proc, int ready, pid_t parent, uid_t uid, gid_t gid)
{
	char byte;

	/* The end of the pipe tells that the parent has ended. */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (read(ready, &byte, sizeof(byte)) != (ssize_t)sizeof(byte))
		_exit(STATUS_LAUNCHER);
	if (idmap_write(proc, parent, "uid_map", uid, uid) != 0 || idmap_write(proc, parent, "gid_map", gid, gid) != 0)
		fail_errno(errno, "cannot map the users of a private user namespace");
	_exit(0);
}

void private_users_enter(int proc, uid_t uid, gid_t gid)
{
	const char byte = 0;
	pid_t self = getpid(), child;
	int ends[2], status;

	if (pipe2(ends, 0) != 0)
		fail_errno(errno, "cannot create a pipe");
	child = fork();
	if (child < 0)
		fail_errno(errno, "cannot fork a process that maps users");
	if (child == 0) {
		(void)close(ends[1]);
		write_maps(proc, ends[0], self, uid, gid);
	}
	(void)close(ends[0]);
	if (unshare(CLONE_NEWUSER) != 0)
		fail_errno(errno, "cannot create a private user namespace");
	if (write(ends[1], &byte, sizeof(byte)) != (ssize_t)sizeof(byte))
		fail_errno(errno, "cannot map the users of a private user namespace");
	(void)close(ends[1]);
	while (waitpid(child, &status, 0) < 0) {
		if (errno != EINTR)
			fail_errno(errno, "lost the process that maps users");
	}
	/* The child has said why. */
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		_exit(STATUS_LAUNCHER);
}
