/*
 * Inspects paths below a base directory: what each component of a path is, down to the first that is not a directory.
 * Nothing is followed and nothing changed; what it means is the daemon's to decide. It is done here since a file system may
 * take its time, and since each step of it from the daemon would be a hop between two threads.
 */
#ifndef DYNUSER_HELPER_INSPECT_H
#define DYNUSER_HELPER_INSPECT_H

#include "questions.h"

/* Argument: BASE *(SP PATH), as protocol.h has it. Changes the text. Always true: the answer is written. */
bool inspect_paths(char *argument, struct context *context, struct answer *answer);

#endif
