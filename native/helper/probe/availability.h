/* Owns the questions of whoever looks for a UID: who has a name, what speaks against a number, and both at once. */
#ifndef DYNUSER_HELPER_PROBE_AVAILABILITY_H
#define DYNUSER_HELPER_PROBE_AVAILABILITY_H

#include "processes.h"
#include "protocol.h"
#include "verbs.h"

void verb_name(char *name, struct context *context, struct answer *answer);
void verb_owner(char *number, struct context *context, struct answer *answer);
void verb_uid(char *number, struct context *context, struct answer *answer);
void verb_running(char *numbers, struct context *context, struct answer *answer);
void verb_claim(char *argument, struct context *context, struct answer *answer);

/* Appends those of the numbers that a process runs with. */
void answer_running(const struct numbers *numbers, struct answer *answer);

#endif
