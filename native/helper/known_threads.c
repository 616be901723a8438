/*
 * Two lists in the order in which /proc is read, by rising PID: what the walk meets again goes from the one to the other,
 * and what it passes over has ended. In another order less would be known, but nothing would be wrong.
 */
#include "known_threads.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "descriptor.h"

/* FD_SETSIZE: the numbers below it are left to NSS modules, of which some still use select(2). */
#define DESCRIPTOR_MIN 1024

void known_prepare(struct known_threads *known, struct known_list lists[2])
{
	const rlim_t wanted = DESCRIPTOR_MIN + KNOWN_MAX;
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
	close_quietly(*descriptor);
	*descriptor = -1;
}

static void move(struct known_threads *known, struct known_thread *thread)
{
	struct known_list *now = known->now;

	if (thread->descriptor >= 0 && now->count < KNOWN_MAX) {
		now->threads[now->count++] = *thread;
		thread->descriptor = -1;
	}
	drop_descriptor(&thread->descriptor);
}

/* Moves a descriptor to where it may stay. Returns -1 if there is no place. */
static int move_up(int descriptor)
{
	int moved = descriptor < 0 ? -1 : fcntl(descriptor, F_DUPFD_CLOEXEC, DESCRIPTOR_MIN);

	drop_descriptor(&descriptor);
	return moved;
}

/* pidfd_open(2): readable once the thread has exited, so that until then its number is nobody else's. */
static bool is_running(int pidfd)
{
	struct pollfd exited = { .fd = pidfd, .events = POLLIN };

	return poll(&exited, 1, 0) == 0;
}

/* Whether a thread has what threads of the kernel have. One that has anything else is read each time. */
static bool is_roots_alone(const struct credentials *credentials)
{
	uint32_t any = 0;

	for (int i = 0; i < 4; i++)
		any |= credentials->uids[i] | credentials->gids[i];
	return any == 0 && credentials->group_count == 0;
}

/*
 * The kernel executes no program in such a thread (kernel_execve() refuses since Linux 5.19, and the line in its status that
 * says what it is came later), and never changes its credentials: what has been read of it holds for as long as it runs.
 * Returns the pidfd to keep in place of the descriptor, or -1.
 */
static int pin_kernel_thread(int directory, pid_t process, pid_t thread, struct credentials *credentials)
{
	if (!credentials->is_kernel || thread != process || !is_roots_alone(credentials))
		return -1;
	int pidfd = (int)syscall(SYS_pidfd_open, process, 0);

	/* Read again while it is pinned, so that it is this thread's. */
	if (pidfd >= 0 && (credentials_read(directory, thread, credentials) != 0 || !credentials->is_kernel ||
			   !is_roots_alone(credentials) || !is_running(pidfd)))
		drop_descriptor(&pidfd);
	return pidfd;
}

/* The first thread of a process is read again whenever its threads are listed. */
static bool is_added(const struct known_list *now, pid_t process)
{
	for (size_t i = now->count; i > 0 && now->threads[i - 1].process == process; i--) {
		if (now->threads[i - 1].thread == process)
			return true;
	}
	return false;
}

/* The descriptor is the list's from now on, or is closed. */
static void add(struct known_threads *known, int directory, pid_t process, pid_t thread, int descriptor,
		struct credentials *credentials)
{
	struct known_list *now = known->now;
	struct known_thread one = { process, thread, -1, false };

	if (now == NULL || now->count == KNOWN_MAX || (thread == process && is_added(now, process))) {
		close(descriptor);
		return;
	}
	int pidfd = pin_kernel_thread(directory, process, thread, credentials);

	one.is_kernel = pidfd >= 0;
	if (one.is_kernel)
		drop_descriptor(&descriptor);
	one.descriptor = move_up(one.is_kernel ? pidfd : descriptor);
	if (one.descriptor < 0)
		return;
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
		drop_descriptor(&before->threads[known->first++].descriptor);
	known->end = known->next = known->first;
	while (known->end < before->count && before->threads[known->end].process == process)
		known->end++;
	return known->end - known->first;
}

bool known_is_kernel(struct known_threads *known)
{
	const struct known_thread *one = known->before == NULL ? NULL : &known->before->threads[known->first];

	if (known->first == known->end || one == NULL || !one->is_kernel || one->descriptor < 0 ||
	    !is_running(one->descriptor))
		return false;
	known_keep(known);
	return true;
}

bool known_again(struct known_threads *known, size_t index, pid_t *thread, struct credentials *credentials)
{
	struct known_thread *one = &known->before->threads[known->first + index];

	*thread = one->thread;
	return one->descriptor >= 0 && !one->is_kernel && credentials_of(one->descriptor, credentials) == 0;
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

	if (one != NULL && !one->is_kernel && credentials_of(one->descriptor, credentials) == 0) {
		move(known, one);
		return 0;
	}
	int descriptor = credentials_open(directory, thread);

	if (descriptor < 0)
		return errno;
	int error = credentials_of(descriptor, credentials);

	if (error == 0)
		add(known, directory, process, thread, descriptor, credentials);
	else
		close(descriptor);
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
			drop_descriptor(&before->threads[index].descriptor);
		else
			move(known, &before->threads[index]);
	}
	before->count = 0;
	known->before = known->now;
	known->now = before;
}
