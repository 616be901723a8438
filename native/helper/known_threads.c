/*
 * Two lists in the order in which /proc is read, by rising PID: what the walk meets again goes from the one to the other,
 * and what it passes over has ended. Were the order another, less would be known, and nothing would be wrong.
 */
#include "known_threads.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* FD_SETSIZE: the numbers below it are left to NSS modules, of which some still use select(2). */
#define DESCRIPTOR_MIN 1024
/* proc(5): /proc/<pid>/task has two links of its own, and one for each thread. */
#define LINKS_OF_NO_THREAD 2

void known_prepare(struct known_threads *known, struct known_list lists[2])
{
	/* A thread has one, and a process another. */
	const rlim_t wanted = DESCRIPTOR_MIN + 2 * KNOWN_MAX;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < wanted) {
		limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
	known->before = &lists[0];
	known->now = &lists[1];
}

static void drop_descriptor(int *descriptor)
{
	if (*descriptor >= 0)
		close(*descriptor);
	*descriptor = -1;
}

static void drop(struct known_thread *thread)
{
	drop_descriptor(&thread->descriptor);
	drop_descriptor(&thread->task);
}

static void move(struct known_threads *known, struct known_thread *thread)
{
	struct known_list *now = known->now;

	if (thread->descriptor >= 0 && now->count < KNOWN_MAX) {
		now->threads[now->count++] = *thread;
		thread->descriptor = thread->task = -1;
	}
	drop(thread);
}

/* Moves a descriptor to where it may stay. Returns -1 where there is no place. */
static int settle(int descriptor)
{
	int settled = descriptor < 0 ? -1 : fcntl(descriptor, F_DUPFD_CLOEXEC, DESCRIPTOR_MIN);

	drop_descriptor(&descriptor);
	return settled;
}

/* The descriptor is the list's from now on, or is closed. */
static void add(struct known_threads *known, int directory, pid_t process, pid_t thread, int descriptor)
{
	struct known_list *now = known->now;
	struct known_thread one = { process, thread, -1, -1 };
	char name[32];

	if (now == NULL || now->count == KNOWN_MAX) {
		close(descriptor);
		return;
	}
	one.descriptor = settle(descriptor);
	if (one.descriptor < 0)
		return;
	if (thread == process) {
		(void)snprintf(name, sizeof(name), "%d/task", process);
		one.task = settle(openat(directory, name, O_PATH | O_DIRECTORY | O_CLOEXEC));
	}
	now->threads[now->count++] = one;
}

void known_begin(struct known_threads *known)
{
	known->first = known->end = known->next = 0;
}

size_t known_turn_to(struct known_threads *known, pid_t process)
{
	struct known_list *before = known->before;

	if (before == NULL)
		return 0;
	while (known->first < before->count && before->threads[known->first].process < process)
		drop(&before->threads[known->first++]);
	known->end = known->next = known->first;
	while (known->end < before->count && before->threads[known->end].process == process)
		known->end++;
	return known->end - known->first;
}

int known_count(struct known_threads *known, int proc, pid_t process, size_t *count)
{
	int task = known->first < known->end ? known->before->threads[known->first].task : -1;
	struct stat status;
	char name[32];

	(void)snprintf(name, sizeof(name), "%d/task", process);
	if ((task >= 0 ? fstat(task, &status) : fstatat(proc, name, &status, 0)) < 0)
		return errno;
	*count = status.st_nlink - LINKS_OF_NO_THREAD;
	return 0;
}

bool known_again(struct known_threads *known, size_t index, pid_t *thread, struct credentials *credentials)
{
	struct known_thread *one = &known->before->threads[known->first + index];

	*thread = one->thread;
	return credentials_again(one->descriptor, known->source, credentials) == 0;
}

/* Searches from where the last one was found: the threads of a process are listed in much the same order each time. */
static struct known_thread *find(struct known_threads *known, pid_t thread)
{
	size_t count = known->end - known->first;

	for (size_t i = 0; i < count; i++) {
		size_t index = known->first + (known->next - known->first + i) % count;
		struct known_thread *one = &known->before->threads[index];

		if (one->thread == thread && one->descriptor >= 0) {
			known->next = index;
			return one;
		}
	}
	return NULL;
}

int known_read(struct known_threads *known, int directory, pid_t process, pid_t thread, struct credentials *credentials)
{
	struct known_thread *one = find(known, thread);
	int descriptor;

	if (one != NULL && credentials_again(one->descriptor, known->source, credentials) == 0) {
		move(known, one);
		return 0;
	}
	int error = credentials_take(directory, thread, &known->source, credentials, &descriptor);

	if (descriptor >= 0)
		add(known, directory, process, thread, descriptor);
	return error;
}

void known_keep(struct known_threads *known)
{
	for (size_t index = known->first; index < known->end; index++)
		move(known, &known->before->threads[index]);
}

void known_end(struct known_threads *known, bool whole)
{
	struct known_list *before = known->before;

	if (before == NULL)
		return;
	for (size_t index = known->first; index < before->count; index++) {
		if (whole)
			drop(&before->threads[index]);
		else
			move(known, &before->threads[index]);
	}
	before->count = 0;
	known->before = known->now;
	known->now = before;
}
