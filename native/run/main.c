/*
 * dynuser-run: becomes a program as a dynamic user. It parses its command line and nothing else: the daemon reads properties and
 * unit files, allocates the user, and answers with a plan, which is carried out here by system calls. There is no parent
 * afterwards, and nothing to clean up: the lease is this process's, the mounts are its namespace's, and both end with it.
 */
#include <stdio.h>
#include <stdlib.h>

#include "protocol/daemon_client.h"
#include "cli/fail.h"
#include "exec/inherited.h"
#include "namespace/may_mount.h"
#include "accounts/memberships.h"
#include "cli/options.h"
#include "exec/service.h"
#include "exec/environment.h"

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
	struct dialogue *dialogue = ask_early();
	const struct reply *reply = ask(dialogue, &options, may_mount(options.isolation == ISOLATION_BEST_EFFORT));
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
