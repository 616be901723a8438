/* See exec.h. */
#include "exec.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "cli/fail.h"
#include "environment.h"
#include "exec_start_pre.h"
#include "namespace/mount_namespace.h"
#include "namespace/namespaces.h"
#include "privileges/privileges.h"

/* If the service's environment has no PATH: systemd's default for units (systemd.exec(5)), and the older directories. */
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
		     "cannot execute %s: its arguments and environment are too long for the kernel: the limit is 128 KiB for each, and a quarter of the stack limit (ulimit -s), at most 6 MiB, for all",
		     path);
	if (is_absence(error))
		fail(STATUS_NOT_EXECUTABLE, "cannot execute %s: the interpreter that it names does not exist", path);
	fail(STATUS_NOT_EXECUTABLE, "cannot execute %s: %s", path, fail_words(error));
}

static bool is_there(const char *path)
{
	return faccessat(AT_FDCWD, path, F_OK, AT_EACCESS) == 0 || !is_absence(errno);
}

/* Below a directory that the service may not enter, such as one of root's in an inherited PATH, nothing may be learned of files. */
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

/* "directory/name", with "" as the working directory, as in execvp(3). False: too long for a path. */
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

/* Finds the program of a path, or of a name in the PATH of environment, and executes it. */
static _Noreturn void exec_program(const char *name, char *const *arguments, char *const *environment)
{
	const char *search = environment_value(environment, "PATH");
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
			/* If none can be executed, the first that exists is reported. */
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

/* Enters the namespaces and drops the privileges that a command of this kind runs with. */
static void confine(const struct exec_context *context, enum command_as as)
{
	/* Opened before, since the service's root may have no /proc. */
	int proc = context->plan->private_users ? open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;

	if (context->plan->private_users && proc < 0)
		fail_errno(errno, "cannot open /proc, which PrivateUsers= needs");
	if (as != AS_OUTSIDE) {
		namespaces_enter(context->plan);
		mount_namespace_enter(context->plan);
	}
	privileges_drop(context->plan, as, proc);
}

static void exec_child(const struct command *command, const void *argument)
{
	const struct exec_context *context = argument;

	confine(context, command->as);
	exec_start_pre_bind();
	exec_program(command->path, command->arguments.items, context->environment);
}

/* A relative path on the command line begins at the launcher's working directory, as with systemd-run(1). */
static const char *own_path(const char *name, char *path, size_t size)
{
	size_t length;

	if (name[0] == '/' || strchr(name, '/') == NULL)
		return name;
	if (getcwd(path, size) == NULL)
		fail_errno(errno, "cannot get the working directory");
	length = strlen(path);
	if ((size_t)snprintf(path + length, size - length, "/%s", name) >= size - length)
		fail(STATUS_NOT_FOUND, "the path of %s is too long", name);
	return path;
}

void exec_commands(const struct exec_context *context)
{
	const struct plan *plan = context->plan;
	const struct command *last = plan->command_count == 0 ? NULL : &plan->commands[plan->command_count - 1];
	char path[PATH_MAX];
	const char *name = last != NULL ? last->path : own_path(context->command[0], path, sizeof(path));

	mount_namespace_make_directories(plan);
	for (size_t i = 0; i + 1 < plan->command_count; i++)
		exec_start_pre_run(&plan->commands[i], exec_child, context);
	confine(context, last == NULL ? AS_USER : last->as);
	inherited_pass_on(&context->inherited);
	exec_program(name, last == NULL ? context->command : last->arguments.items, context->environment);
}
