/* The calls of io.dynuser.Allocator.Launch. */
#ifndef RUN_LAUNCH_REQUEST_H
#define RUN_LAUNCH_REQUEST_H

#include <stdbool.h>

#include "json_write.h"
#include "cli/options.h"
#include "questions.h"

/* The longest call that the daemon accepts of a privileged peer (src/varlink/limits.ts). */
#define REQUEST_BYTES_MAX (6U * 1024U * 1024U)

/*
 * Writes a call, with the terminating NUL, in place of what the writer held. Ends the launcher if an option is not UTF-8, or the
 * call would be too long.
 */
void launch_request_write(struct json_writer *writer, const struct options *options, bool may_mount, const struct answers *answers);

#endif
