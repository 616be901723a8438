/*
 * Owns a lock for very short sections that a fork(2) cannot leave locked for ever. A pthread mutex that another thread
 * holds at that moment stays locked in the child, whose copy has no such thread; pthread_atfork(3) handlers are not
 * for a module that may be unloaded. Here the lock says which process holds it, and a holder that is another process
 * was left behind by a fork: it is not a holder.
 */
#ifndef DYNUSER_NSS_FORK_LOCK_H
#define DYNUSER_NSS_FORK_LOCK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>

/* The process that holds it, or 0. All zeros is a lock that nobody holds. */
struct fork_lock {
	_Atomic(pid_t) holder;
};

/*
 * Takes the lock. False after LOCK_WAIT_MS: its holder does not run. (Or the process and its parent have the same PID
 * in two PID namespaces and the parent held it at the fork; then the child does without.)
 */
bool fork_lock_take(struct fork_lock *lock);

/* Gives it back; once for each time that it was taken. */
void fork_lock_give(struct fork_lock *lock);

#endif
