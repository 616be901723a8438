/*
 * dynuser-run: becomes a program as a dynamic user. It parses its command line and nothing else: the daemon reads properties and
 * unit files, allocates the user, and answers with a plan, which is carried out here by system calls. There is no parent
 * afterwards, and nothing to clean up: the lease is this process's, the mounts are its namespace's, and both end with it.
 */
#include <errno.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "memberships.h"
#include "ask.h"
#include "capabilities.h"
#include "variables.h"
#include "fail.h"
#include "inherited.h"
#include "options.h"
#include "service.h"

/* In a child, since a mount namespace cannot be left again without traces. */
static bool mounts_work(void)
{
	pid_t child = fork();
	int status = -1;

	if (child < 0)
		fail_errno(errno, "cannot have a process");
	if (child == 0)
		_exit(unshare(CLONE_NEWNS) == 0 && mount("", "/", NULL, MS_REC | MS_SLAVE, NULL) == 0 ? 0 : 1);
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		continue;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/*
 * The capability alone is asked for where the answer would be a refusal either way: the attempt then says the same. Where one may
 * go without mounts it is tried, since a container may have the capability and a filter that forbids its use.
 */
static bool may_mount(const struct options *options)
{
	return capability_is_effective(CAP_SYS_ADMIN) && (options->isolation != ISOLATION_BEST_EFFORT || mounts_work());
}

static _Noreturn void explain(const struct reply *reply)
{
	for (size_t i = 0; i < reply->explanation.count; i++) {
		if (puts(reply->explanation.items[i]) == EOF)
			break;
	}
	if (fflush(stdout) == EOF)
		fail(STATUS_LAUNCHER, "cannot write to the standard output");
	exit(EXIT_SUCCESS);
}

int main(int argc, char **argv)
{
	struct inherited inherited = inherited_take();
	const struct options options = options_read(argc, argv);
	const struct reply *reply = ask(&options, may_mount(&options));
	struct service service = { .plan = &reply->plan, .command = options.command, .inherited = inherited };
	struct account account;

	if (options.explain)
		explain(reply);
	if (service.plan->command_count == 0 && options.command[0] == NULL)
		fail(STATUS_LAUNCHER, "the daemon's plan has no command, and the command line has none");
	service.groups = memberships_groups(service.plan);
	account = memberships_account(service.plan);
	service.environment = variables_make(service.plan, &account, &inherited);
	service_start(&service);
}
