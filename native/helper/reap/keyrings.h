/* Owns the keyrings that the kernel keeps for a UID, also while no process has it (user-keyring(7), persistent-keyring(7)). */
#ifndef DYNUSER_HELPER_REAP_KEYRINGS_H
#define DYNUSER_HELPER_REAP_KEYRINGS_H

#include <sys/types.h>

/*
 * Empties them and has them go, so that the next holder of the UID finds no key of the last one. What their owner made such
 * that it cannot empty them itself is nothing to the next holder either, which has the same rights to them: so there is
 * nothing to answer.
 */
void clear_keyrings(uid_t uid);

#endif
