/* Owns the commands of a plan: those before the last are children that are waited for, the last is this process. */
#ifndef RUN_SERVICE_H
#define RUN_SERVICE_H

#include "accounts/memberships.h"
#include "inherited.h"
#include "protocol/plan.h"

struct service {
	const struct plan *plan;
	/* of the command line, for a plan without commands of its own */
	char *const *command;
	struct inherited inherited;
	struct groups groups;
	char **environment;
};

/* Runs the commands, and becomes the last of them. */
_Noreturn void service_start(const struct service *service);

#endif
