/* Owns the answer whether the launcher may make the mounts that a world needs. */
#ifndef RUN_MAY_MOUNT_H
#define RUN_MAY_MOUNT_H

#include <stdbool.h>

/*
 * With CAP_SYS_ADMIN of the host's own user namespace it may. Elsewhere, or where one can also do without mounts, it is looked
 * closer; a wrong yes would then be a start that fails.
 */
bool may_mount(bool can_do_without);

#endif
