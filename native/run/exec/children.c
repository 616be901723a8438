/* See children.h. */
#include "children.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cli/fail.h"
#include "deadline.h"

#define MS_PER_S 1000U
#define NS_PER_MS 1000000L

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

static int await_signal(const sigset_t *signals, const struct deadline *deadline)
{
	int left = deadline == NULL ? 0 : deadline_left(deadline);
	const struct timespec time = { .tv_sec = left / (int)MS_PER_S, .tv_nsec = left % (int)MS_PER_S * NS_PER_MS };

	return deadline == NULL ? sigwaitinfo(signals, NULL) : sigtimedwait(signals, NULL, &time);
}

/* Waits for the child, and passes signals on that ask us to end; *asked becomes the last of them. */
static int wait_for(pid_t child, const sigset_t *signals, struct deadline *deadline, int *asked)
{
	for (;;) {
		int status, number;
		pid_t ended = waitpid(child, &status, WNOHANG);

		if (ended == child)
			return status;
		if (ended < 0 && errno != EINTR)
			fail_errno(errno, "cannot wait for a command of the service");
		if (deadline != NULL && deadline_is_past(deadline)) {
			(void)kill(child, SIGKILL);
			deadline = NULL;
		}
		number = await_signal(signals, deadline);
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

/* Memory that a child shares with the launcher. */
static volatile bool *shared_flag(void)
{
	static volatile bool *flag;

	if (flag == NULL) {
		void *page = mmap(NULL, sizeof(*flag), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

		if (page == MAP_FAILED)
			fail_errno(errno, "cannot share memory with a command");
		flag = page;
	}
	*flag = false;
	return flag;
}

struct child_end child_run(const struct exec_context *context, const struct launch_command *command, uint32_t seconds)
{
	const sigset_t signals = awaited();
	const struct child_origin origin = { .launcher = getpid(), .is_program = shared_flag() };
	struct deadline deadline;
	int asked = 0, status;
	pid_t child;

	change_mask(SIG_BLOCK, &signals);
	child = fork();
	if (child < 0)
		fail_errno(errno, "cannot fork for %s", command->path);
	if (child == 0) {
		change_mask(SIG_UNBLOCK, &signals);
		exec_child(context, command, &origin);
	}
	if (seconds != UINT32_MAX)
		deadline = deadline_after(seconds * MS_PER_S);
	status = wait_for(child, &signals, seconds == UINT32_MAX ? NULL : &deadline, &asked);
	if (asked != 0)
		end_by(asked, &signals);
	change_mask(SIG_UNBLOCK, &signals);
	return (struct child_end){ .status = status, .was_program = *origin.is_program };
}
