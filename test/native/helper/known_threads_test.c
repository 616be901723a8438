/*
 * What is kept of threads between two walks hides nothing: a process that starts threads, ends them, and changes their
 * credentials one by one is found as if each walk were the first, and what has ended keeps no descriptor open. Needs root.
 */
#include "known_threads.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "check.h"
#include "pid_namespace.h"
#include "processes.h"
#include "puppet.h"

/* What is kept has numbers from here on (FD_SETSIZE). */
#define KEPT_FROM 1024
#define KEPT_TO (KEPT_FROM + KNOWN_MAX)
/* PID 1, the test and a puppet. */
#define KEPT_AT_FIRST 3

static int count_open(int from, int to)
{
	int count = 0;

	for (int descriptor = from; descriptor < to; descriptor++)
		count += fcntl(descriptor, F_GETFD) >= 0;
	return count;
}

static enum visited note_thread(void *data, const struct found_thread *found, struct answer *answer)
{
	(void)answer;
	*(struct found_thread *)data = *found;
	return VISITED_LAST;
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
		      "line %d: thread %d of process %d, not of %d", line, found.thread, found.process,
		      puppet->process);
	int open = count_open(KEPT_FROM, KEPT_TO);

	CHECK(kept < 0 || open == kept, "line %d: %d descriptors are kept, not %d", line, open, kept);
}
#define EXPECT(...) expect(__LINE__, __VA_ARGS__)

/* With nothing known; what a test before this one has kept is closed. */
static struct known_threads begin(void)
{
	static struct known_list lists[2];
	struct known_threads known = { .before = NULL };

	for (int descriptor = KEPT_FROM; descriptor < KEPT_TO; descriptor++)
		close(descriptor);
	lists[0].count = lists[1].count = 0;
	known_prepare(&known, lists);
	return known;
}

static void test_every_change(void)
{
	struct known_threads known = begin();
	struct answer answer = { .length = 0 };
	struct found_thread found;
	struct puppet puppet = start_puppet();
	const int alone = KEPT_AT_FIRST;
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

/* A walk that ends if it finds something forgets neither what it has passed nor what it has not come to. */
static void test_early_end(void)
{
	struct known_threads known = begin();
	struct puppet first = start_puppet(), second = start_puppet();

	EXPECT(&known, &second, "++", NOWHERE, KEPT_AT_FIRST + 3);
	EXPECT(&known, &first, "U", IN_FIRST_THREAD, KEPT_AT_FIRST + 3);
	EXPECT(&known, &first, "R", NOWHERE, KEPT_AT_FIRST + 3);
	EXPECT(&known, &second, "u", IN_ANOTHER, KEPT_AT_FIRST + 3);
	end_puppet(&second);
	EXPECT(&known, &first, "", NOWHERE, KEPT_AT_FIRST);
	end_puppet(&first);
}

/* Numbers of a process and its thread that are another's by the next walk, as many as before. */
static void test_reused_numbers(void)
{
	struct known_threads known = begin();
	struct puppet first = start_puppet();
	char last[16];

	EXPECT(&known, &first, "+", NOWHERE, KEPT_AT_FIRST + 1);
	end_puppet(&first);
	/* pid_namespaces(7): the number that was given out last. */
	int descriptor = open("/proc/sys/kernel/ns_last_pid", O_WRONLY | O_CLOEXEC);
	int length = snprintf(last, sizeof(last), "%d", first.process - 1);

	CHECK(descriptor >= 0 && write(descriptor, last, (size_t)length) == length, "ns_last_pid");
	close(descriptor);
	struct puppet second = start_puppet();

	CHECK(second.process == first.process, "%d, not %d", second.process, first.process);
	EXPECT(&known, &second, "+u", IN_ANOTHER, -1);
	EXPECT(&known, &second, "rU", IN_FIRST_THREAD, -1);
	EXPECT(&known, &second, "R", NOWHERE, KEPT_AT_FIRST + 1);
	end_puppet(&second);
}

/* With more threads than descriptors, each walk opens what it could not keep. */
static void test_few_descriptors(void)
{
	struct known_threads known = begin();
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
	EXPECT(&known, &puppet, "r", NOWHERE, KEPT_AT_FIRST + 3);
	end_puppet(&puppet);
}

static int run_tests(void)
{
	test_every_change();
	test_early_end();
	test_reused_numbers();
	test_few_descriptors();
	return 0;
}

int main(void)
{
	return in_pid_namespace(run_tests);
}
