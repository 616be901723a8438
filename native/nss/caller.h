/*
 * Owns what a lookup must leave as it found it in the program that called. NSS modules are guests in other people's
 * threads: errno keeps its value, and a thread that is cancelled (pthreads(7)) in the midst of a lookup must not leave
 * a descriptor or memory behind, so it is cancelled afterwards. Neither costs a system call.
 */
#ifndef DYNUSER_NSS_CALLER_H
#define DYNUSER_NSS_CALLER_H

#include <errno.h>
#include <pthread.h>

struct caller {
	int error_number;
	int cancel_state;
};

static inline struct caller caller_enter(void)
{
	struct caller caller = { .error_number = errno };

	(void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &caller.cancel_state);
	return caller;
}

static inline void caller_leave(const struct caller *caller)
{
	(void)pthread_setcancelstate(caller->cancel_state, NULL);
	errno = caller->error_number;
}

#endif
