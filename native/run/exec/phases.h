/*
 * The commands of a unit file in their order: those that start its service, and those that run by name while it runs or after it,
 * which also end the service's process (systemd.kill(5)).
 */
#ifndef RUN_PHASES_H
#define RUN_PHASES_H

#include "exec.h"

/*
 * Runs the commands before the last as children, which are waited for, and becomes the last. A condition that is not met ends the
 * launcher with status 0.
 */
_Noreturn void phase_start(const struct exec_context *context);

/* Runs the commands that were asked for by name. Exits with 0, or with the status of the first that fails, if that is not ignored. */
_Noreturn void phase_run(const struct exec_context *context);

#endif
