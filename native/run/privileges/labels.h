/* What security modules label a program with (SELinuxContext=, AppArmorProfile=, SmackProcessLabel=). */
#ifndef RUN_LABELS_H
#define RUN_LABELS_H

#include "protocol/plan.h"

/* Opens the attributes of this process, before it enters a root that may have no /proc. -1: the plan has no labels. */
int labels_open(const struct plan *plan);

/* Asks the modules that the kernel has for the labels; two kinds of them take effect at the next execve(2). Closes what was opened. */
void labels_set(const struct plan *plan, int attributes);

#endif
