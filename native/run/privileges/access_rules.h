/*
 * What the service may do with files, by Landlock (landlock(7)): for a launcher that may make no mounts. The paths are opened with the
 * launcher's privileges, and hold for the service from access_rules_enter() on. A failure ends the process with a message.
 */
#ifndef RUN_ACCESS_RULES_H
#define RUN_ACCESS_RULES_H

#include "protocol/plan.h"

/* The version of the interface that the kernel has; 0: it has none. */
unsigned int access_rules_version(void);

/* Makes a ruleset of the plan's rules; -1: it has no rules. */
int access_rules_make(const struct plan *plan);

/* Holds this process, and all that it starts, to the ruleset, and closes it. Needs no_new_privs. -1: nothing is done. */
void access_rules_enter(int ruleset);

#endif
