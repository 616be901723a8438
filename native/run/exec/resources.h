/*
 * What the service may use, and how the kernel schedules it (setrlimit(2), sched(7), ioprio_set(2), set_mempolicy(2), proc(5)). What
 * the plan does not name stays as the launcher has it.
 */
#ifndef RUN_RESOURCES_H
#define RUN_RESOURCES_H

#include "protocol/plan.h"

/* Before the namespaces, since /proc may be another one in them; with all rights. */
void resources_schedule(const struct plan *plan);

/* After everything that the bounds could keep the launcher from, and before it gives up the right to raise them. */
void resources_limit(const struct plan *plan);

#endif
