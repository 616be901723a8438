/*
 * Drops privileges from root to the service's user, all but what seccomp_filter.h does last. They only shrink, in the one order in which
 * each drop is still permitted; each drop is read back, and a failure ends the process with a message.
 */
#ifndef RUN_PRIVILEGES_H
#define RUN_PRIVILEGES_H

#include <stdbool.h>

#include "namespace/namespaces.h"
#include "protocol/plan.h"

/*
 * Drops what a command of this kind does not have, and sets the file mode creation mask and the working directory. users: the user
 * namespace to enter.
 */
void privileges_drop(const struct plan *plan, enum launch_command_as as, const struct private_users *users);

/* Forbids this process, and all that it becomes, to get privileges by execve(2). */
void forbid_new_privileges(void);

/* Whether this process has that capability in its effective set (capabilities(7)). */
bool capability_is_effective(unsigned int capability);

#endif
