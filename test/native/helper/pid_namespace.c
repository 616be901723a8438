#include "pid_namespace.h"

#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

int in_pid_namespace(int (*run_tests)(void))
{
	int status = 0;

	CHECK(unshare(CLONE_NEWNS | CLONE_NEWPID) == 0, "unshare");
	CHECK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0, "mount");
	pid_t first = fork();

	if (first != 0) {
		CHECK(waitpid(first, &status, 0) == first, "waitpid");
		/* Not exit(3): the search for leaks would need a process of the namespace, which has ended. */
		_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
	}
	CHECK(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && mount("proc", "/proc", "proc", 0, NULL) == 0, "mount");
	pid_t tests = fork();

	if (tests == 0)
		return run_tests();
	/* PID 1 waits for all that lose their parents. */
	for (pid_t ended = 0; ended != tests;)
		ended = waitpid(-1, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
