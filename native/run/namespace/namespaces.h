/* Owns the namespaces of a service beside those of mounts and users: network and IPC. */
#ifndef RUN_NAMESPACES_H
#define RUN_NAMESPACES_H

#include "protocol/plan.h"

/*
 * Enters new ones, as the plan says. Before the mounts, since sysfs and mqueue show those of whoever mounts them. A new network
 * has a loopback interface, which is up. Ends the process if that fails.
 */
void namespaces_enter(const struct plan *plan);

#endif
