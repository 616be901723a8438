/*
 * The standard streams of a command, as the plan has them. What the plan does not name stays as the launcher has it; messages of the
 * launcher itself stay on its own standard error.
 */
#ifndef RUN_STREAMS_H
#define RUN_STREAMS_H

#include "protocol/plan.h"

/*
 * To be called for every command, with all privileges and in the launcher's root. sockets: how many were passed. program: what lines in the
 * journal are said to come from. Returns the variable that tells the command of its connection to the journal (JOURNAL_STREAM=), null if
 * it has none. Ends the launcher with a message if a stream cannot be opened.
 */
char *streams_open(const struct plan *plan, unsigned int sockets, const char *program);

#endif
