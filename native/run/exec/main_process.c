/* See main_process.h. */
#include "main_process.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cli/fail.h"
#include "deadline.h"

#define MS_PER_S 1000U

int main_process_open(const struct main_process *main)
{
	struct stat status;
	int process = (int)syscall(SYS_pidfd_open, main->pid, 0);

	if (process < 0 && errno == ESRCH)
		return -1;
	if (process < 0 || fstat(process, &status) != 0)
		fail_errno(errno, "cannot open process %u", main->pid);
	/* Another process may have got the number. */
	if (main->has_inode && status.st_ino != main->inode) {
		(void)close(process);
		return -1;
	}
	return process;
}

bool main_process_has_ended(int process)
{
	struct pollfd end = { .fd = process, .events = POLLIN };

	return poll(&end, 1, 0) != 0;
}

void main_process_signal(int process, uint32_t number)
{
	if (syscall(SYS_pidfd_send_signal, process, (int)number, NULL, 0) != 0 && errno != ESRCH)
		fail_errno(errno, "cannot send signal %u to the service", number);
}

/* Whether it ends within its time. */
static bool ends(const struct main_process *main, int process)
{
	struct pollfd end = { .fd = process, .events = POLLIN };
	struct deadline deadline = deadline_after(main->seconds * MS_PER_S);

	for (;;) {
		int count = poll(&end, 1, main->has_seconds ? deadline_left(&deadline) : -1);

		if (count < 0 && errno != EINTR)
			fail_errno(errno, "cannot wait for the end of the service");
		if (count >= 0)
			return count > 0;
	}
}

void main_process_end(const struct main_process *main, int process)
{
	main_process_signal(process, main->stop_signal);
	/* A process that is stopped would not see it. */
	main_process_signal(process, SIGCONT);
	if (main->hangup)
		main_process_signal(process, SIGHUP);
	if (ends(main, process))
		return;
	if (!main->has_final_signal)
		fail(STATUS_LAUNCHER, "the service still runs %u seconds after signal %u", main->seconds,
		     main->stop_signal);
	say("the service still runs %u seconds after signal %u; it gets signal %u", main->seconds, main->stop_signal,
	    main->final_signal);
	main_process_signal(process, main->final_signal);
	if (!ends(main, process))
		fail(STATUS_LAUNCHER, "the service still runs after signal %u", main->final_signal);
}
