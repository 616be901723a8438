/*
 * The kernel lists threads in the order in which they were started, and stops early at one that ends while it is listed. So a
 * list is whole if it was read at once and its last thread lives after that; and a thread that starts the next and ends is
 * followed in passes, as processes are.
 */
#include "task_walk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "listing.h"

/* proc(5): /proc/<pid>/task has two links of its own, and one for each thread. */
#define LINKS_OF_NO_THREAD 2

/* Kept from walk to walk; one is under way at a time. */
static struct listing listing;
static struct pid_set seen_threads;

static enum walked fail(const struct walk *walk, const char *call, int error)
{
	answer_error(walk->answer, call, error);
	return WALKED_ANSWERED;
}

/* One pass; WALKED_GONE if another is to be made. */
static enum walked pass(const struct walk *walk, int task, pid_t process, visit_task *visit)
{
	enum walked outcome = WALKED_SEEN;
	struct listing_step step = { 0 };
	struct listed listed = { 0 };
	struct stat status;
	char name[32];

	if (!list_at_once(&listing, task, 0))
		return errno == ENOENT || errno == ESRCH ? WALKED_GONE : fail(walk, "getdents64", errno);
	while (list_next(&listing, &step, &listed)) {
		pid_t thread = listed.pid;

		if (pid_set_has(&seen_threads, thread))
			continue;
		/* The first one by its name in /proc, as any process without other threads. */
		enum walked walked = visit(walk, thread == process ? walk->proc : task, thread, process);

		if (walked == WALKED_ANSWERED)
			return walked;
		if (walked == WALKED_GONE)
			outcome = WALKED_GONE;
		/* A thread that executes a program takes the number of the first one, which is read each time. */
		else if (thread != process && !pid_set_add(&seen_threads, thread))
			return fail(walk, "realloc", errno);
	}
	(void)snprintf(name, sizeof(name), "%d", listed.pid);
	return fstatat(task, name, &status, 0) == 0 ? outcome : WALKED_GONE;
}

enum walked walk_tasks(const struct walk *walk, pid_t process, visit_task *visit)
{
	enum walked outcome = WALKED_GONE;
	struct stat status;
	char name[32];

	(void)snprintf(name, sizeof(name), "%d/task", process);
	int task = openat(walk->proc, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (task < 0)
		return errno == ENOENT || errno == ESRCH ? WALKED_GONE : fail(walk, "opendir", errno);
	seen_threads.count = 0;
	for (int passes = 0; outcome == WALKED_GONE && fstat(task, &status) == 0 && status.st_nlink > LINKS_OF_NO_THREAD; passes++) {
		outcome = pass(walk, task, process, visit);
		if (outcome == WALKED_GONE && passes == SWEEPS_MAX)
			outcome = WALKED_SEEN;
		if (outcome == WALKED_GONE && deadline_is_past(&walk->deadline))
			outcome = fail(walk, WALK_CALL, EAGAIN);
	}
	close(task);
	return outcome;
}
