/* Owns the short-lived child that runs as a UID: the only way to signal all its processes at once, and to reach its keys. */
#ifndef DYNUSER_HELPER_REAP_RUN_AS_UID_H
#define DYNUSER_HELPER_REAP_RUN_AS_UID_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * Runs a function in a child that has that UID, no other one, and no capability, for at most half a second. Returns whether
 * it was carried out.
 */
bool run_as_uid(uid_t uid, void (*act)(const void *data), const void *data);

/*
 * Signals every process whose real or saved UID is this one (kill(2), pid -1), in our PID namespace and those below it. The
 * kernel holds the list of processes meanwhile: whoever forks either has forked before, and its child is signalled too,
 * or its fork fails if the signal is SIGKILL. No other process is reached: the child has no UID but this one and no
 * capability, and ends without a signal if either is not so.
 *
 * Returns whether the child has done so. False does no harm, and true proves nothing: a process may have come since.
 */
bool signal_as_uid(uid_t uid, const int *signals, size_t count);

#endif
