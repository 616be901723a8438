/* What an error of the daemon is about, as it was typed: an option or a property instead of a field of the protocol. */
#ifndef RUN_FIELD_LABEL_H
#define RUN_FIELD_LABEL_H

#include <stddef.h>

#include "options.h"

/*
 * Writes the label of a field, with ": " after it: "--uid=: ", "User=: ", "/etc/x.service:3: User=: ". Empty if the field means
 * nothing to whoever typed the command, or does not fit.
 */
void field_label_write(const struct options *options, const char *field, char *text, size_t size);

#endif
