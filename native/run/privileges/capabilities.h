/*
 * The capability sets of this process (capabilities(7)). A set is a mask with bit n for capability n. Changes are read back; a failure
 * ends the process with a message.
 */
#ifndef RUN_CAPABILITIES_H
#define RUN_CAPABILITIES_H

#include <stdbool.h>
#include <stdint.h>

/* Whether this capability is effective. */
bool capability_is_effective(unsigned int capability);

/* Makes root's UID special again and empties the ambient set: what a fresh process has, whatever was inherited. */
void capabilities_reset(void);

/* Takes from the bounding set what is not in the mask. */
void capabilities_bound(uint64_t bounding);

/* Keeps the permitted capabilities over the change of the UID that follows. */
void capabilities_keep(void);

/* After the change: makes these the permitted, effective, inheritable and ambient ones, and all others none. */
void capabilities_become(uint64_t ambient);

/* For root itself: leaves of the permitted and effective ones those of the mask, and makes the others none. */
void capabilities_of_root(uint64_t bounding, uint64_t ambient);

#endif
