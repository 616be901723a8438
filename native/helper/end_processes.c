/*
 * Two ways of signalling, neither of which can reach a stranger. A stand-in (stand_in.h) reaches at once, and ahead of every
 * fork, all that have the UID as their own. What it may not signal has the UID as effective or file-system UID alone, or in a
 * single thread: it is signalled by its pidfd, after a look at its credentials that was taken while the pidfd was open. So
 * is, by SIGKILL, every other: where no process can be forked, or processes of the UID get the better of the stand-in.
 */
#include "end_processes.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "deadline.h"
#include "processes.h"
#include "stand_in.h"

/* Pauses between two looks: the first is for processes that have just to be scheduled, the others double. */
#define PAUSE_FIRST_MS 1
#define PAUSE_LAST_MS 32

struct orders {
	uid_t uid;
	int signal;
};

static bool has_uid(const struct credentials *credentials, uid_t uid)
{
	for (int i = 0; i < 4; i++) {
		if (credentials->uids[i] == uid)
			return true;
	}
	return false;
}

/* Reads what a thread's status says while the pidfd of its process is open. */
static bool still_has_uid(const struct found_thread *found, uid_t uid)
{
	/* By its path below the process: a number alone could be that of another process's thread by now. */
	enum credentials_source by_path = CREDENTIALS_STATUS;
	struct credentials credentials;

	return credentials_read(found->directory, found->thread, &by_path, &credentials) == 0 &&
	       has_uid(&credentials, uid);
}

/* The kernel's own rule for kill(2), by which the stand-in reaches a process: its real or saved UID. */
static bool is_reached_by_user(const struct found_thread *found, uid_t uid)
{
	enum credentials_source by_path = CREDENTIALS_STATUS;
	struct credentials leader;

	return credentials_read(found->proc, found->process, &by_path, &leader) == 0 &&
	       (leader.uids[0] == uid || leader.uids[2] == uid);
}

/*
 * A process whose number was given to another after pidfd_open(2) has been waited for, and pidfd_send_signal(2) says ESRCH:
 * so what was read between the two was read of the process that is signalled.
 */
static bool signal_found(void *data, const struct found_thread *found, struct answer *answer)
{
	const struct orders *orders = data;
	int descriptor = (int)syscall(SYS_pidfd_open, found->process, 0);

	(void)answer;
	if (descriptor < 0)
		return false;
	/* A second SIGTERM means "now" to some programs: whom the stand-in asked is not asked again. */
	if (still_has_uid(found, orders->uid) &&
	    (orders->signal == SIGKILL || !is_reached_by_user(found, orders->uid)))
		(void)syscall(SYS_pidfd_send_signal, descriptor, orders->signal, NULL, 0);
	close(descriptor);
	return false;
}

/* Returns whether all that have the UID as their own were reached at once; the next look tells what came of it. */
static bool signal_processes(uid_t uid, const int *signals, size_t count, struct known_threads *known)
{
	/* Without what is kept: a thread's path below its process is needed, and known ones are read without it. */
	struct known_threads none = { .source = known->source };
	struct answer unused;
	bool reached = signal_as_user(uid, signals, count);

	for (size_t i = 0; i < count; i++) {
		struct orders orders = { uid, signals[i] };

		(void)walk_processes(uid, &none, signal_found, &orders, &unused);
	}
	return reached;
}

/* A visitor like answer_found that passes over processes whose threads have all exited: their pidfd is readable. */
static bool answer_running(void *data, const struct found_thread *found, struct answer *answer)
{
	struct pollfd exited = { .fd = (int)syscall(SYS_pidfd_open, found->process, 0), .events = POLLIN };

	if (exited.fd < 0 && errno == ESRCH)
		return false;
	bool running = exited.fd < 0 || poll(&exited, 1, 0) != 1;

	if (exited.fd >= 0)
		close(exited.fd);
	return running && answer_found(data, found, answer);
}

static void pause_before(const struct deadline *deadline, int *milliseconds)
{
	int left = deadline_left(deadline);
	int wait = *milliseconds < left ? *milliseconds : left;
	struct timespec time = { .tv_nsec = wait * 1000000L };

	(void)nanosleep(&time, NULL);
	if (*milliseconds < PAUSE_LAST_MS)
		*milliseconds *= 2;
}

bool find_running(uid_t uid, struct known_threads *known, struct answer *answer)
{
	return walk_processes(uid, known, answer_running, NULL, answer);
}

void terminate_processes(uid_t uid, struct known_threads *known, struct answer *answer)
{
	static const int signals[] = { SIGTERM, SIGCONT };
	struct deadline deadline = deadline_after(TERMINATE_WAIT_MS);
	int pause = PAUSE_FIRST_MS;

	if (find_process(uid, known, answer)) {
		(void)signal_processes(uid, signals, 2, known);
		do {
			pause_before(&deadline, &pause);
		} while (deadline_left(&deadline) > 0 && find_running(uid, known, answer));
		if (find_process(uid, known, answer))
			return;
	}
	answer_begin(answer, "free");
}

void kill_processes(uid_t uid, struct known_threads *known, struct answer *answer)
{
	static const int signals[] = { SIGKILL };
	struct deadline deadline = deadline_after(KILL_WAIT_MS);
	int pause = PAUSE_FIRST_MS;
	bool reached = false;

	/*
	 * Processes that were all given SIGKILL at one moment fork no more: one walk then sees every one of them, and
	 * find_process need not be asked about the dead.
	 */
	while (reached ? find_running(uid, known, answer) : find_process(uid, known, answer)) {
		if (deadline_left(&deadline) == 0)
			return;
		reached = signal_processes(uid, signals, 1, known);
		pause_before(&deadline, &pause);
	}
	answer_begin(answer, "free");
}
