/* execve(2), and what its failures mean; see program.h. */
#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "environment.h"
#include "cli/fail.h"

/* Where the service's environment has no PATH: what systemd has for units (systemd.exec(5)), and the older places. */
#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

static bool is_absence(int error)
{
	return error == ENOENT || error == ENOTDIR || error == ENAMETOOLONG;
}

static _Noreturn void fail_to_execute(const char *path, int error)
{
	struct statvfs mount;

	if (error == EACCES && statvfs(path, &mount) == 0 && (mount.f_flag & ST_NOEXEC) != 0)
		fail(STATUS_NOT_EXECUTABLE, "cannot execute %s: its file system is mounted without execution (noexec)", path);
	/* execve(2), "Limits on size of arguments and environment". */
	if (error == E2BIG)
		fail(STATUS_NOT_EXECUTABLE,
		     "cannot execute %s: its arguments and environment are longer than the kernel takes, which is 128 KiB for each and a quarter of the bound on the stack (ulimit -s), but at most 6 MiB, for all",
		     path);
	if (is_absence(error))
		fail(STATUS_NOT_EXECUTABLE, "cannot execute %s: the interpreter that it names is not there", path);
	fail(STATUS_NOT_EXECUTABLE, "cannot execute %s: %s", path, fail_words(error));
}

static bool is_there(const char *path)
{
	return faccessat(AT_FDCWD, path, F_OK, AT_EACCESS) == 0 || !is_absence(errno);
}

/*
 * Below a directory that the service may not enter, such as one of root's own in the PATH that root left it, all that there is to
 * learn is that: not that the program is there.
 */
static bool is_hidden(const char *path, int error)
{
	return error == EACCES && faccessat(AT_FDCWD, path, F_OK, AT_EACCESS) != 0;
}

static _Noreturn void become_at(const char *path, char *const *arguments, char *const *environment)
{
	int error;

	(void)execve(path, arguments, environment);
	error = errno;
	if (is_absence(error) && !is_there(path))
		fail(STATUS_NOT_FOUND, "cannot find the program %s", path);
	fail_to_execute(path, error);
}

/* "directory/name", with "" as the present directory, as execvp(3) has it. False: it is too long to be a path. */
static bool join(char *path, const char *directory, size_t length, const char *name)
{
	size_t rest = strlen(name);

	if (length + rest + 3 > PATH_MAX)
		return false;
	if (length == 0)
		path[length++] = '.';
	else
		memcpy(path, directory, length);
	path[length] = '/';
	memcpy(path + length + 1, name, rest + 1);
	return true;
}

void program_become(const char *name, char *const *arguments, char *const *environment)
{
	const char *search = variables_value(environment, "PATH");
	char path[PATH_MAX], refused[PATH_MAX] = "";
	int error = 0;

	if (strchr(name, '/') != NULL)
		become_at(name, arguments, environment);
	if (search == NULL)
		search = DEFAULT_PATH;
	for (;;) {
		size_t length = strcspn(search, ":");

		if (join(path, search, length, name)) {
			int failure;

			(void)execve(path, arguments, environment);
			failure = errno;
			/* The first that is there but cannot be executed is what there is to say where nothing else can. */
			if (refused[0] == '\0' && !is_hidden(path, failure) && (!is_absence(failure) || is_there(path))) {
				error = failure;
				memcpy(refused, path, sizeof(path));
			}
			if (refused[0] != '\0' && error != EACCES)
				fail_to_execute(refused, error);
		}
		if (search[length] == '\0')
			break;
		search += length + 1;
	}
	if (refused[0] != '\0')
		fail_to_execute(refused, error);
	fail(STATUS_NOT_FOUND, "cannot find the program %s in the service's PATH", name);
}
