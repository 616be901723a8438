/*
 * Prints the seccomp filters of a process, the oldest first, each as its instructions in hexadecimal on a line. Needs CAP_SYS_ADMIN, and to
 * have no filter itself (ptrace(2), PTRACE_SECCOMP_GET_FILTER). Its argument is the process. With two arguments it waits for its end, as a
 * program that makes next to no calls: whatever its filters are, it lives.
 */
#include <errno.h>
#include <linux/filter.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#define INSTRUCTIONS_MAX 4096

static int fail(const char *what)
{
	(void)fprintf(stderr, "filter_dump: %s: %s\n", what, strerror(errno));
	return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	static struct sock_filter program[INSTRUCTIONS_MAX];
	pid_t process = argc == 2 ? (pid_t)atoi(argv[1]) : 0;
	long length;

	while (argc == 3)
		(void)pause();
	if (ptrace(PTRACE_ATTACH, process, NULL, NULL) != 0)
		return fail("attach");
	if (waitpid(process, NULL, __WALL) != process)
		return fail("wait");
	for (long number = 0; (length = ptrace(PTRACE_SECCOMP_GET_FILTER, process, number, program)) > 0; number++) {
		const unsigned char *bytes = (const unsigned char *)program;

		for (size_t i = 0; i < (size_t)length * sizeof(*program); i++)
			(void)printf("%02x", bytes[i]);
		(void)putchar('\n');
	}
	/* ENOENT: no more. EINVAL: not even a first. */
	if (errno != ENOENT && errno != EINVAL)
		return fail("read a filter");
	(void)ptrace(PTRACE_DETACH, process, NULL, NULL);
	return EXIT_SUCCESS;
}
