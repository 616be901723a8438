/* See fork_lock.h. */
#include "fork_lock.h"

#include <sched.h>
#include <time.h>
#include <unistd.h>

#include "deadline.h"
#include "bounds.h"

/* How often to yield before sleeping: the lock is held for less than a sleep takes. */
#define YIELDS 16U
#define SLEEP_NS 100000L

static void wait_a_moment(unsigned int round)
{
	const struct timespec moment = { .tv_nsec = SLEEP_NS };

	if (round < YIELDS)
		(void)sched_yield();
	else
		/* A real sleep: a real-time thread that only yields would keep the holder from running. */
		(void)nanosleep(&moment, NULL);
}

bool fork_lock_take(struct fork_lock *lock)
{
	struct deadline deadline = deadline_after(LOCK_WAIT_MS);
	pid_t self = getpid();

	for (unsigned int round = 0;; round++) {
		pid_t holder = 0;

		/* The first one tells who the holder is, if there is one. */
		if (atomic_compare_exchange_strong(&lock->holder, &holder, self) ||
		    (holder != self && atomic_compare_exchange_strong(&lock->holder, &holder, self)))
			return true;
		if (deadline_is_past(&deadline))
			return false;
		wait_a_moment(round);
	}
}

void fork_lock_give(struct fork_lock *lock)
{
	atomic_store(&lock->holder, 0);
}
