/*
 * Owns the way from root to the service's user. Privileges only shrink, in the one order in which each step still may be done;
 * each is read back, and every failure ends the process with a sentence.
 */
#ifndef RUN_PRIVILEGES_H
#define RUN_PRIVILEGES_H

#include "accounts/memberships.h"
#include "protocol/plan.h"

/*
 * Gives up what a command of this kind does not have, and sets the file mode creation mask and the working directory. proc is
 * the launcher's /proc.
 */
void privileges_drop(const struct plan *plan, const struct groups *groups, enum command_as as, int proc);

#endif
