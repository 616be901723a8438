/*
 * Carries out the mount ops of a plan in a mount namespace that is being set up; io.dynuser.Allocator.varlink says what each of
 * them means. A failure ends the process with a message that names the path.
 */
#ifndef RUN_MOUNT_OPS_H
#define RUN_MOUNT_OPS_H

#include "mount_namespace.h"

void mount_op_do(struct layout *layout, const struct mount_op *op);

#endif
