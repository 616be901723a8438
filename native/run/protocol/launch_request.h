/* The calls of io.dynuser.Allocator.Launch, and what their fields are called on the command line. */
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
void launch_request_write(struct json_writer *writer, const struct options *options, bool may_mount,
			  const struct answers *answers);

/*
 * Writes what an error of the daemon is about, as it was typed, with ": " after it: "--uid=: ", "User=: ", "/etc/x.service:3: User=: ".
 * Empty if the field means nothing to whoever typed the command, or does not fit.
 */
void field_label_write(const struct options *options, const char *field, char *text, size_t size);

#endif
