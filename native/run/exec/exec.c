/* See exec.h. */
#include "exec.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "cli/fail.h"
#include "environment.h"
#include "images/images.h"
#include "namespace/mount_namespace.h"
#include "namespace/namespaces.h"
#include "privileges/access_rules.h"
#include "privileges/labels.h"
#include "privileges/privileges.h"
#include "privileges/seccomp_filter.h"
#include "passed.h"
#include "resources.h"
#include "streams.h"

/* Whether an errno number says that nothing is at a path, which may be too long for that. */
static bool leads_nowhere(int error)
{
	return is_absence(error) || error == ENAMETOOLONG;
}

static _Noreturn void fail_to_execute(const char *path, int error)
{
	struct statvfs mount;

	if (error == EACCES && statvfs(path, &mount) == 0 && (mount.f_flag & ST_NOEXEC) != 0)
		fail(STATUS_NOT_EXECUTABLE, "cannot execute %s: its file system is mounted without execution (noexec)",
		     path);
	/* execve(2), "Limits on size of arguments and environment". */
	if (error == E2BIG)
		fail(STATUS_NOT_EXECUTABLE,
		     "cannot execute %s: its arguments and environment are too long for the kernel: the limit is 128 KiB for each, and a quarter of the stack limit (ulimit -s), at most 6 MiB, for all",
		     path);
	if (leads_nowhere(error))
		fail(STATUS_NOT_EXECUTABLE, "cannot execute %s: the interpreter that it names does not exist", path);
	fail(STATUS_NOT_EXECUTABLE, "cannot execute %s: %s", path, fail_words(error));
}

/* Below a directory that the service may not enter, such as one of root's in an inherited PATH, nothing may be learned of files. */
static bool is_hidden(const char *path, int error)
{
	return error == EACCES && faccessat(AT_FDCWD, path, F_OK, AT_EACCESS) != 0;
}

/* Whether this process may execute a file there; else errno says why not. */
static bool is_executable(const char *path)
{
	struct stat file;

	if (faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) != 0)
		return false;
	/* For a directory that means that it may be entered. */
	if (stat(path, &file) == 0 && !S_ISDIR(file.st_mode))
		return true;
	errno = EACCES;
	return false;
}

/* In a child: what tells the launcher whether it got as far as its program (children.h); null in the launcher. */
static volatile bool *reached_program;

static void tell_reached(bool reached)
{
	if (reached_program != NULL)
		*reached_program = reached;
}

/* Puts the process below its filter and executes a program that is executable. The filter may forbid every other call. */
static _Noreturn void become(const struct plan *plan, const struct launch_command *command, const char *path,
			     char *const *environment)
{
	/* If the filter cannot be installed, that is the launcher's failure, not the program's. */
	tell_reached(false);
	if (command->as != AS_OUTSIDE)
		seccomp_filter_install(plan);
	tell_reached(true);
	(void)execve(path, command->arguments.items, environment);
	fail_to_execute(path, errno);
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

/* Finds the program of a command, by its path, or by its name in the PATH of the environment, and becomes it. */
static _Noreturn void exec_program(const struct plan *plan, const struct launch_command *command,
				   char *const *environment)
{
	const char *name = command->path, *search = environment_value(environment, "PATH");
	char path[PATH_MAX], refused[PATH_MAX] = "";
	int error = 0;

	if (strchr(name, '/') != NULL) {
		if (is_executable(name))
			become(plan, command, name, environment);
		if (leads_nowhere(errno))
			fail(STATUS_NOT_FOUND, "cannot find the program %s", name);
		fail_to_execute(name, errno);
	}
	if (search == NULL)
		search = DEFAULT_PATH;
	for (;;) {
		size_t length = strcspn(search, ":");

		if (join(path, search, length, name)) {
			int failure;

			if (is_executable(path))
				become(plan, command, path, environment);
			failure = errno;
			/* If none can be executed, the first that exists is reported. */
			if (refused[0] == '\0' && !is_hidden(path, failure) && !leads_nowhere(failure)) {
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

/* A mount keeps nobody from writing to a device. Its mode does, unless the service may override modes. */
static void check_rights(const struct strings *devices, int mode, const char *what)
{
	for (size_t i = 0; i < devices->count; i++) {
		if (faccessat(AT_FDCWD, devices->items[i], mode, AT_EACCESS) == 0)
			fail(STATUS_LAUNCHER,
			     "DeviceAllow=: the service could %s %s, which is not allowed, and only the mode of the device could prevent that; allow it too, or change the mode or the user",
			     what, devices->items[i]);
	}
}

static void check_devices(const struct plan *plan)
{
	check_rights(&plan->unreadable, R_OK, "read");
	check_rights(&plan->unwritable, W_OK, "write to");
}

/* Opens the streams, enters the namespaces and drops the privileges that a command runs with. Returns its environment. */
static char **confine(const struct exec_context *context, const struct launch_command *command)
{
	const struct plan *plan = context->plan;
	bool is_inside = command->as != AS_OUTSIDE;
	char *variable = streams_open(plan, context->sockets, command->path);
	char **environment =
		variable == NULL ? context->environment : environment_with(plan, context->environment, variable);
	/* Opened before, since the service's root may have no /proc. */
	int labels = labels_open(plan), ruleset = -1;
	struct private_users users = { .namespace = -1 };

	if (is_inside) {
		/* Before the mounts, so that its child has ended when it is waited for. */
		users = private_users_make(plan);
		ruleset = access_rules_make(plan);
	}
	resources_schedule(plan);
	if (is_inside) {
		namespaces_enter(plan);
		mount_namespace_enter(plan);
	}
	resources_limit(plan);
	labels_set(plan, labels);
	privileges_drop(plan, command->as, &users);
	access_rules_enter(ruleset);
	if (is_inside)
		check_devices(plan);
	/* execve(2) keeps what is ignored. */
	if (plan->ignore_sigpipe && signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		fail_errno(errno, "cannot ignore SIGPIPE");
	return environment;
}

/* Has the kernel kill this process if the launcher dies; a change of the UID would undo it. */
static void bind_to(pid_t launcher)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
		fail_errno(errno, "cannot tie this process to the launcher");
	if (getppid() != launcher)
		_exit(STATUS_LAUNCHER);
}

_Noreturn void exec_child(const struct exec_context *context, const struct launch_command *command,
			  const struct child_origin *origin)
{
	char **environment = confine(context, command);

	bind_to(origin->launcher);
	reached_program = origin->is_program;
	tell_reached(true);
	exec_program(context->plan, command, environment);
}

_Noreturn void exec_last(const struct exec_context *context)
{
	const struct plan *plan = context->plan;
	const struct launch_command given = { .path = context->program,
					      .arguments = { .items = context->command },
					      .as = AS_USER };
	const struct launch_command *last =
		plan->commands_count == 0 ? &given : &plan->commands[plan->commands_count - 1];
	static struct passed passed;
	char **environment;

	passed_open(plan, context->sockets, &passed);
	environment = confine(context, last);
	images_end();
	environment = passed_on(&passed, plan, environment);
	exec_program(plan, last, environment);
}
