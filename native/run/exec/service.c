/* How a process becomes a command of the plan; see service.h. */
#include "service.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/fail.h"
#include "namespace/namespaces.h"
#include "exec_start_pre.h"
#include "privileges/privileges.h"
#include "program.h"
#include "namespace/mount_namespace.h"

/* Into the world and out of the privileges that a command of this kind has. */
static void become_kind(const struct service *service, enum command_as as)
{
	/* Where the service's world has no /proc, the launcher's is still at hand. It is opened only where it is used. */
	int proc = service->plan->private_users ? open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;

	if (service->plan->private_users && proc < 0)
		fail_errno(errno, "cannot open /proc, without which users cannot be mapped");
	if (as != AS_OUTSIDE) {
		namespaces_enter(service->plan);
		world_enter(service->plan);
	}
	privileges_drop(service->plan, &service->groups, as, proc);
}

static void prepare(const struct command *command, const void *context)
{
	const struct service *service = context;

	become_kind(service, command->as);
	preparation_bind();
	program_become(command->path, command->arguments.items, service->environment);
}

/* Of a relative path on the command line the launcher's own directory is meant, as with systemd-run(1). */
static const char *own_path(const char *name, char *path, size_t size)
{
	size_t length;

	if (name[0] == '/' || strchr(name, '/') == NULL)
		return name;
	if (getcwd(path, size) == NULL)
		fail_errno(errno, "cannot tell the present directory");
	length = strlen(path);
	if ((size_t)snprintf(path + length, size - length, "/%s", name) >= size - length)
		fail(STATUS_NOT_FOUND, "the path of %s is too long", name);
	return path;
}

void service_start(const struct service *service)
{
	const struct plan *plan = service->plan;
	const struct command *last = plan->command_count == 0 ? NULL : &plan->commands[plan->command_count - 1];
	char path[PATH_MAX];
	const char *name = last != NULL ? last->path : own_path(service->command[0], path, sizeof(path));

	world_make_directories(plan);
	for (size_t i = 0; i + 1 < plan->command_count; i++)
		preparation_run(&plan->commands[i], prepare, service);
	become_kind(service, last == NULL ? AS_USER : last->as);
	inherited_pass_on(&service->inherited);
	program_become(name, last == NULL ? service->command : last->arguments.items, service->environment);
}
