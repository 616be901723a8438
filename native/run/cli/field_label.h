/* Owns the words for what an error of the daemon is about: the option or property that was typed, not a field of the protocol. */
#ifndef RUN_TYPED_H
#define RUN_TYPED_H

#include <stddef.h>

#include "options.h"

/*
 * Writes what a field of an error is called where it was typed, with ": " behind it: "--uid=: ", "User=: ",
 * "/etc/x.service:3: User=: ". Empty, if the field says nothing to whoever typed the command, or does not fit.
 */
void typed_write(const struct options *options, const char *field, char *text, size_t size);

#endif
