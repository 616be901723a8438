/* Owns the search for processes that run with a UID or GID. Reads only; never follows or signals a process. */
#ifndef DYNUSER_HELPER_PROCESSES_H
#define DYNUSER_HELPER_PROCESSES_H

#include "credentials.h"
#include "protocol.h"

/*
 * Looks for a thread that has the number as real, effective, saved or file-system UID or GID (credentials(7)).
 *
 * What cannot be seen: processes of PID namespaces that are neither ours nor below ours, and what exists only as a
 * credential that something holds: an open file, a socket's SO_PEERCRED, a user namespace's owner.
 *
 * Returns whether the answer was written: the first process, or an error.
 */
bool find_process(uint32_t number, enum credentials_source *source, struct answer *answer);

#endif
