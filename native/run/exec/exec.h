/* Executes the commands of a plan: those before the last as children, which are waited for, the last in place of this process. */
#ifndef RUN_EXEC_H
#define RUN_EXEC_H

#include "inherited.h"
#include "protocol/plan.h"

struct exec_context {
	const struct plan *plan;
	/* of the command line, for a plan without commands */
	char *const *command;
	struct inherited inherited;
	char **environment;
};

/*
 * Does not return. If the last program cannot be executed, says why and exits with STATUS_NOT_FOUND or STATUS_NOT_EXECUTABLE.
 */
_Noreturn void exec_commands(const struct exec_context *context);

#endif
