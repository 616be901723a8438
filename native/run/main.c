/*
 * dynuser-run: becomes a program as a dynamic user. It only parses its command line: the daemon reads properties and unit files,
 * allocates the user, and answers with a plan, which is carried out here by system calls. There is no parent afterwards, and nothing
 * to clean up: the lease ends with this process, and the mounts with its namespace.
 */
#include <stdio.h>
#include <stdlib.h>

#include "protocol/daemon_client.h"
#include "cli/check.h"
#include "cli/fail.h"
#include "exec/inherited.h"
#include "namespace/mount_namespace.h"
#include "cli/options.h"
#include "exec/environment.h"
#include "exec/exec.h"
#include "exec/phases.h"

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
	check_take_over(argv);

	unsigned int sockets = inherited_take();
	const struct options options = options_read(argc, argv);
	struct daemon_client *client = daemon_connect();
	const struct reply *reply =
		daemon_launch(client, &options, may_mount(options.isolation == ISOLATION_BEST_EFFORT));
	struct exec_context context = {
		.plan = &reply->plan, .program = options.path, .command = options.command, .sockets = sockets
	};

	if (options.explain)
		explain(reply);
	if (reply->skipped != NULL) {
		say("%s", reply->skipped);
		exit(EXIT_SUCCESS);
	}
	if (context.plan->phase == PHASE_NONE && context.plan->commands_count == 0 && options.command[0] == NULL)
		fail(STATUS_LAUNCHER, "the daemon's plan has no command, and the command line has none");
	context.environment = environment_make(context.plan, sockets);
	if (context.plan->phase != PHASE_NONE)
		phase_run(&context);
	phase_start(&context);
}
