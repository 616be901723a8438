/*
 * The programs dynuserd, dynuserctl and dynuser-fleetd: executes Node with the bundle in the same directory, PROGRAM.js, so that nothing
 * inherited (a signal, a variable, a mask) makes Node run anything else.
 */
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "signals.h"

#define EXIT_FAILED 1
/* The arguments that are passed on; the kernel bounds their length (execve(2), E2BIG). */
#define ARGUMENTS_MAX 4096
#define NODE_ARGUMENTS_MAX 8
#define USUAL_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

struct program {
	const char *name;
	const char *node_arguments[NODE_ARGUMENTS_MAX];
};

/*
 * Modules come from beside the bundle, never from NODE_PATH or the home directory. Limits of the daemon: V8 lets the space for new objects
 * grow to 48 MB under load, and that for old ones to four times what lives there; with these it stays below 90 MB with a full range, and
 * is as fast (benchmarks/README.md). The companion has a third less memory with them.
 */
static const struct program programs[] = {
	{ "dynuserd", { "--no-global-search-paths", "--max-semi-space-size=2", "--heap-growing-percent=40" } },
	{ "dynuserctl", { "--no-global-search-paths" } },
	{ "dynuser-fleetd", { "--no-global-search-paths", "--max-semi-space-size=2", "--heap-growing-percent=40" } },
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
static size_t own_path(char path[PATH_MAX])
{
	ssize_t length = readlink("/proc/self/exe", path, PATH_MAX);

	if (length <= 0 || length >= PATH_MAX)
		return 0;
	path[length] = '\0';
	return (size_t)length;
}

static bool is_usable(const char *file)
{
	struct stat status;

	return stat(file, &status) == 0 && S_ISREG(status.st_mode) && (status.st_mode & S_IWOTH) == 0 &&
	       access(file, X_OK) == 0;
}

static bool is_node_in(const char *directory, size_t length, char found[PATH_MAX])
{
	return length < PATH_MAX && snprintf(found, PATH_MAX, "%.*s/node", (int)length, directory) < PATH_MAX &&
	       is_usable(found);
}

/*
 * Looks for the program `node` in the absolute directories of a PATH, or of the usual one for NULL. Relative directories are skipped, and
 * files that everybody may write to.
 */
static bool find_node(const char *path, char found[PATH_MAX])
{
	if (path == NULL)
		path = USUAL_PATH;
	for (;;) {
		size_t length = strcspn(path, ":");

		if (path[0] == '/' && is_node_in(path, length, found))
			return true;
		if (path[length] == '\0')
			return false;
		path += length + 1;
	}
}

/*
 * Which variables reach Node: names, or, with "*" at the end, prefixes of names. Dozens of variables make it run or load something else
 * (NODE_OPTIONS, OPENSSL_CONF, NODE_EXTRA_CA_CERTS, LD_PRELOAD …), more with each version. Only those of this list are kept.
 */
static const char *const kept[] = {
	/* the daemon's, and its clients' */
	"DYNUSER_*",
	"DBUS_SYSTEM_BUS_ADDRESS",
	/* sd_listen_fds(3), sd_notify(3), systemd.exec(5): whom the manager means, and what it stores */
	"LISTEN_PID",
	"LISTEN_PIDFDID",
	"LISTEN_FDS",
	"LISTEN_FDNAMES",
	"NOTIFY_SOCKET",
	"JOURNAL_STREAM",
	"SYSTEMD_EXEC_PID",
	"FDSTORE",
	/* where the certificate of dynuser-fleetd is */
	"CREDENTIALS_DIRECTORY",
	/* of a terminal and its user: dynuserctl's columns, colours, pager and times */
	"TERM",
	"NO_COLOR",
	"PAGER",
	"TZ",
	"LANG",
	"LC_*",
	"PATH",
};

static bool is_kept(const char *variable)
{
	size_t length = strcspn(variable, "=");

	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
		size_t known = strlen(kept[i]);

		if (kept[i][known - 1] == '*' ? length >= known && strncmp(variable, kept[i], known - 1) == 0 :
						length == known && strncmp(variable, kept[i], known) == 0)
			return true;
	}
	return false;
}

static void reduce_environment(char **environment)
{
	char **end = environment;

	for (; *environment != NULL; environment++) {
		if (is_kept(*environment))
			*end++ = *environment;
	}
	*end = NULL;
}

int main(int argc, char **argv)
{
	static char script[PATH_MAX + sizeof(".js")], node[PATH_MAX];
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
	/* The Node that came with the program: only the tarball for hosts whose Node is too old has one. */
	if (!is_node_in(script, (size_t)(strrchr(script, '/') - script), node) && !find_node(getenv("PATH"), node))
		return fail(program->name, "node", "not found in PATH",
			    "install Node.js 20 or later, or set PATH for this service");

	arguments[count++] = node;
	for (const char *const *argument = program->node_arguments; *argument != NULL; argument++)
		arguments[count++] = (char *)(unsigned long)*argument;
	arguments[count++] = script;
	for (int i = 1; i < argc; i++)
		arguments[count++] = argv[i];
	arguments[count] = NULL;

	reduce_environment(environ);
	if (!close_debug_signal())
		return fail(
			program->name, "seccomp", strerror(errno),
			"allow seccomp filters (CONFIG_SECCOMP_FILTER in the kernel): without them SIGUSR1 opens Node's "
			"debugger to every local user");
	(void)execve(node, arguments, environ);
	return fail(program->name, node, strerror(errno), "install Node.js 20 or later");
}
