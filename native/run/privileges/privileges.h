/*
 * Drops privileges from root to the service's user. They only shrink, in the one order in which each drop is still permitted; each
 * drop is read back, and a failure ends the process with a message.
 */
#ifndef RUN_PRIVILEGES_H
#define RUN_PRIVILEGES_H

#include "protocol/plan.h"

/*
 * Drops what a command of this kind does not have, and sets the file mode creation mask and the working directory. proc is a
 * descriptor of the launcher's /proc.
 */
void privileges_drop(const struct plan *plan, enum command_as as, int proc);

#endif
