/*
 * Inspects paths below a base directory: what each component of a path is, down to the first that is not a directory.
 * Nothing is followed and nothing changed; what it means is the daemon's to decide. It is done here since a file system may
 * take its time, and since each step of it from the daemon would be a hop between two threads.
 */
#ifndef DYNUSER_HELPER_INSPECT_H
#define DYNUSER_HELPER_INSPECT_H

#include "protocol.h"

/* Argument: BASE *(SP PATH), as protocol.h has it. Changes the text. */
void inspect_paths(char *argument, struct answer *answer);

#endif
