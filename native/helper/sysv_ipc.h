/* Owns the search for System V IPC objects (sysvipc(7)) of a UID or GID, in this process's IPC namespace. Reads only. */
#ifndef DYNUSER_HELPER_SYSV_IPC_H
#define DYNUSER_HELPER_SYSV_IPC_H

#include "protocol.h"

/*
 * Looks for a shared memory segment, attached or not, a semaphore set or a message queue whose owner has the number as
 * UID or GID. The creator's ids are no evidence: they give no access once the owner is another (svipc(7)).
 * Returns whether the answer was written: the first object, or an error.
 */
bool find_sysv_ipc(uint32_t number, struct answer *answer);

#endif
