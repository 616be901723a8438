/* Processes of every kind that a test of ending them needs; see the header. */
#include "processes_to_end.h"

#include <grp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

#define SAME ((uid_t)-1)

void milliseconds(long count)
{
	struct timespec time = { .tv_sec = count / 1000, .tv_nsec = count % 1000 * 1000000L };

	(void)nanosleep(&time, NULL);
}
void become(uid_t uid)
{
	CHECK(setresgid(uid, uid, uid) == 0 && setresuid(uid, uid, uid) == 0, "%u", uid);
}

static _Noreturn void wait_for_ever(void)
{
	for (;;)
		pause();
}

void start(void (*run)(int ready))
{
	int ends[2];
	char byte;

	CHECK(pipe(ends) == 0, "pipe");
	pid_t between = fork();

	if (between == 0) {
		if (fork() == 0) {
			close(ends[0]);
			run(ends[1]);
		}
		_exit(0);
	}
	close(ends[1]);
	CHECK(waitpid(between, NULL, 0) == between && read(ends[0], &byte, 1) == 1, "a process that starts");
	close(ends[0]);
}

static void ready(int descriptor)
{
	CHECK(write(descriptor, "r", 1) == 1, "write");
	close(descriptor);
}

void plain(int descriptor)
{
	become(OURS);
	ready(descriptor);
	wait_for_ever();
}

void stubborn(int descriptor)
{
	become(OURS);
	(void)signal(SIGTERM, SIG_IGN);
	ready(descriptor);
	wait_for_ever();
}

void stopped(int descriptor)
{
	become(OURS);
	ready(descriptor);
	for (;;)
		(void)raise(SIGSTOP);
}

static _Noreturn void fork_for_ever(int descriptor)
{
	(void)signal(SIGTERM, SIG_IGN);
	(void)signal(SIGCHLD, SIG_IGN);
	ready(descriptor);
	for (;;) {
		if (fork() > 0)
			_exit(0);
	}
}

void chain(int descriptor)
{
	become(OURS);
	fork_for_ever(descriptor);
}

void rival(int descriptor)
{
	become(OURS);
	(void)signal(SIGTERM, SIG_IGN);
	ready(descriptor);
	for (int i = 0;; i++)
		(void)kill(-1, i % 2 == 0 ? SIGSTOP : SIGKILL);
}

void elsewhere(int descriptor)
{
	CHECK(unshare(CLONE_NEWPID) == 0, "unshare");
	if (fork() == 0) {
		become(OURS);
		if (fork() > 0)
			ready(descriptor);
		wait_for_ever();
	}
	_exit(0);
}

static const char *place;

void processes_use(const char *name)
{
	place = name;
}

static void become_in_part(void)
{
	uid_t real = strcmp(place, "real") == 0 ? OURS : SAME;
	uid_t effective = strcmp(place, "effective") == 0 ? OURS : SAME;
	uid_t saved = strcmp(place, "saved") == 0 ? OURS : SAME;

	/* Not by libc, which changes all threads. */
	if (strcmp(place, "filesystem") == 0)
		(void)syscall(SYS_setfsuid, OURS);
	else
		CHECK(syscall(SYS_setresuid, real, effective, saved) == 0, "%s", place);
	if (effective == OURS)
		(void)syscall(SYS_setfsuid, 0);
}

void in_part(int descriptor)
{
	become_in_part();
	ready(descriptor);
	wait_for_ever();
}

void chain_in_part(int descriptor)
{
	become_in_part();
	fork_for_ever(descriptor);
}

static void *thread(void *descriptor)
{
	become_in_part();
	ready(*(int *)descriptor);
	wait_for_ever();
	return NULL;
}

void in_thread(int descriptor)
{
	pthread_t unused;

	CHECK(pthread_create(&unused, NULL, thread, &descriptor) == 0, "pthread_create");
	wait_for_ever();
}

void by_group(int descriptor)
{
	CHECK(setresgid(OURS, OURS, OURS) == 0 && setresuid(OTHERS, OTHERS, OTHERS) == 0, "credentials");
	ready(descriptor);
	wait_for_ever();
}

void by_supplementary(int descriptor)
{
	const gid_t group = OURS;

	CHECK(setgroups(1, &group) == 0 && setresuid(OTHERS, OTHERS, OTHERS) == 0, "credentials");
	ready(descriptor);
	wait_for_ever();
}

void others(int descriptor)
{
	become(OTHERS);
	ready(descriptor);
	wait_for_ever();
}
