/* The terminal that a service's properties give it (TTYPath= and its siblings). */
#ifndef RUN_TERMINAL_H
#define RUN_TERMINAL_H

#include "protocol/plan.h"

/* Prepares a terminal as the plan asks: a fresh one, without anybody's program on it. Failures are reported, and end nothing. */
void terminal_prepare(const struct terminal *terminal);

/*
 * Opens a terminal, and makes it the controlling one if control says how. property: for messages. Ends the launcher if that
 * fails. The descriptor is closed by execve(2).
 */
int terminal_open(const char *property, const char *path, int flags, enum stream_control control);

#endif
