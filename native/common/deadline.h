/*
 * A moment by which a whole exchange must be over, so that a peer that sends byte by byte cannot prolong it.
 */
#ifndef DYNUSER_DEADLINE_H
#define DYNUSER_DEADLINE_H

#include <stdbool.h>

/* A moment of CLOCK_MONOTONIC, which setting the wall clock does not move, in nanoseconds. */
struct deadline {
	long long at;
};

/* The moment that many milliseconds from now. */
struct deadline deadline_after(unsigned int milliseconds);

/* Whether it is past, to the nanosecond. */
bool deadline_is_past(const struct deadline *deadline);

/* The milliseconds that are left, rounded up so that a wait of them ends at or after the moment; 0: it is past. */
int deadline_left(const struct deadline *deadline);

#endif
