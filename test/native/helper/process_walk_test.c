/*
 * Nothing escapes a walk over all processes by forking and ending, or by starting threads that start threads: in a PID namespace
 * of the test's own, with enough idle processes that one is listed long before it is read. Needs root.
 */
#include "process_walk.h"

#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "pid_namespace.h"
#include "processes.h"
#include "processes_to_end.h"

#define IDLE 150
#define WALKS 40
#define WRAPS 40
#define BOMBS 6
#define BURNERS 3
#define OURS_THREADS 2
#define ATTEMPTS 500
/* How long what this test starts lives at most, should nobody end it. */
#define LIFE_SECONDS 120

static struct known_list lists[2];
static struct known_threads threads;
static pid_t started[IDLE + BOMBS + BURNERS];
static size_t started_count;

static void start_one(void (*run)(void))
{
	pid_t process = fork();

	CHECK(process >= 0, "fork");
	if (process == 0) {
		(void)alarm(LIFE_SECONDS);
		run();
	}
	started[started_count++] = process;
}

static void end_all(void)
{
	while (started_count > 0) {
		pid_t process = started[--started_count];

		CHECK(kill(process, SIGKILL) == 0 && waitpid(process, NULL, 0) == process, "kill");
	}
}

static void idle(void)
{
	for (;;)
		pause();
}

static void burn(void)
{
	for (volatile unsigned int count = 0;; count++)
		;
}

/* The chain ends with the process that has started it: its pipe breaks. */
static void fork_for_ever(int alive)
{
	char byte;

	(void)signal(SIGCHLD, SIG_IGN);
	for (;;) {
		if (fork() > 0)
			_exit(0);
		if (read(alive, &byte, 1) == 0)
			_exit(0);
	}
}

static int start_chain(void (*take_number)(void))
{
	int ends[2];

	CHECK(pipe2(ends, O_CLOEXEC) == 0 && fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0, "pipe2");
	pid_t process = fork();

	CHECK(process >= 0, "fork");
	if (process == 0) {
		close(ends[1]);
		take_number();
		fork_for_ever(ends[0]);
	}
	close(ends[0]);
	(void)waitpid(process, NULL, 0);
	return ends[1];
}

static void in_effective(void)
{
	CHECK(setresuid(OTHERS, OURS, OTHERS) == 0, "setresuid");
}

static void in_filesystem(void)
{
	CHECK(setresuid(OTHERS, 0, OTHERS) == 0, "setresuid");
	(void)setfsuid(OURS);
}

static void in_supplementary(void)
{
	const gid_t group = OURS;

	CHECK(setgroups(1, &group) == 0 && setresuid(OTHERS, OTHERS, OTHERS) == 0, "credentials");
}

static void innocent(void)
{
	CHECK(setresuid(OTHERS, OTHERS, OTHERS) == 0, "setresuid");
}

/* A thread that starts the next and ends, for ever: its first one has the number, and so all that come from it. */
static void *thread_for_ever(void *number)
{
	pthread_attr_t attributes;
	pthread_t next;

	if (number != NULL)
		CHECK(syscall(SYS_setresuid, -1L, (long)OURS, -1L) == 0, "setresuid");
	CHECK(pthread_attr_init(&attributes) == 0 &&
		      pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED) == 0,
	      "pthread_attr");
	while (pthread_create(&next, &attributes, thread_for_ever, NULL) != 0)
		(void)sched_yield();
	return NULL;
}

static void thread_bomb(void)
{
	pthread_t first;

	CHECK(pthread_create(&first, NULL, thread_for_ever, NULL) == 0, "pthread_create");
	idle();
}

static void thread_bomb_of_ours(void)
{
	static int number;
	pthread_t first;

	for (int i = 0; i < OURS_THREADS; i++)
		CHECK(pthread_create(&first, NULL, thread_for_ever, &number) == 0, "pthread_create");
	idle();
}

static void expect_found(int line, const char *as, int walks)
{
	for (int i = 0; i < walks; i++) {
		struct answer answer = { .length = 0 };

		CHECK(find_process(OURS, &threads, &answer), "line %d: walk %d found nothing", line, i);
		answer.line[answer.length] = '\0';
		CHECK(strncmp(answer.line, "process ", 8) == 0 && strcmp(strrchr(answer.line, ' ') + 1, as) == 0,
		      "line %d: %s", line, answer.line);
	}
}

static void expect_nothing(int line, int walks)
{
	for (int i = 0; i < walks; i++) {
		struct answer answer = { .length = 0 };

		CHECK(!find_process(OURS, &threads, &answer), "line %d: %.*s", line, (int)answer.length, answer.line);
	}
}

/* Until what was started has the number. */
static void until_something(void)
{
	struct answer answer = { .length = 0 };

	for (int i = 0; i < ATTEMPTS && !find_process(OURS, &threads, &answer); i++)
		milliseconds(10);
}

/* Until what was told to end has done so. */
static void until_nothing(int line)
{
	struct answer answer = { .length = 0 };

	for (int i = 0; i < ATTEMPTS && find_process(OURS, &threads, &answer); i++)
		milliseconds(10);
	expect_nothing(line, 1);
}

static void last_pid(int pid)
{
	FILE *last = fopen("/proc/sys/kernel/ns_last_pid", "we");

	CHECK(last != NULL && fprintf(last, "%d", pid) > 0 && fclose(last) == 0, "ns_last_pid");
}

static int largest_pid(void)
{
	FILE *file = fopen("/proc/sys/kernel/pid_max", "re");
	int largest = 0;

	CHECK(file != NULL && fscanf(file, "%d", &largest) == 1 && fclose(file) == 0, "pid_max");
	return largest - 1;
}

static void test_chains(void)
{
	static void (*const chains[])(void) = { in_effective, in_filesystem, in_supplementary };
	static const char *const as[] = { "user", "user", "supplementary" };

	for (size_t i = 0; i < sizeof(chains) / sizeof(chains[0]); i++) {
		int chain = start_chain(chains[i]);

		expect_found(__LINE__, as[i], WALKS);
		/* Where PIDs begin anew, or have just done so, a child has a lower one than its parent. */
		for (int wrap = 0; wrap < WRAPS; wrap++) {
			last_pid(largest_pid() - 1 - wrap % 5);
			expect_found(__LINE__, as[i], 1);
		}
		close(chain);
		until_nothing(__LINE__);
	}
}

static void test_threads(void)
{
	start_one(thread_bomb_of_ours);
	until_something();
	expect_found(__LINE__, "user", WALKS);
	end_all();
	until_nothing(__LINE__);
}

/* Whatever others start and end, the walk comes to its end, and finds none of them. */
static void test_innocents(void)
{
	int chains[BOMBS];

	for (int i = 0; i < BOMBS; i++)
		chains[i] = start_chain(innocent);
	for (int i = 0; i < BOMBS; i++)
		start_one(thread_bomb);
	expect_nothing(__LINE__, WALKS);
	end_all();
	for (int i = 0; i < BOMBS; i++)
		close(chains[i]);
}

static int run_tests(void)
{
	known_prepare(&threads, lists);
	for (int i = 0; i < IDLE; i++)
		start_one(idle);
	test_chains();
	for (int i = 0; i < BURNERS; i++)
		start_one(burn);
	test_chains();
	end_all();
	test_threads();
	test_innocents();
	return 0;
}

int main(void)
{
	return in_pid_namespace(run_tests);
}
