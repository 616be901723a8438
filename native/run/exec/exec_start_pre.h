/*
 * Runs the commands of ExecStartPre=, one after the other, as children that end with the launcher. A command that fails ends the
 * start. Signals that ask the launcher to end are passed to the child, and end the launcher after it.
 */
#ifndef RUN_EXEC_START_PRE_H
#define RUN_EXEC_START_PRE_H

#include "protocol/plan.h"

/* What the child does: it executes the command, or exits. */
typedef void exec_start_pre_child(const struct command *command, const void *context);

/* Runs one command to its end. If it fails, and that is not ignored, the launcher exits with its status. */
void exec_start_pre_run(const struct command *command, exec_start_pre_child *child, const void *context);

/* Has the kernel kill the child when the launcher dies. To be called after the UID has changed, which would undo it. */
void exec_start_pre_bind(void);

#endif
