/* The network and IPC namespaces of a service. */
#ifndef RUN_NAMESPACES_H
#define RUN_NAMESPACES_H

#include "protocol/plan.h"

/*
 * Enters those that the plan asks for. To be called before the mounts are set up, since sysfs and mqueue show the namespaces of
 * whoever mounts them. The loopback interface of a new network is up. Ends the process on failure.
 */
void namespaces_enter(const struct plan *plan);

#endif
