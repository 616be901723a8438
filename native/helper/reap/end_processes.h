/* Owns how the processes of a UID are ended. Signals none that has another UID only; what it answers is seen, not assumed. */
#ifndef DYNUSER_HELPER_REAP_END_PROCESSES_H
#define DYNUSER_HELPER_REAP_END_PROCESSES_H

#include "known_threads.h"
#include "protocol.h"

/*
 * All three return whether a process is left, and then answer the first as find_process (processes.h) does: one that has the number
 * as a UID, or if there is none, one that has it as a group alone. That belongs to another user and is never signalled, so that
 * nothing waits for it.
 */

/* Looks for one that has not exited. */
bool find_running(uid_t uid, struct known_threads *known, struct answer *answer);

/*
 * Asks them to end: SIGTERM, and SIGCONT for those that are stopped, then looks for TERMINATE_WAIT_MS at most. None is left
 * once those that have exited are gone too; if that is so to begin with, forks and waits for nothing.
 */
#define TERMINATE_WAIT_MS 20
bool terminate_processes(uid_t uid, struct known_threads *known, struct answer *answer);

/*
 * Ends them: SIGKILL, again and again until none is left, for KILL_WAIT_MS at most. Once all were
 * signalled at one moment, those that have exited count no more: in many a container nobody ever waits for them.
 */
#define KILL_WAIT_MS 1000
bool kill_processes(uid_t uid, struct known_threads *known, struct answer *answer);

#endif
