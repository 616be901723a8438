/*
 * Ends real processes of every kind in a PID namespace of the test's own: those that ignore, stop, fork without end, hide in
 * another namespace or hold the UID in one of its lesser places; and that no other process is ever signalled. Needs root.
 */
#include "reap/end_processes.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "pid_namespace.h"
#include "processes_to_end.h"
#include "reap/run_as_uid.h"

#define CHAINS 6
#define REUSE_ROUNDS 300
#define SPOTLESS 7

static struct known_list lists[2];
static struct known_threads threads;

typedef bool end(uid_t uid, struct known_threads *known, struct answer *answer);

/* Both look for a bounded time only, which may pass on a busy machine before PID 1 has run: hence some attempts. */
#define ATTEMPTS 500

static void expect_free(int line, end *function)
{
	struct answer answer = { .length = 0 };

	for (int i = 0; i < ATTEMPTS; i++) {
		if (!function(OURS, &threads, &answer))
			return;
	}
	CHECK(false, "line %d: %.*s instead of free", line, (int)answer.length, answer.line);
}

static void expect_process(int line, end *function)
{
	struct answer answer = { .length = 0 };

	CHECK(function(OURS, &threads, &answer), "line %d: nothing", line);
	CHECK(answer.length >= 8 && memcmp(answer.line, "process ", 8) == 0, "line %d: %.*s instead of a process", line,
	      (int)answer.length, answer.line);
}
/* What the kernel says of all that have it as their real UID. */
static bool runs(uid_t uid)
{
	errno = 0;
	return getpriority(PRIO_USER, uid) != -1 || errno != ESRCH;
}

static void test_nothing(void)
{
	expect_free(__LINE__, terminate_processes);
	expect_free(__LINE__, kill_processes);
}

static void test_asked(void)
{
	start(plain);
	start(plain);
	expect_free(__LINE__, terminate_processes);
	start(elsewhere);
	start(stubborn);
	expect_process(__LINE__, terminate_processes);
	expect_free(__LINE__, kill_processes);
}

static void test_hard_to_end(void)
{
	static void (*const kinds[])(int) = { stubborn, stopped, elsewhere, rival };

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		/* In this order: a rival lets nothing of its UID start any more. */
		start(plain);
		start(kinds[i]);
		expect_free(__LINE__, kill_processes);
	}
	start(stopped);
	/* A stopped process is woken to hear SIGTERM. */
	expect_free(__LINE__, terminate_processes);
}

static void test_forks_without_end(void)
{
	for (int i = 0; i < CHAINS; i++)
		start(chain);
	milliseconds(50);
	expect_process(__LINE__, terminate_processes);
	expect_free(__LINE__, kill_processes);
	/* The dead are there until PID 1 has waited for them. */
	for (int i = 0; i < ATTEMPTS && runs(OURS); i++)
		milliseconds(10);
	CHECK(!runs(OURS), "the kernel has none either");
}

static void test_every_place(void)
{
	static const char *const places[] = { "real", "effective", "saved", "filesystem" };

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		processes_use(places[i]);
		start(in_part);
		expect_free(__LINE__, kill_processes);
		start(in_part);
		expect_free(__LINE__, terminate_processes);
		start(in_thread);
		expect_free(__LINE__, kill_processes);
	}
}

/* Of which the stand-in reaches only those with the UID as real or saved one: the others are followed, one by one. */
static void test_forks_in_part(void)
{
	static const char *const places[] = { "real", "effective", "saved", "filesystem" };

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		processes_use(places[i]);
		struct answer answer = { .length = 0 };

		start(chain_in_part);
		start(chain_in_part);
		expect_free(__LINE__, kill_processes);
		milliseconds(10);
		CHECK(!find_running(OURS, &threads, &answer), "%.*s", (int)answer.length, answer.line);
	}
}

/* A process of another user that has the number as a group alone is told of, and neither signalled nor waited for. */
static void test_group_alone(void)
{
	static void (*const kinds[])(int) = { by_group, by_supplementary };
	static const char *const as[] = { "group", "supplementary" };

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		static end *const ends[] = { kill_processes, terminate_processes };

		start(kinds[i]);
		for (size_t j = 0; j < sizeof(ends) / sizeof(ends[0]); j++) {
			struct answer answer = { .length = 0 };

			/* Of both, ours is what is told of and ended first. */
			start(plain);
			while (ends[j](OURS, &threads, &answer) &&
			       memmem(answer.line, answer.length, " user", 5) != NULL)
				milliseconds(10);
			answer.line[answer.length] = '\0';
			CHECK(strcmp(strrchr(answer.line, ' ') + 1, as[i]) == 0, "%s", answer.line);
		}
		/* Ended by who may; the next tests find nothing. */
		CHECK(signal_as_uid(OTHERS, &(int){ SIGKILL }, 1), "signal_as_uid");
		milliseconds(50);
		expect_free(__LINE__, kill_processes);
	}
}

/* One that has exited, and that its parent does not wait for. */
static void test_not_waited_for(void)
{
	pid_t child = fork();
	siginfo_t information;

	if (child == 0) {
		become(OURS);
		_exit(SPOTLESS);
	}
	CHECK(waitid(P_PID, (id_t)child, &information, WEXITED | WNOWAIT) == 0, "waitid");
	expect_process(__LINE__, terminate_processes);
	expect_free(__LINE__, kill_processes);
	CHECK(waitpid(child, NULL, 0) == child, "waitpid");
}

/* While processes of ours come and go, others get their numbers; not one of them is signalled. */
static void test_reused_numbers(void)
{
	FILE *last = fopen("/proc/sys/kernel/ns_last_pid", "we");

	CHECK(last != NULL, "ns_last_pid");
	for (int round = 0; round < REUSE_ROUNDS; round++) {
		int status = 0;

		if (round % 20 == 0) {
			start(chain);
			start(in_thread);
		}
		CHECK(fprintf(last, "100") == 3 && fflush(last) == 0, "ns_last_pid");
		pid_t child = fork();

		if (child == 0) {
			become(OTHERS);
			milliseconds(2);
			_exit(SPOTLESS);
		}
		if (round % 20 > 10) {
			struct answer answer = { .start = 0 };

			(void)kill_processes(OURS, &threads, &answer);
		}
		CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == SPOTLESS,
		      "a process of another UID was signalled");
	}
	(void)fclose(last);
	expect_free(__LINE__, kill_processes);
}

static int run_tests(void)
{
	known_prepare(&threads, lists);
	test_nothing();
	test_asked();
	test_hard_to_end();
	test_forks_without_end();
	test_every_place();
	test_forks_in_part();
	test_group_alone();
	test_not_waited_for();
	test_reused_numbers();
	/* Once more with one of another UID beside it, which has to be there at the end. */
	start(others);
	test_hard_to_end();
	test_every_place();
	CHECK(runs(OTHERS), "processes of others go on");
	CHECK(!runs(OURS), "none of ours is left");
	return 0;
}

int main(void)
{
	return in_pid_namespace(run_tests);
}
