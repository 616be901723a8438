/* Owns the keyrings that the kernel keeps for a UID, also while no process has it (user-keyring(7), persistent-keyring(7)). */
#ifndef DYNUSER_HELPER_REAP_KEYRINGS_H
#define DYNUSER_HELPER_REAP_KEYRINGS_H

#include <sys/types.h>

/*
 * Empties them and removes them, so that the next holder of the UID finds no key of the last one. If their owner has given up the
 * right to empty them, they are of no use to the next holder either, which has the same rights to them: so there is nothing to
 * answer.
 */
void clear_keyrings(uid_t uid);

#endif
