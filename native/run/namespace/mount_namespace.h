/*
 * Sets up the mount namespace of the service by the mount ops of a plan, in order; io.dynuser.Allocator.varlink says what each of them
 * means. Nothing of it shows outside, and it ends with the last process in it. A failure ends the process with a message that names the
 * path.
 */
#ifndef RUN_MOUNT_NAMESPACE_H
#define RUN_MOUNT_NAMESPACE_H

#include <stdbool.h>

#include "protocol/plan.h"

/*
 * Whether the launcher may make the mounts that a mount namespace needs. With CAP_SYS_ADMIN of the host's own user namespace it may. In
 * another namespace, or if the launch can do without mounts, it is tried in a child: a wrong yes would be a start that fails.
 */
bool may_mount(bool can_do_without);

/* Makes the host's directories that a plan asks for. Before the first namespace, since commands outside of it need them too. */
void mount_namespace_make_directories(const struct plan *plan);

/* Enters the namespace of a plan, with / as working directory. The file mode creation mask is 0 afterwards. */
void mount_namespace_enter(const struct plan *plan);

#endif
