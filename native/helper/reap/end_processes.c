/*
 * Two ways of signalling, neither of which can reach a stranger. A child that runs as the UID (run_as_uid.h) reaches at once, and ahead
 * of every fork, all that have the UID as their own. What it may not signal has the UID as effective or file-system UID alone, or in a
 * single thread: its pidfd is signalled, after its credentials were read while the pidfd was open. So is, by SIGKILL, every other, in
 * case no process can be forked or processes of the UID end the child.
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
#include "run_as_uid.h"

/* Pauses between two searches: the first is for processes that have just to be scheduled, the others double. */
#define PAUSE_FIRST_MS 1
#define PAUSE_LAST_MS 32

struct orders {
	uid_t uid;
	int signal;
};

/* Of one thread at a time, while no other walk is under way. */
static struct credentials credentials;

/*
 * Reads what a thread's status says while the pidfd of its process is open; by its path below the process, since a number alone
 * could be that of another process's thread by now.
 */
static bool still_has_uid(const struct found_thread *found, uid_t uid)
{
	return credentials_read(found->directory, found->thread, &credentials) == 0 &&
	       credentials_hold(&credentials, uid) == HOLDS_AS_USER;
}

/* The kernel's own rule for kill(2), by which that child reaches a process: its real or saved UID. */
static bool is_reached_by_user(const struct found_thread *found, uid_t uid)
{
	return credentials_read(found->proc, found->process, &credentials) == 0 &&
	       (credentials.uids[0] == uid || credentials.uids[2] == uid);
}

/*
 * A process whose number was given to another after pidfd_open(2) has been waited for, and pidfd_send_signal(2) says ESRCH:
 * so what was read between the two was read of the process that is signalled.
 */
static enum visited signal_found(void *data, const struct found_thread *found, struct answer *answer)
{
	const struct orders *orders = data;
	int descriptor = found->holds == HOLDS_AS_USER ? (int)syscall(SYS_pidfd_open, found->process, 0) : -1;

	(void)answer;
	if (descriptor < 0)
		return VISITED;
	/* A second SIGTERM means "now" to some programs: who got one from the child gets no second one. */
	if (still_has_uid(found, orders->uid) && (orders->signal == SIGKILL || !is_reached_by_user(found, orders->uid)))
		(void)syscall(SYS_pidfd_send_signal, descriptor, orders->signal, NULL, 0);
	close(descriptor);
	return VISITED;
}

/* Returns whether all that have the UID as their own were reached at once; the next search tells what came of it. */
static bool signal_processes(uid_t uid, const int *signals, size_t count)
{
	/* Without what is kept: a thread's path below its process is needed, and known ones are read without it. */
	struct known_threads none = { .before = NULL };
	struct answer unused = { .length = 0 };
	bool reached = signal_as_uid(uid, signals, count);

	for (size_t i = 0; i < count; i++) {
		struct orders orders = { uid, signals[i] };

		(void)walk_processes(uid, &none, signal_found, &orders, &unused);
	}
	return reached;
}

/* What a search for processes of the UID has found; the answer names it, or is an error. */
enum left {
	LEFT_NOTHING,
	LEFT_OTHERS, /* they have the number as a group alone: they belong to another user, and keep it */
	LEFT_OURS,   /* or it is not known */
};

struct search {
	bool with_exited;
	bool has_ours, has_others;
	struct answer others;
};

/* Whether a process has an exited last thread: its pidfd is readable then. */
static bool has_exited(pid_t process)
{
	struct pollfd exited = { .fd = (int)syscall(SYS_pidfd_open, process, 0), .events = POLLIN };

	if (exited.fd < 0)
		return errno == ESRCH;
	bool readable = poll(&exited, 1, 0) == 1;

	close(exited.fd);
	return readable;
}

/* Those of the UID come first: what others have is told only if there is none. */
static enum visited note_left(void *data, const struct found_thread *found, struct answer *answer)
{
	struct search *search = data;

	if (found->holds != HOLDS_AS_USER && search->has_others)
		return VISITED;
	if (!search->with_exited && has_exited(found->process))
		return VISITED_EXITED;
	search->has_ours = found->holds == HOLDS_AS_USER;
	search->has_others = !search->has_ours;
	enum visited visited = answer_found(NULL, found, search->has_ours ? answer : &search->others);

	return search->has_ours ? visited : VISITED;
}

static enum left search_for(uid_t uid, bool with_exited, struct known_threads *known, struct answer *answer)
{
	struct search search = { .with_exited = with_exited };

	if (walk_processes(uid, known, note_left, &search, answer))
		return LEFT_OURS;
	if (!search.has_others)
		return LEFT_NOTHING;
	answer_copy(answer, &search.others);
	return LEFT_OTHERS;
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
	return search_for(uid, false, known, answer) != LEFT_NOTHING;
}

bool terminate_processes(uid_t uid, struct known_threads *known, struct answer *answer)
{
	static const int signals[] = { SIGTERM, SIGCONT };
	struct deadline deadline = deadline_after(TERMINATE_WAIT_MS);
	int pause = PAUSE_FIRST_MS;
	enum left left = search_for(uid, true, known, answer);

	if (left == LEFT_OURS) {
		(void)signal_processes(uid, signals, 2);
		do {
			pause_before(&deadline, &pause);
			left = search_for(uid, true, known, answer);
		} while (left == LEFT_OURS && deadline_left(&deadline) > 0);
	}
	return left != LEFT_NOTHING;
}

bool kill_processes(uid_t uid, struct known_threads *known, struct answer *answer)
{
	static const int signals[] = { SIGKILL };
	struct deadline deadline = deadline_after(KILL_WAIT_MS);
	int pause = PAUSE_FIRST_MS;
	bool reached = false;
	enum left left;

	/* Once all were given SIGKILL at one moment, the dead that nobody has waited for count no more. */
	while ((left = search_for(uid, !reached, known, answer)) == LEFT_OURS) {
		if (deadline_left(&deadline) == 0)
			return true;
		reached = signal_processes(uid, signals, 1);
		pause_before(&deadline, &pause);
	}
	return left != LEFT_NOTHING;
}
