/* See check.h. */
#include "check.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "fail.h"

#define PROGRAM "dynuserctl"
#define VERB "check"

void check_take_over(char **argv)
{
	static char program[] = PROGRAM;
	static char verb[] = VERB;
	char path[PATH_MAX + sizeof(PROGRAM)];
	ssize_t length;

	if (argv[0] == NULL || argv[1] == NULL || strcmp(argv[1], "--check") != 0)
		return;
	/* It is installed in the same directory; PATH is the caller's. */
	length = readlink("/proc/self/exe", path, PATH_MAX);
	while (length > 0 && path[length - 1] != '/')
		length--;
	if (length <= 0)
		fail(STATUS_LAUNCHER, "--check: cannot find the directory of this program in /proc; mount /proc");
	(void)strcpy(path + length, PROGRAM);
	argv[0] = program;
	argv[1] = verb;
	(void)execv(path, argv);
	fail(STATUS_LAUNCHER,
	     "--check: cannot execute %s: %s; install it, or run \"dynuserctl check\" where it is installed", path,
	     strerror(errno));
}
