/*
 * Owns the commands that run before the service, one after the other (ExecStartPre=): a child each, which ends with the launcher
 * and whose failure ends the start. Signals that ask the launcher to end are passed to the child, and end the launcher when the
 * child has.
 */
#ifndef RUN_PREPARATION_H
#define RUN_PREPARATION_H

#include "protocol/plan.h"

/* What the child does: it becomes the command, or ends. */
typedef void preparation_become(const struct command *command, const void *context);

/* Runs one command to its end. Ends the launcher with its status where it fails and that is not to be ignored. */
void preparation_run(const struct command *command, preparation_become *become, const void *context);

/* Makes the child one that is killed when the launcher dies; after the UID has changed, which would undo it. */
void preparation_bind(void);

#endif
