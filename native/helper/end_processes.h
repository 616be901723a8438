/* Owns how the processes of a UID are ended. Signals none that has another UID only; what it answers is seen, not assumed. */
#ifndef DYNUSER_HELPER_END_PROCESSES_H
#define DYNUSER_HELPER_END_PROCESSES_H

#include "credentials.h"
#include "protocol.h"

/*
 * Both answer "free" where no process runs with the number any more, else what find_process (processes.h) does: the first
 * that is left, which may be one that has the number as GID alone and is never signalled, or one in an uninterruptible
 * sleep. Where there is none to begin with they fork and wait for nothing.
 */

/* Asks them to end: SIGTERM, and SIGCONT for those that are stopped. Looks again for TERMINATE_WAIT_MS at most. */
#define TERMINATE_WAIT_MS 20
void terminate_processes(uid_t uid, enum credentials_source *source, struct answer *answer);

/*
 * Ends them: SIGKILL, again and again until none is left, for KILL_WAIT_MS at most. Those that have exited and that their
 * parent has not waited for are no longer counted: in many a container nobody ever does.
 */
#define KILL_WAIT_MS 1000
void kill_processes(uid_t uid, enum credentials_source *source, struct answer *answer);

#endif
