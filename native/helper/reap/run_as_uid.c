/*
 * Between setresuid(2) and its end the child is itself a process of the UID, which others of that UID may kill or stop:
 * hence a bounded wait for it, and callers that try again.
 */
#include "run_as_uid.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "descriptor.h"
#include "role.h"

/* A child needs some microseconds; on an overloaded machine some milliseconds. */
#define CHILD_WAIT_MS 500

/* A process without any UID but the given one; securebits(7) could have kept the capabilities over the change. */
static bool become(uid_t uid)
{
	uid_t real = 0, effective = 0, saved = 0;

	return setresuid(uid, uid, uid) == 0 && role_take(ROLE_BARE) && getresuid(&real, &effective, &saved) == 0 &&
	       real == uid && effective == uid && saved == uid;
}

static _Noreturn void run_child(uid_t uid, void (*act)(const void *data), const void *data)
{
	if (!become(uid))
		_exit(1);
	act(data);
	_exit(0);
}

bool run_as_uid(uid_t uid, void (*act)(const void *data), const void *data)
{
	pid_t child = fork();
	int status = 0;

	if (child < 0)
		return false;
	if (child == 0)
		run_child(uid, act, data);
	struct pollfd ended = { .fd = (int)syscall(SYS_pidfd_open, child, 0), .events = POLLIN };

	if (ended.fd < 0 || poll(&ended, 1, CHILD_WAIT_MS) != 1)
		/* Stopped by a process of the UID. The number is the child's until we have waited for it. */
		(void)kill(child, SIGKILL);
	close_quietly(ended.fd);
	pid_t waited;

	do
		waited = waitpid(child, &status, 0);
	while (waited < 0 && errno == EINTR);
	return waited == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

struct signals {
	const int *numbers;
	size_t count;
};

static void signal_all(const void *data)
{
	const struct signals *signals = data;

	/* ESRCH: there is none. */
	for (size_t i = 0; i < signals->count; i++)
		(void)kill(-1, signals->numbers[i]);
}

bool signal_as_uid(uid_t uid, const int *signals, size_t count)
{
	const struct signals all = { signals, count };

	return run_as_uid(uid, signal_all, &all);
}
