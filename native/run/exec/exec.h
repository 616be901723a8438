/* Executes a command of a plan in place of this process: confined as the plan says, with its streams and environment. */
#ifndef RUN_EXEC_H
#define RUN_EXEC_H

#include <stdbool.h>
#include <sys/types.h>

#include "protocol/plan.h"

struct exec_context {
	const struct plan *plan;
	/* of the command line, for a plan without commands: the program, by its path or name, and all words */
	const char *program;
	char **command;
	/* how many were passed to the launcher */
	unsigned int sockets;
	char **environment;
};

/* What a child knows of the launcher. */
struct child_origin {
	pid_t launcher;
	/* memory that is shared with the launcher: becomes true as soon as only the program is left to be executed */
	volatile bool *is_program;
};

/* Becomes the last command of a plan. If that cannot be executed, says why and exits with STATUS_NOT_FOUND or STATUS_NOT_EXECUTABLE. */
_Noreturn void exec_last(const struct exec_context *context);

/* In a child of the launcher: becomes a command, which ends with the launcher. */
_Noreturn void exec_child(const struct exec_context *context, const struct launch_command *command,
			  const struct child_origin *origin);

#endif
