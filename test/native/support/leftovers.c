/* What must not change; see leftovers.h. */
#include "leftovers.h"

#include <dirent.h>

#include "check.h"

static volatile sig_atomic_t broken_pipes;

static void count_broken_pipe(int number)
{
	(void)number;
	broken_pipes = broken_pipes + 1;
}

static int count_descriptors(void)
{
	DIR *directory = opendir("/proc/self/fd");
	int count = 0;

	CHECK(directory != NULL, "/proc/self/fd: %m");
	while (readdir(directory) != NULL)
		count++;
	CHECK(closedir(directory) == 0, "%m");
	return count;
}

struct leftovers leftovers_before(void)
{
	struct leftovers before = { .descriptors = count_descriptors() };
	const struct sigaction action = { .sa_handler = count_broken_pipe };

	CHECK(sigaction(SIGPIPE, &action, NULL) == 0, "%m");
	CHECK(sigprocmask(SIG_SETMASK, NULL, &before.mask) == 0, "%m");
	return before;
}

void leftovers_after(const struct leftovers *before, const char *what)
{
	int descriptors = count_descriptors();
	sigset_t mask;

	CHECK(descriptors == before->descriptors, "%s: %d descriptors, %d before", what, descriptors,
	      before->descriptors);
	CHECK(sigprocmask(SIG_SETMASK, NULL, &mask) == 0, "%m");
	for (int number = 1; number < NSIG; number++)
		CHECK(sigismember(&mask, number) == sigismember(&before->mask, number), "%s: the mask of signal %d",
		      what, number);
	CHECK(broken_pipes == 0, "%s: SIGPIPE was raised", what);
}
