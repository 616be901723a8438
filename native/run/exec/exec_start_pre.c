/* See exec_start_pre.h. */
#include "exec_start_pre.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/fail.h"

/* The launcher's PID, by which the child sees whether it has ended. */
static pid_t launcher;

static sigset_t awaited(void)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGCHLD);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGHUP);
	(void)sigaddset(&set, SIGQUIT);
	return set;
}

static void change_mask(int how, const sigset_t *set)
{
	if (sigprocmask(how, set, NULL) != 0)
		fail_errno(errno, "cannot change the signal mask");
}

void exec_start_pre_bind(void)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
		fail_errno(errno, "cannot tie this process to the launcher");
	if (getppid() != launcher)
		_exit(STATUS_LAUNCHER);
}

/* Waits for the child, and passes signals on that ask us to end; *asked becomes the last of them. */
static int wait_for(pid_t child, const sigset_t *signals, int *asked)
{
	for (;;) {
		int status, number;
		pid_t ended = waitpid(child, &status, WNOHANG);

		if (ended == child)
			return status;
		if (ended < 0 && errno != EINTR)
			fail_errno(errno, "cannot wait for a command that runs before the service");
		number = sigwaitinfo(signals, NULL);
		if (number <= 0 || number == SIGCHLD)
			continue;
		*asked = number;
		(void)kill(child, number);
	}
}

/* Ends this process by a signal, as whoever sent it expects. */
static _Noreturn void end_by(int number, const sigset_t *blocked)
{
	(void)kill(getpid(), number);
	(void)sigprocmask(SIG_UNBLOCK, blocked, NULL);
	/* Process 1 of a PID namespace has no default actions. */
	_exit(STATUS_SIGNAL + number);
}

static void judge(const struct command *command, int status)
{
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return;
	if (WIFSIGNALED(status)) {
		say("%s, which runs before the service, was ended by signal %d (%s)%s", command->path, WTERMSIG(status),
		    strsignal(WTERMSIG(status)), command->ignore_failure ? "; ignored" : "");
		if (!command->ignore_failure)
			_exit(STATUS_SIGNAL + WTERMSIG(status));
		return;
	}
	/* An ignored failure is not reported. */
	if (command->ignore_failure)
		return;
	fail(WEXITSTATUS(status), "%s, which runs before the service, failed with exit status %d", command->path,
	     WEXITSTATUS(status));
}

void exec_start_pre_run(const struct command *command, exec_start_pre_child *run, const void *context)
{
	const sigset_t signals = awaited();
	int asked = 0, status;
	pid_t child;

	launcher = getpid();
	change_mask(SIG_BLOCK, &signals);
	child = fork();
	if (child < 0)
		fail_errno(errno, "cannot fork for %s", command->path);
	if (child == 0) {
		change_mask(SIG_UNBLOCK, &signals);
		run(command, context);
		_exit(STATUS_LAUNCHER);
	}
	status = wait_for(child, &signals, &asked);
	if (asked != 0)
		end_by(asked, &signals);
	change_mask(SIG_UNBLOCK, &signals);
	judge(command, status);
}
