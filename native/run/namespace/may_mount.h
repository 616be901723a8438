/* Whether the launcher may make the mounts that a mount namespace needs. */
#ifndef RUN_MAY_MOUNT_H
#define RUN_MAY_MOUNT_H

#include <stdbool.h>

/*
 * With CAP_SYS_ADMIN of the host's own user namespace it may. In another namespace, or if the launch can do without mounts, it is
 * tried in a child: a wrong yes would be a start that fails.
 */
bool may_mount(bool can_do_without);

#endif
