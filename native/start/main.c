/*
 * The programs dynuserd and dynuserctl: executes Node with the bundle in the same directory, PROGRAM.js, so that nothing inherited (a
 * signal, a variable, a mask) makes Node run anything else.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "environment.h"
#include "node.h"
#include "signals.h"

#define EXIT_FAILED 1
/* The arguments that are passed on; the kernel bounds their length (execve(2), E2BIG). */
#define ARGUMENTS_MAX 4096
#define NODE_ARGUMENTS_MAX 8

struct program {
	const char *name;
	const char *node_arguments[NODE_ARGUMENTS_MAX];
};

/*
 * Modules come from beside the bundle, never from NODE_PATH's or the home's directories. The daemon's: functions are compiled at
 * their first call instead of interpreted, for the first launches. V8 lets the space for
 * new objects grow to 48 MB under load, and that for old ones to four times what lives there; with these it stays below 90 MB
 * with a full range, and is as fast (benchmarks/README.md).
 */
static const struct program programs[] = {
	{ "dynuserd", { "--no-global-search-paths", "--always-sparkplug", "--max-semi-space-size=2", "--heap-growing-percent=40" } },
	{ "dynuserctl", { "--no-global-search-paths" } },
};

static int fail(const char *program, const char *what, const char *problem, const char *remedy)
{
	(void)fprintf(stderr, "%s: %s: %s; %s\n", program, what, problem, remedy);
	return EXIT_FAILED;
}

static const struct program *find_program(const char *name)
{
	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
		if (strcmp(programs[i].name, name) == 0)
			return &programs[i];
	}
	return NULL;
}

/* The path of this program, its links followed; the bundle and its modules are in the same directory. Returns its length, or 0. */
static size_t own_path(char path[NODE_PATH_SIZE])
{
	ssize_t length = readlink("/proc/self/exe", path, NODE_PATH_SIZE);

	if (length <= 0 || length >= NODE_PATH_SIZE)
		return 0;
	path[length] = '\0';
	return (size_t)length;
}

int main(int argc, char **argv)
{
	static char script[NODE_PATH_SIZE + sizeof(".js")], node[NODE_PATH_SIZE];
	static char *arguments[ARGUMENTS_MAX + NODE_ARGUMENTS_MAX + 3];
	size_t count = 0, length = own_path(script);

	if (length == 0)
		return fail("dynuser", "/proc/self/exe", "cannot be read", "mount /proc, and start again");
	const struct program *program = find_program(strrchr(script, '/') + 1);

	if (program == NULL)
		return fail("dynuser", script, "is not the name of a dynuser program", "install it under its own name");
	memcpy(script + length, ".js", sizeof(".js"));
	if (access(script, R_OK) != 0)
		return fail(program->name, script, strerror(errno), "install dynuser again");
	if (argc > ARGUMENTS_MAX)
		return fail(program->name, "arguments", "too many", "give fewer");
	if (!find_node(getenv("PATH"), node))
		return fail(program->name, "node", "not found in PATH",
			    "install Node.js 20 or later, or set PATH for this service");

	arguments[count++] = node;
	for (const char *const *argument = program->node_arguments; *argument != NULL; argument++)
		arguments[count++] = (char *)(unsigned long)*argument;
	arguments[count++] = script;
	for (int i = 1; i < argc; i++)
		arguments[count++] = argv[i];
	arguments[count] = NULL;

	char **environment = keep_environment(environ);

	if (environment == NULL)
		return fail(program->name, "environment", "out of memory", "free some, and start again");
	if (!close_debug_signal())
		return fail(program->name, "seccomp", strerror(errno),
			    "allow seccomp filters (CONFIG_SECCOMP_FILTER in the kernel): without them SIGUSR1 opens Node's "
			    "debugger to every local user");
	(void)execve(node, arguments, environment);
	return fail(program->name, node, strerror(errno), "install Node.js 20 or later");
}
