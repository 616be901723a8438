/*
 * What is kept of threads between two walks hides nothing: a process that starts threads, ends them, and changes their
 * credentials one by one is found as if each walk were the first, and what has ended keeps no descriptor open. Needs root.
 */
#include "known_threads.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "pid_namespace.h"
#include "processes.h"

#define OURS 64000U
#define SAME ((uid_t)-1)
#define THREADS_MAX 8
/* What is kept has numbers from here on (FD_SETSIZE). */
#define KEPT_FROM 1024
#define KEPT_TO (KEPT_FROM + KNOWN_MAX)
/* PID 1, the test, and the puppet's first thread. */
#define THREADS_AT_FIRST 3

/* A process that does as it is told, one letter at a time. */
struct puppet {
	pid_t process;
	int orders, done;
};

/* The same letter at each end of a pipe. */
static char receive(int descriptor)
{
	char letter = 0;

	return read(descriptor, &letter, 1) == 1 ? letter : 0;
}

static void send(int descriptor, char letter)
{
	CHECK(write(descriptor, &letter, 1) == 1, "write");
}

/* Of the calling thread alone: libc's own function would change all of the process. */
static void become(uid_t uid)
{
	CHECK(syscall(SYS_setresuid, SAME, uid, SAME) == 0, "setresuid");
}

struct part {
	int orders[2], done[2];
	pthread_t thread;
};

static void *play(void *argument)
{
	struct part *part = argument;

	send(part->done[1], '+');
	for (;;) {
		char order = receive(part->orders[0]);

		if (order == 'u')
			become(OURS);
		if (order == 'r')
			become(0);
		if (order == '-')
			return NULL;
		send(part->done[1], order);
	}
}

static void obey(char order, struct part *parts, size_t *count)
{
	struct part *last = &parts[*count > 0 ? *count - 1 : 0];

	if (order == '+') {
		last = &parts[(*count)++];
		CHECK(*count <= THREADS_MAX && pipe(last->orders) == 0 && pipe(last->done) == 0, "pipe");
		CHECK(pthread_create(&last->thread, NULL, play, last) == 0, "pthread_create");
		(void)receive(last->done[0]);
	} else if (order == 'U' || order == 'R') {
		become(order == 'U' ? OURS : 0);
	} else {
		send(last->orders[1], order);
		if (order != '-')
			(void)receive(last->done[0]);
		else
			CHECK(pthread_join(last->thread, NULL) == 0 && (*count)-- > 0, "pthread_join");
	}
}

/*
 * + starts a thread, - ends the last one; u and r change what the last one is, to OURS and back to root; U and R the same of
 * the first thread of all.
 */
static struct puppet start_puppet(void)
{
	static struct part parts[THREADS_MAX];
	int orders[2], done[2];
	size_t count = 0;

	CHECK(pipe2(orders, O_CLOEXEC) == 0 && pipe2(done, O_CLOEXEC) == 0, "pipe2");
	pid_t process = fork();

	CHECK(process >= 0, "fork");
	if (process > 0) {
		close(orders[0]);
		close(done[1]);
		return (struct puppet){ process, orders[1], done[0] };
	}
	CHECK(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0, "prctl");
	for (;;) {
		char order = receive(orders[0]);

		obey(order, parts, &count);
		send(done[1], order);
	}
}

static void tell(const struct puppet *puppet, const char *orders)
{
	for (; *orders != '\0'; orders++) {
		send(puppet->orders, *orders);
		CHECK(receive(puppet->done) == *orders, "%c", *orders);
	}
}

static void end_puppet(const struct puppet *puppet)
{
	CHECK(kill(puppet->process, SIGKILL) == 0 && waitpid(puppet->process, NULL, 0) == puppet->process, "kill");
	close(puppet->orders);
	close(puppet->done);
}

static int count_open(int from, int to)
{
	int count = 0;

	for (int descriptor = from; descriptor < to; descriptor++)
		count += fcntl(descriptor, F_GETFD) >= 0;
	return count;
}

static bool note_thread(void *data, const struct found_thread *found, struct answer *answer)
{
	(void)answer;
	*(struct found_thread *)data = *found;
	return true;
}

enum place { NOWHERE, IN_FIRST_THREAD, IN_ANOTHER };

/* Does as told, then walks: who has OURS, and how many descriptors are kept; -1 for any number. */
static void expect(int line, struct known_threads *known, const struct puppet *puppet, const char *orders,
		   enum place place, int kept)
{
	struct found_thread found = { .process = 0 };
	struct answer answer = { .length = 0 };

	tell(puppet, orders);
	bool is_found = walk_processes(OURS, known, note_thread, &found, &answer);

	CHECK(is_found == (place != NOWHERE), "line %d: %.*s", line, (int)answer.length, answer.line);
	if (is_found)
		CHECK(found.process == puppet->process &&
			      (found.thread == puppet->process) == (place == IN_FIRST_THREAD),
		      "line %d: thread %d of process %d, not of %d", line, found.thread, found.process, puppet->process);
	int open = count_open(KEPT_FROM, KEPT_TO);

	CHECK(kept < 0 || open == kept, "line %d: %d descriptors are kept, not %d", line, open, kept);
}
#define EXPECT(...) expect(__LINE__, __VA_ARGS__)

/* With nothing known; what a test before this one has kept is closed. */
static struct known_threads begin(enum credentials_source source)
{
	static struct known_list lists[2];
	struct known_threads known = { .source = source };

	for (int descriptor = KEPT_FROM; descriptor < KEPT_TO; descriptor++)
		close(descriptor);
	lists[0].count = lists[1].count = 0;
	known_prepare(&known, lists);
	return known;
}

static void test_every_change(enum credentials_source source)
{
	struct known_threads known = begin(source);
	struct answer answer = { .length = 0 };
	struct found_thread found;
	struct puppet puppet = start_puppet();
	const int alone = THREADS_AT_FIRST;
	int low = count_open(0, KEPT_FROM);

	EXPECT(&known, &puppet, "", NOWHERE, alone);
	EXPECT(&known, &puppet, "++", NOWHERE, alone + 2);
	/* What changes in a thread that is known. */
	EXPECT(&known, &puppet, "u", IN_ANOTHER, alone + 2);
	EXPECT(&known, &puppet, "r", NOWHERE, alone + 2);
	EXPECT(&known, &puppet, "U", IN_FIRST_THREAD, alone + 2);
	EXPECT(&known, &puppet, "R", NOWHERE, alone + 2);
	/* One more, one in the place of one that was known, one fewer. */
	EXPECT(&known, &puppet, "+u", IN_ANOTHER, -1);
	EXPECT(&known, &puppet, "-+", NOWHERE, alone + 3);
	EXPECT(&known, &puppet, "-+u", IN_ANOTHER, -1);
	EXPECT(&known, &puppet, "-", NOWHERE, alone + 2);
	EXPECT(&known, &puppet, "--", NOWHERE, alone);
	/* All new threads, and the first one the same. */
	EXPECT(&known, &puppet, "+++u", IN_ANOTHER, -1);
	EXPECT(&known, &puppet, "r", NOWHERE, alone + 3);
	end_puppet(&puppet);
	CHECK(!walk_processes(OURS, &known, note_thread, &found, &answer), "%.*s", (int)answer.length, answer.line);
	CHECK(count_open(KEPT_FROM, KEPT_TO) == alone - 1, "%d are kept", count_open(KEPT_FROM, KEPT_TO));
	/* None of those that select(2) can take; two of them were the puppet's. */
	CHECK(count_open(0, KEPT_FROM) == low - 2, "%d descriptors below, %d before", count_open(0, KEPT_FROM), low);
}

/* A walk that ends where it finds something forgets neither what it has passed nor what it has not come to. */
static void test_early_end(enum credentials_source source)
{
	struct known_threads known = begin(source);
	struct puppet first = start_puppet(), second = start_puppet();

	EXPECT(&known, &second, "++", NOWHERE, THREADS_AT_FIRST + 3);
	EXPECT(&known, &first, "U", IN_FIRST_THREAD, THREADS_AT_FIRST + 3);
	EXPECT(&known, &first, "R", NOWHERE, THREADS_AT_FIRST + 3);
	EXPECT(&known, &second, "u", IN_ANOTHER, THREADS_AT_FIRST + 3);
	end_puppet(&second);
	EXPECT(&known, &first, "", NOWHERE, THREADS_AT_FIRST);
	end_puppet(&first);
}

/* With more threads than descriptors, each walk opens what it could not keep. */
static void test_few_descriptors(enum credentials_source source)
{
	struct known_threads known = begin(source);
	struct rlimit usual, few;
	struct puppet puppet = start_puppet();

	CHECK(getrlimit(RLIMIT_NOFILE, &usual) == 0, "getrlimit");
	few = (struct rlimit){ .rlim_cur = KEPT_FROM + 2, .rlim_max = usual.rlim_max };
	CHECK(setrlimit(RLIMIT_NOFILE, &few) == 0, "setrlimit");
	EXPECT(&known, &puppet, "+++", NOWHERE, 2);
	EXPECT(&known, &puppet, "u", IN_ANOTHER, 2);
	EXPECT(&known, &puppet, "r", NOWHERE, 2);
	few.rlim_cur = KEPT_FROM / 2;
	CHECK(setrlimit(RLIMIT_NOFILE, &few) == 0, "setrlimit");
	EXPECT(&known, &puppet, "-+u", IN_ANOTHER, -1);
	CHECK(setrlimit(RLIMIT_NOFILE, &usual) == 0, "setrlimit");
	EXPECT(&known, &puppet, "r", NOWHERE, THREADS_AT_FIRST + 3);
	end_puppet(&puppet);
}

static int run_tests(void)
{
	static const enum credentials_source sources[] = { CREDENTIALS_UNKNOWN, CREDENTIALS_STATUS };

	for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
		test_every_change(sources[i]);
		test_early_end(sources[i]);
		test_few_descriptors(sources[i]);
	}
	return 0;
}

int main(void)
{
	return in_pid_namespace(run_tests);
}
