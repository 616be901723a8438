/*
 * Commands that run as children of the launcher, one at a time. Each ends with the launcher, however that ends. Signals that ask the
 * launcher to end are passed to the child, and end the launcher after it.
 */
#ifndef RUN_CHILDREN_H
#define RUN_CHILDREN_H

#include <stdbool.h>
#include <stdint.h>

#include "exec.h"

struct child_end {
	/* of waitpid(2) */
	int status;
	/* whether the child got as far as its program; before that its exit status is the launcher's own */
	bool was_program;
};

/* Runs a command to its end; it is killed if it takes longer than so many seconds (UINT32_MAX: it may). */
struct child_end child_run(const struct exec_context *context, const struct launch_command *command, uint32_t seconds);

#endif
