/* Owns the calls of io.dynuser.Allocator.Launch: what the launcher says of itself and of what it was asked for. */
#ifndef RUN_REQUEST_H
#define RUN_REQUEST_H

#include <stdbool.h>

#include "json_write.h"
#include "cli/options.h"
#include "questions.h"

/* The longest call, which is the longest that the daemon takes of a privileged peer (src/varlink/limits.ts). */
#define REQUEST_BYTES_MAX (6U * 1024U * 1024U)

/*
 * Writes a call into the writer, which is begun anew, with the terminating NUL. Ends the launcher where an option is not UTF-8,
 * and where the call would be too long.
 */
void request_write(struct json_writer *writer, const struct options *options, bool may_mount, const struct answers *answers);

#endif
