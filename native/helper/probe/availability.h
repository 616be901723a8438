/* Owns the questions about a name and a number that are to be given out: who has them, and what runs with the number. */
#ifndef DYNUSER_HELPER_PROBE_AVAILABILITY_H
#define DYNUSER_HELPER_PROBE_AVAILABILITY_H

#include "protocol.h"
#include "questions.h"

/* Each parses its argument and writes the answer of protocol.h. Returns whether it found something, or failed. */
bool ask_name(char *name, struct context *context, struct answer *answer);
bool ask_owner(char *number, struct context *context, struct answer *answer);
bool ask_process(char *number, struct context *context, struct answer *answer);
bool ask_running(char *numbers, struct context *context, struct answer *answer);

#endif
