/*
 * Owns the look at places below a base directory: what each component of a path is, down to the first that is no directory.
 * Nothing is followed and nothing changed; what it means is the daemon's to decide. It is asked here since a file system may
 * take its time, and since each step of it from the daemon would be a hop between two threads.
 */
#ifndef DYNUSER_HELPER_PLACES_H
#define DYNUSER_HELPER_PLACES_H

#include "protocol.h"

/* Argument: BASE *(SP PATH), as protocol.h has it. The text is changed in the course of it. */
void look_at_places(char *argument, struct answer *answer);

#endif
