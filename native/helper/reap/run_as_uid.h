/* Owns the short-lived child that stands in for a UID: the one way to signal all its processes at once, and to its keys. */
#ifndef DYNUSER_HELPER_REAP_RUN_AS_UID_H
#define DYNUSER_HELPER_REAP_RUN_AS_UID_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * Has a child do something that is as that user, with no other UID and no capability, for at most half a second. Returns
 * whether it came to its end.
 */
bool run_as_uid(uid_t uid, void (*act)(const void *data), const void *data);

/*
 * Signals every process whose real or saved UID is this one (kill(2), pid -1), in our PID namespace and those below it. The
 * kernel holds the list of processes meanwhile: whoever forks either has forked before, and its child is signalled too,
 * or its fork fails where the signal is SIGKILL. No other process is reached: the child has no UID but this one, no
 * capability, and ends without a signal where either is not so.
 *
 * Returns whether the child has done so. False is no harm, and true no proof: a process may have come since.
 */
bool signal_as_uid(uid_t uid, const int *signals, size_t count);

#endif
